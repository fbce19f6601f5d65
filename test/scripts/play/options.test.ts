import { expect, test } from "vitest";
import { UsageError } from "../../../scripts/command-line.ts";
import { parsePlayOptions } from "../../../scripts/play/options.ts";

const parse = (...args: string[]) => parsePlayOptions(args, "/folder", {});

test("every option is read; a relative file is relative to where the person is", () => {
  expect(parse("--input", "x.jsonl", "--rate=5", "--from", "2", "--to", "9", "--stack", "other")).toEqual({
    stack: "other",
    source: { kind: "file", path: "/folder/x.jsonl" },
    rate: 5,
    from: 2,
    to: 9,
  });
  expect(parse("--events", "7", "--seed", "3").source).toEqual({ kind: "generator", events: 7, seed: 3 });
  expect(parse("--wikimedia")).toMatchObject({ stack: "dev", source: { kind: "wikimedia", url: undefined } });
});

test.each([
  [["--events", "5", "--stack"], "--stack needs a value"],
  [["--events", "5", "--stack="], "--stack needs a value"],
  [["--stack", "--events", "5"], '--stack needs a value; "--events" looks like an option'],
  [["--events", "5", "--stack", "../../etc/passwd"], "--stack must be a stack's name"],
  [["--inptu", "x.jsonl"], "there is no option --inptu"],
  [["--events", "5", "--input", "x"], "exactly one of --input, --events and --wikimedia is needed"],
  [[], "exactly one of --input, --events and --wikimedia is needed"],
  [["--events", "-5"], "--events must be a whole number from 1; it is -5"],
  [["--events=-5"], "--events must be a whole number from 1; it is -5"],
  [["--events", "0"], "--events must be a whole number from 1; it is 0"],
  [["--events", "1e3"], "--events must be a whole number from 1; it is 1e3"],
  [["--events", "0x10"], "--events must be a whole number from 1; it is 0x10"],
  [["--events", " 7"], '--events must be a whole number from 1; it is " 7"'],
  [
    ["--events", "9999999999999999"],
    "--events must be a whole number from 1 to 999999999999999; it is 9999999999999999",
  ],
  [["--events", "5", "--rate", "0.5"], "--rate must be a whole number from 1; it is 0.5"],
  [["--events", "5", "--rate", "0"], "--rate must be a whole number from 1; it is 0"],
  [["--events", "5", "--from", "3", "--to", "1"], "--from must be less than --to; they are 3 and 1"],
  [["--events", "5", "--from", "5"], "--from must be less than --events; they are 5 and 5"],
  [["--input", "x", "--seed", "5"], "--seed goes with --events only"],
  [["--input", "x", "--url", "http://x"], "--url goes with --wikimedia only"],
  [["--wikimedia=yes"], "--wikimedia takes no value"],
  [["--events", "5", "now"], '"now" is no option'],
])("play %j says what is wrong and how it is written", (args, problem) => {
  expect(() => parse(...args)).toThrow(UsageError);
  expect(() => parse(...args)).toThrow(/^[^\n]+\nusage: npm run play -- [^\n]+$/);
  expect(() => parse(...args)).toThrow(problem);
});
