import type { Measure } from "./measure.ts";
import { addTotals, decimalOf, decodeTotal, encodeTotal, type Total } from "./total.ts";
import { units } from "./units.ts";

/**
 * The sum of a number of each event. Sums of floating-point numbers depend on their order, so that batch and speed
 * could disagree in the last digits; so the sum is kept in whole units of `10^-scale`. It is exact up to
 * ±(2^63 - 1) units (9.2 · 10^18): the answer is a number where a number is exactly the sum, past that (2^53, or 10^15 units
 * with a scale) the text of all its digits. A sum past the range is an error, never another number.
 *
 * @param value the number; an event for which it is no whole number of units within ±2^40 (10^12) has a problem and is
 *   set aside; with a scale it is rounded to one first, halves away from zero
 * @param options.scale decimal places kept, 0 to 9, e.g. 2 for money. Default: 0
 * @throws {TypeError} if the scale is out of its range
 */
export function sum<Event>(
  value: (event: Event) => number,
  options: { readonly scale?: number } = {},
): Measure<Event, Total, number | string> {
  const { of, problem } = units("sum", value, options.scale);
  const scale = options.scale ?? 0;
  return {
    kind: "sum",
    columns: [{ suffix: "", type: "long", merge: "sum", wide: true }],
    zero: () => 0,
    add: (state, event) => addTotals(state, of(event)),
    merge: addTotals,
    extract: (state) => decimalOf(state, scale),
    encode: (state) => [encodeTotal(state)],
    decode: ([total]) => decodeTotal(total),
    problem,
  };
}
