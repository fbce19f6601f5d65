import { delimiter } from "node:path";
import { describe, expect, test } from "vitest";
import {
  deploys,
  destroysAll,
  namedStack,
  needsStack,
  protectedResources,
  protectionReport,
} from "../../scripts/environment.ts";
import { packagePrograms } from "../../scripts/setup/paths.mjs";
import { projectPath } from "../../scripts/setup/record.mjs";
import { stackFileValues, withoutEncryptionSalt } from "../../scripts/stack-configuration.ts";

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

  test.each([[["version"]], [["login"]], [["up", "--help"]], [["stack", "init", "other"]], [["stack", "ls"]], [[]]])(
    "%j does not",
    (args) => expect(needsStack(args)).toBe(false),
  );
});

describe("namedStack", () => {
  test.each([
    [["up", "--stack", "other"]],
    [["up", "--stack=other", "--yes"]],
    [["--non-interactive", "up", "-s", "other", "--skip-preview"]],
  ])("%j names one", (args) => expect(namedStack(args)).toBe("other"));

  test.each([[["up", "--skip-preview"]], [["stack", "select", "other"]], [[]]])("%j names none", (args) => {
    expect(namedStack(args)).toBeUndefined();
  });
});

test("only what runs this project's program has its configuration checked first", () => {
  expect(
    [
      ["up", "--yes"],
      ["preview", "-s", "dev"],
    ].map(deploys),
  ).toEqual([true, true]);
  expect(
    [["-C", "examples/kafka", "up"], ["destroy"], ["config", "set", "size", "up"], ["up", "--help"]].map(deploys),
  ).toEqual(Array(4).fill(false));
});

describe("a stack with protected resources", () => {
  const state = (...protect: (boolean | undefined)[]) =>
    JSON.stringify({
      deployment: {
        resources: protect.map((each, index) => ({ urn: `urn:pulumi:dev::p::t::r${index}`, protect: each })),
      },
    });

  test("is not destroyed: the report says that nothing was deleted, and the fix", () => {
    expect(protectedResources(state(undefined, true, false, true))).toEqual(["r1", "r3"]);
    expect(protectionReport(["r1", "r3"], "prod")).toBe(
      "nothing was deleted: r1 and r3 keep data and are protected, since the stack is not ephemeral. Fix: npm run pulumi -- " +
        "config set ephemeral true --stack prod, then npm run pulumi -- up --stack prod, then again\n",
    );
    expect(protectionReport(["a", "b", "c", "d", "e"], undefined)).toContain("a, b, c and 2 more keep data");
  });

  test("that are none, or of no stack at all, is", () => {
    expect(protectionReport(protectedResources(state(false, undefined)), "dev")).toBeUndefined();
    expect(protectedResources('{"version":3}')).toEqual([]);
  });

  test.each([[["destroy"]], [["destroy", "--yes", "--stack", "a"]], [["--yes", "down"]], [["dn", "-s", "a"]]])(
    "%j is looked at",
    (args) => expect(destroysAll(args)).toBe(true),
  );

  test.each([
    [["up"]],
    [["destroy", "--help"]],
    [["-C", "examples/kafka", "destroy"]],
    [["destroy", "--exclude-protected"]],
    [["destroy", "--target", "urn"]],
  ])("%j is not", (args) => expect(destroysAll(args)).toBe(false));
});

test("a stack's file says its keys as texts, without those of others and encrypted ones", () => {
  const file = `# a comment
config:
  lambda-architecture:ephemeral: true
  lambda-architecture:partitions: "6"
  lambda-architecture:password:
    secure: v1:abc
  aws:region: eu-central-1
`;
  expect(stackFileValues(file)).toEqual({
    values: { ephemeral: "true", partitions: "6" },
    encrypted: new Set(["password"]),
  });
  expect(stackFileValues("encryptionsalt: v1:abc\n")).toEqual({ values: {}, encrypted: new Set() });
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
