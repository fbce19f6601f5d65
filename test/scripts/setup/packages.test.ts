import { describe, expect, test } from "vitest";
import { outdatedPackages } from "../../../scripts/setup/packages.mjs";

describe("outdatedPackages", () => {
  const locked = {
    packages: {
      "": { version: "0.1.0" },
      "node_modules/zod": { version: "4.6.7" },
      "node_modules/@esbuild/darwin-arm64": { version: "0.28.2", optional: true },
    },
  };

  test("none, whatever optional package another platform has", () => {
    expect(outdatedPackages(locked, { packages: { "node_modules/zod": { version: "4.6.7" } } })).toEqual([]);
  });

  test("those that are missing or of another version", () => {
    expect(outdatedPackages(locked, {})).toEqual(["node_modules/zod"]);
    const installed = {
      "node_modules/zod": { version: "4.6.6" },
      "node_modules/@esbuild/darwin-arm64": { version: "0.28.1" },
    };
    expect(outdatedPackages(locked, { packages: installed })).toEqual([
      "node_modules/zod",
      "node_modules/@esbuild/darwin-arm64",
    ]);
  });
});
