import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Part } from "../../../scripts/bench/options.ts";
import { between, headlinesOf, markdownTable, numberText, Results } from "../../../scripts/bench/results.ts";

const folder = mkdtempSync(join(tmpdir(), "results-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "results.json");
const held = () => JSON.parse(readFileSync(file, "utf8"));

const subject = (part: Part, what: string) => ({ part, of: "few keys", what, unit: "ms" });

test("every value is in the file at once; other parts' values stay, those of the same part go", () => {
  const first = new Results(file, ["speed", "batch"], () => {});
  first.add(subject("batch", "run"), 3);
  first.add(subject("speed", "fetch"), 1.23456);
  first.add(subject("speed", "fetch"), 2);
  expect(held().measurements).toMatchObject([
    { part: "speed", what: "fetch", values: [1.235, 2] },
    { part: "batch", what: "run", values: [3] },
  ]);
  const second = new Results(file, ["speed"], () => {});
  second.add(subject("speed", "fetch"), 9);
  expect(held().measurements.map(({ part, values }: { part: Part; values: number[] }) => [part, values])).toEqual([
    ["speed", [9]],
    ["batch", [3]],
  ]);
});

test("a table has a row a quantity: its median and its ends", () => {
  const measurement = {
    ...subject("latency", "produced to visible, p99"),
    date: "2026-01-01",
    values: [40, 1_234.5, 50],
  };
  const table = markdownTable([measurement]);
  expect(table.split("\n")[2]).toBe("| latency | few keys | produced to visible, p99 | 50 ms | 40 – 1,235 | 3 |");
  expect(headlinesOf([measurement, { ...measurement, what: "CPU, kafka" }])).toEqual([measurement]);
});

test("numbers are as precise as they are", () => {
  expect([1_234_567.8, 999.9, 2.34567, 0.0123456, Number.NaN].map(numberText)).toEqual([
    "1,234,568",
    "1,000",
    "2.35",
    "0.0123",
    "–",
  ]);
});

test("a document keeps what is around the markers", () => {
  expect(between("a\n<!-- x -->\nold\n<!-- /x -->\nb", "x", "new")).toBe("a\n<!-- x -->\nnew\n<!-- /x -->\nb");
  expect(() => between("nothing", "x", "new")).toThrow("<!-- x -->");
});
