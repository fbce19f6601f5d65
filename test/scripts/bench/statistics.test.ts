import { expect, test } from "vitest";
import {
  growthExponent,
  lineThrough,
  quantile,
  summaryOf,
  weightedQuantile,
} from "../../../scripts/bench/statistics.ts";

test("a summary is the median and the two ends", () => {
  expect(summaryOf([5, 1, 3, 40, 4])).toEqual({ median: 4, min: 1, max: 40 });
  expect(() => summaryOf([])).toThrow();
});

test("a quantile of few values lies among them", () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(
    quantile(
      Array.from({ length: 1_000 }, (_, index) => 1_000 - index),
      0.99,
    ),
  ).toBeCloseTo(990, -1);
  expect(quantile([], 0.5)).toBeNaN();
});

test("a weighted quantile is that of the values written out", () => {
  const values = [
    { value: 9, count: 1 },
    { value: 1, count: 98 },
    { value: 2, count: 1 },
  ];
  expect(weightedQuantile(values, 0.5)).toBe(1);
  expect(weightedQuantile(values, 0.99)).toBe(2);
  expect(weightedQuantile(values, 1)).toBe(9);
  expect(weightedQuantile([], 0.5)).toBeNaN();
});

test("the line tells the fixed cost from that of each", () => {
  const { fixed, each } = lineThrough([
    [0.1, 21],
    [1, 30],
    [4, 60],
  ]);
  expect(fixed).toBeCloseTo(20);
  expect(each).toBeCloseTo(10);
});

test("the exponent of growth: 1 for proportional, 0 for constant, 2 for quadratic", () => {
  const sizes = [0.1, 1, 4];
  const exponent = (law: (size: number) => number) => growthExponent(sizes.map((size) => [size, law(size)]));
  expect(exponent((size) => 7 * size)).toBeCloseTo(1);
  expect(exponent(() => 7)).toBeCloseTo(0);
  expect(exponent((size) => 3 * size ** 2)).toBeCloseTo(2);
  expect(growthExponent([[1, 1]])).toBeNaN();
});
