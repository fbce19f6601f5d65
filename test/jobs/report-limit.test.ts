import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ReportLimit } from "../../jobs/report-limit.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("the first of a kind is reported at once, then one in each interval with how many there were", () => {
  const limit = new ReportLimit(10_000);
  expect(limit.note("Kafka")).toBe(1);
  expect(limit.note("Kafka")).toBeUndefined();
  expect(limit.note("Druid")).toBe(1);
  vi.advanceTimersByTime(9_999);
  expect(limit.note("Kafka")).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(limit.note("Kafka")).toBe(3);
  expect(limit.note("Druid")).toBe(1);
});
