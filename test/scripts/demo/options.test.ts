import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { UsageError } from "../../../scripts/command-line.ts";
import { defaultEvents, parseDemoOptions } from "../../../scripts/demo/options.ts";

const folder = mkdtempSync(join(tmpdir(), "options-"));
writeFileSync(join(folder, "edits.jsonl"), "{}\n");
writeFileSync(join(folder, "empty.jsonl"), "");
afterAll(() => rmSync(folder, { recursive: true }));

test("by default the generator plays as fast as it goes, and the stack keeps running", () => {
  expect(parseDemoOptions([], folder)).toEqual({
    input: undefined,
    events: defaultEvents,
    rate: undefined,
    target: "local",
    stack: "dev",
    down: false,
  });
});

test("every option is read; a relative file is relative to where the person is", () => {
  expect(parseDemoOptions(["--events", "1000", "--rate=50", "--stack", "other", "--down"], folder)).toEqual({
    input: undefined,
    events: 1000,
    rate: 50,
    target: "local",
    stack: "other",
    down: true,
  });
  expect(parseDemoOptions(["--input", "edits.jsonl"], folder).input).toBe(join(folder, "edits.jsonl"));
  expect(parseDemoOptions(["--input", join(folder, "edits.jsonl")], "/").input).toBe(join(folder, "edits.jsonl"));
});

test("Docker has a stack of its own", () => {
  expect(parseDemoOptions(["--target", "docker"], folder)).toMatchObject({ target: "docker", stack: "demo" });
  expect(() => parseDemoOptions(["--target", "moon"], folder)).toThrow(
    "--target must be one of local, docker; it is moon",
  );
});

test("all mistakes come at once, with the usage", () => {
  const wrong = () => parseDemoOptions(["quickly", "--input=none.jsonl", "--events=0", "--rate=1e3"], folder);
  expect(wrong).toThrow(UsageError);
  expect(wrong).toThrow(
    [
      '"quickly" is no option',
      "--events must be a whole number from 1; it is 0",
      "--rate must be a whole number from 1; it is 1e3",
      "--input and --events exclude each other",
      `--input: there is no file ${join(folder, "none.jsonl")}`,
      "usage: npm run demo -- [--input FILE | --events N] [--rate N] [--target local|docker] [--stack NAME] [--down]",
    ].join("\n"),
  );
});

test.each([
  ["empty.jsonl", /empty\.jsonl is empty/],
  [".", /is a folder/],
  ["/dev/null", /no file that can be read twice/],
])("%s is refused before anything starts", (input, problem) => {
  expect(() => parseDemoOptions(["--input", input], folder)).toThrow(problem);
});

test.each([[["--evnts", "5"]], [["--events"]], [["--down=yes"]]])("%j is a mistake", (args) => {
  expect(() => parseDemoOptions(args, folder)).toThrow(UsageError);
  expect(() => parseDemoOptions(args, folder)).toThrow(/^.*'?--(evnts|events|down)[\s\S]*\nusage: npm run demo/);
});
