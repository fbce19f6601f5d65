import { linearRegression, max, median, min, quantileSorted } from "simple-statistics";

/** What several runs of the same measurement came to. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws {Error} if there is no value */
export function summaryOf(values: readonly number[]): Summary {
  const list = [...values];
  return { median: median(list), min: min(list), max: max(list) };
}

/** A number that occurred so many times. */
export interface Weighted {
  readonly value: number;
  readonly count: number;
}

/** The smallest value that so large a part (0 to 1) of all is not above; NaN if there is none. */
export function weightedQuantile(values: readonly Weighted[], part: number): number {
  const sorted = values.toSorted((a, b) => a.value - b.value);
  const all = sorted.reduce((sum, { count }) => sum + count, 0);
  let seen = 0;
  for (const { value, count } of sorted) {
    seen += count;
    if (seen >= part * all) return value;
  }
  return Number.NaN;
}

/** The value that so large a part (0 to 1) of all is not above; NaN if there is none. */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) return Number.NaN;
  return quantileSorted(
    values.toSorted((a, b) => a - b),
    part,
  );
}

/** A size and what it took. */
export type Point = readonly [size: number, value: number];

/** The straight line through the points by least squares: what is taken at any size, and what each further one takes. */
export function lineThrough(points: readonly Point[]): { readonly fixed: number; readonly each: number } {
  const { b, m } = linearRegression(points.map(([size, value]) => [size, value]));
  return { fixed: b, each: m };
}

/** The k of the law `value ~ size^k` that fits best: the slope in double logarithmic scale. NaN below two points. */
export function growthExponent(points: readonly Point[]): number {
  if (points.length < 2) return Number.NaN;
  return linearRegression(points.map(([size, value]) => [Math.log(size), Math.log(value)])).m;
}
