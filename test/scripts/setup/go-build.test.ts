import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recipeDigest } from "../../../scripts/setup/go-build.mjs";

let module: string;

beforeEach(() => {
  module = mkdtempSync(join(tmpdir(), "lambda-architecture-recipe-"));
  writeFileSync(join(module, "go.mod"), "module example\n");
  mkdirSync(join(module, "sdk"));
  writeFileSync(join(module, "sdk", "sdk.go"), "package sdk\n");
});

afterEach(() => rmSync(module, { recursive: true }));

const program = (others: { linkerFlags?: string; tags?: string[] } = {}) => ({
  module,
  package: ".",
  program: "example",
  linkerFlags: "-s",
  ...others,
});

test("a recipe's digest changes with each of its files, flags, tags and what else decides, and with nothing else", () => {
  const before = recipeDigest([program()]);
  expect(before).toMatch(/^[0-9a-f]{12}$/);
  expect(recipeDigest([program()])).toBe(before);

  const digests = [
    recipeDigest([program({ linkerFlags: "-w" })]),
    recipeDigest([program({ tags: ["small"] })]),
    recipeDigest([program()], "wrapper"),
  ];
  writeFileSync(join(module, "sdk", "sdk.go"), "package sdk // changed\n");
  digests.push(recipeDigest([program()]));
  expect(new Set([before, ...digests]).size).toBe(5);
});
