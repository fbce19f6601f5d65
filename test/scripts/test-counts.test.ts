import { describe, expect, test } from "vitest";
import { countsOfReport, sum, summary } from "../../scripts/test-counts.ts";

const report = { numPassedTests: 10, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1 };

describe("countsOfReport", () => {
  test("counts what passed, failed and was skipped", () => {
    expect(countsOfReport(report, 0)).toEqual({ passed: 10, failed: 0, skipped: 2 });
    expect(countsOfReport({ ...report, numFailedTests: 3 }, 1)).toEqual({ passed: 10, failed: 3, skipped: 2 });
  });

  test("a run that fails without a failed test counts as a failure", () => {
    expect(countsOfReport(report, 1).failed).toBe(1);
  });
});

test("the summary names what was skipped only if something was", () => {
  const total = sum([
    { passed: 1, failed: 0, skipped: 0 },
    { passed: 119, failed: 2, skipped: 0 },
  ]);
  expect(summary(total)).toBe("120 passed, 2 failed");
  expect(summary({ ...total, skipped: 3 })).toBe("120 passed, 2 failed, 3 skipped");
});
