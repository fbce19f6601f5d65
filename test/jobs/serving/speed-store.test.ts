import { expect, test } from "vitest";
import { nextPageRows } from "../../../jobs/serving/speed-store.ts";

test("pages have fewer rows where rows are large, so that no page takes much memory", () => {
  expect(nextPageRows(500, 500 * 200, 5_000)).toBe(5_000);
  const long = nextPageRows(500, 500 * 40_000, 5_000);
  expect(long * 40_000).toBeLessThanOrEqual(4 * 1024 * 1024);
  // A page of few rows is a page all the same.
  expect(nextPageRows(1, 2_000_000, 5_000)).toBe(50);
  expect(nextPageRows(0, 0, 5_000)).toBe(5_000);
});
