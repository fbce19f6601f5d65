import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CommandLine, isStackName, UsageError, usageOf } from "../../scripts/command-line.ts";
import { checkout } from "../../scripts/environment.ts";

const command = {
  name: "batch",
  usage: "[--stack NAME] [--down]",
  options: { stack: { type: "string" }, down: { type: "boolean" }, config: { type: "string", multiple: true } },
} as const;

function mistakesOf(args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  const commandLine = new CommandLine(command, args, environment);
  commandLine.stack("dev");
  try {
    commandLine.throwIfAny();
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
}

test("what is right is read", () => {
  const commandLine = new CommandLine(command, ["--stack=x", "--down", "--config", "a=1", "--config", "b=-2"], {});
  commandLine.throwIfAny();
  expect(commandLine.values).toEqual({ stack: "x", down: true, config: ["a=1", "b=-2"] });
  expect(commandLine.stack("dev")).toBe("x");
  expect(new CommandLine(command, [], {}).stack("dev")).toBe("dev");
});

test("all mistakes are told at once, each in a line, with the usage in the words of the command", () => {
  expect(mistakesOf(["now", "--bogus", "1", "--down=1", "--stack"])).toBe(
    [
      "there is no option --bogus",
      "--down takes no value",
      "--stack needs a value",
      '"now" is no option',
      "usage: npm run batch -- [--stack NAME] [--down]",
    ].join("\n"),
  );
  expect(usageOf({ name: "docs", usage: "" })).toBe("usage: npm run docs");
});

test("an option is never taken from two that contradict each other", () => {
  expect(mistakesOf(["--stack", "a", "--stack", "b"])).toContain("--stack is given twice");
});

describe("where the -- is missing", () => {
  test.each([
    ["--stack x", ["x"], { npm_config_stack: "true" }],
    ["--stack=x", [], { npm_config_stack: "x" }],
    ["--down", [], { npm_config_down: "true" }],
  ])("npm run batch %s is refused instead of meaning another stack", (_, args, kept) => {
    const mistakes = mistakesOf(args, { npm_lifecycle_event: "batch", ...kept });
    expect(mistakes).toMatch(/^npm kept --(stack|down) for itself, since there is no -- before it/);
    expect(mistakes.split("\n")).toHaveLength(2);
  });

  test("what npm kept of another command, as of npm test, means nothing", () => {
    expect(mistakesOf([], { npm_lifecycle_event: "test", npm_config_stack: "x" })).toBe("");
  });
});

test.each(["dev", "part-1", "a.b_c", "organization/project/dev"])("%s is a stack's name", (name) => {
  expect(isStackName(name)).toBe(true);
});

test.each(["../../etc/passwd", "..", ".", "a/../b", "/etc/passwd", "a/b/c/d", "a b", "", "a\n", "-x", "x".repeat(101)])(
  "%j is no stack's name",
  (name) => expect(isStackName(name)).toBe(false),
);

/** Runs a script as npm would. */
function run(script: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const environment = { ...process.env, npm_lifecycle_event: "" };
  return new Promise((resolve) =>
    execFile(process.execPath, [join(checkout, script), ...args], { env: environment }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }),
    ),
  );
}

test.each([
  ["scripts/play.ts", ["--events", "5", "--stack"], "--stack needs a value"],
  ["scripts/play.ts", ["--events", "5", "--stack=nosuch"], "there is no stack nosuch; the stacks are "],
  ["scripts/batch.ts", ["--stack", "nosuch"], "there is no stack nosuch; the stacks are "],
  ["scripts/batch.ts", ["now"], '"now" is no option'],
  ["scripts/batch.ts", ["--bogus"], "there is no option --bogus"],
  ["scripts/logs.ts", ["kafka", "--lines", "-3"], "--lines must be a whole number from 0; it is -3"],
  ["scripts/preview.ts", ["--stack", "../../etc/passwd"], "--stack must be a stack's name"],
  ["scripts/preview.ts", ["--stack", "nosuch"], "there is no stack nosuch: it has no file Pulumi.nosuch.yaml"],
  ["scripts/preview.ts", ["--config", "size"], "--config is KEY=VALUE"],
  ["scripts/demo.ts", ["--target", "kubernetes"], "--target must be one of local, docker; it is kubernetes"],
  ["scripts/down.ts", ["--stack", "nosuch"], "there is no stack nosuch; the stacks are "],
  ["scripts/down.ts", ["--stack", "a", "--stack", "b"], "--stack is given twice"],
  ["scripts/images.ts", ["--stack"], "--stack needs a value"],
  ["scripts/docs.ts", ["--help"], "there is no option --help"],
])("node %s %j ends with exit code 2 and without a stack trace", async (script, args, problem) => {
  const { code, output } = await run(script, ...args);
  expect(output).toContain(problem);
  expect(output).not.toMatch(/^\s+at /m);
  expect(output.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
  expect(code).toBe(2);
});
