import type { Measure } from "./measure.ts";
import { addTotals, decodeTotal, encodeTotal, quotientOf, type Total } from "./total.ts";
import { units } from "./units.ts";

/** A mean in the making. */
export interface MeanState {
  /** The sum, in whole units of `10^-scale`. */
  readonly total: Total;
  readonly count: number;
}

/**
 * The arithmetic mean of a number of each event; null if there is none. Kept as sum and count, the sum as by
 * {@link sum}; the answer is the number that is nearest to their quotient.
 *
 * @param value the number; an event for which it is no whole number of units within ±2^40 (10^12) has a problem and is
 *   set aside; with a scale it is rounded to one first, halves away from zero
 * @param options.scale decimal places kept, 0 to 9, e.g. 2 for money. Default: 0
 * @throws {TypeError} if the scale is out of its range
 */
export function mean<Event>(
  value: (event: Event) => number,
  options: { readonly scale?: number } = {},
): Measure<Event, MeanState> {
  const { factor, of, problem } = units("mean", value, options.scale);
  return {
    kind: "mean",
    columns: [
      { suffix: "total", type: "long", merge: "sum", wide: true },
      { suffix: "count", type: "long", merge: "sum" },
    ],
    zero: () => ({ total: 0, count: 0 }),
    add: (state, event) => ({ total: addTotals(state.total, of(event)), count: state.count + 1 }),
    merge: (a, b) => ({ total: addTotals(a.total, b.total), count: a.count + b.count }),
    extract: ({ total, count }) => (count === 0 ? null : quotientOf(total, factor, count)),
    encode: ({ total, count }) => [encodeTotal(total), count],
    decode: ([total, count]) => ({ total: decodeTotal(total), count: Number(count) }),
    problem,
  };
}
