import { expect, test } from "vitest";
import { parseBenchOptions, parts } from "../../../scripts/bench/options.ts";
import { UsageError } from "../../../scripts/command-line.ts";

test("without options everything is measured five times with a million events", () => {
  expect(parseBenchOptions([])).toEqual({
    parts: [...parts],
    runs: 5,
    events: 1_000_000,
    mostEvents: 4_000_000,
    stack: "bench",
    keep: false,
  });
});

test("parts run in their own order", () => {
  const options = parseBenchOptions(["latency", "speed", "--runs", "2", "--events", "20000"]);
  expect(options).toMatchObject({ parts: ["speed", "latency"], runs: 2, events: 20_000 });
});

test("all mistakes are named at once", () => {
  const parse = () => parseBenchOptions(["sped", "--runs", "0", "--most-events", "30000"]);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(/"sped" is no part[\s\S]*--runs must be[\s\S]*--most-events must be more[\s\S]*usage/);
  expect(() => parseBenchOptions(["--rusn", "1"])).toThrow(UsageError);
});
