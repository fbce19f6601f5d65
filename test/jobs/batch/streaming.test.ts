import { expect, test } from "vitest";
import { contentCounters } from "../../../jobs/batch/content-counters.ts";
import { counterReport } from "../../../jobs/batch/streaming.ts";

test("what a task counts has names that Hadoop takes whole", () => {
  const counters = contentCounters({ events: 8_400, bytes: 577_610, digest: 0x10e99c471dc6 });
  expect(Object.values(counters)).toContain(8_400);
  for (const [name, value] of Object.entries(counters))
    expect(counterReport(name, value).split(",")).toEqual([
      "reporter:counter:lambda-architecture",
      name,
      String(value),
    ]);
  expect(() => counterReport("digest, high", 1)).toThrow(new TypeError("a counter's name has no comma: digest, high"));
});
