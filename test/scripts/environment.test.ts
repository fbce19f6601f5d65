import { delimiter } from "node:path";
import { describe, expect, test } from "vitest";
import { needsStack } from "../../scripts/environment.ts";
import { packagePrograms } from "../../scripts/setup/paths.mjs";
import { projectPath } from "../../scripts/setup/record.mjs";
import { withoutEncryptionSalt } from "../../scripts/stack-configuration.ts";

describe("needsStack", () => {
  test.each([
    ["up", "--yes"],
    ["preview"],
    ["--non-interactive", "destroy"],
    ["stack"],
    ["stack", "output", "queryUrl"],
  ])("%s %s asks something of a stack", (...args) =>
    expect(needsStack(args.filter((argument) => argument !== undefined))).toBe(true),
  );

  test.each([
    [["version"]],
    [["login"]],
    [["up", "--help"]],
    [["up", "--stack", "other"]],
    [["up", "--stack=other"]],
    [["up", "-s", "other"]],
    [["stack", "init", "other"]],
    [["stack", "ls"]],
    [[]],
  ])("%j does not, or names one", (args) => expect(needsStack(args)).toBe(false));

  test("a flag that only begins with an s is no stack", () => {
    expect(needsStack(["up", "--skip-preview"])).toBe(true);
  });
});

describe("withoutEncryptionSalt", () => {
  test("takes out the salt and leaves the rest as it is", () => {
    const configuration = "config:\n  # a comment\n  lambda-architecture:ephemeral: true\n";
    expect(withoutEncryptionSalt(`${configuration}encryptionsalt: v1:abc=:v1:def:ghi==\n`)).toBe(configuration);
    expect(withoutEncryptionSalt("encryptionsalt: v1:abc=:v1:def:ghi==\n")).toBe("");
  });

  test("leaves a file with secrets alone, which the salt opens", () => {
    const configuration = "encryptionsalt: v1:abc=\nconfig:\n  lambda-architecture:password:\n    secure: v1:def\n";
    expect(withoutEncryptionSalt(configuration)).toBe(configuration);
  });
});

describe("projectPath", () => {
  const path = ["/usr/bin", packagePrograms, "/bin"].join(delimiter);

  test("puts a cached CLI and the packages' programs first, once", () => {
    const record = { programs: {}, cli: { program: "/cache/pulumi-1/pulumi", origin: "build" as const } };
    expect(projectPath(record, path).split(delimiter)).toEqual([
      "/cache/pulumi-1",
      packagePrograms,
      "/usr/bin",
      "/bin",
    ]);
  });

  test("does not move the folder of a CLI from PATH before the project's Node", () => {
    const record = { programs: {}, cli: { program: "/usr/bin/pulumi", origin: "path" as const } };
    expect(projectPath(record, path).split(delimiter)).toEqual([packagePrograms, "/usr/bin", "/bin"]);
  });
});
