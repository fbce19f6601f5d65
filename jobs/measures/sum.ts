import type { Measure } from "./measure.ts";
import { units } from "./units.ts";

/**
 * The sum of a number of each event. Sums of floating-point numbers depend on their order, so that batch and speed
 * could disagree in the last digits; hence the sum is kept in whole units of `10^-scale`, and is exact while it stays
 * within ±2^53 (9 · 10^15) units.
 *
 * @param value the number; an event for which it is no whole number of units within ±2^40 (10^12) has a problem and is
 *   set aside; with a scale it is rounded to one first
 * @param options.scale decimal places kept, 0 to 9, e.g. 2 for money. Default: 0
 * @throws {TypeError} if the scale is out of its range
 */
export function sum<Event>(
  value: (event: Event) => number,
  options: { readonly scale?: number } = {},
): Measure<Event, number, number> {
  const { factor, of, problem } = units("sum", value, options.scale);
  return {
    kind: "sum",
    columns: [{ suffix: "", type: "long", merge: "sum" }],
    zero: () => 0,
    add: (state, event) => state + of(event),
    merge: (a, b) => a + b,
    extract: (state) => state / factor,
    encode: (state) => [state],
    decode: ([total]) => Number(total),
    problem,
  };
}
