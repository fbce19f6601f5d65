import type { Measure } from "./measure.ts";

/**
 * The sum of a number of each event. Sums of floating-point numbers depend on their order, so that batch and speed
 * could disagree in the last digits; hence the sum is kept in whole units of `10^-scale`.
 *
 * @param value the number; an event for which it is no safe integer after scaling has a problem and is set aside
 * @param options.scale decimal places kept, e.g. 2 for money. Default: 0
 */
export function sum<Event>(
  value: (event: Event) => number,
  options: { readonly scale?: number } = {},
): Measure<Event, number, number> {
  const factor = 10 ** (options.scale ?? 0);
  const units = (event: Event) => (factor === 1 ? value(event) : Math.round(value(event) * factor));
  return {
    kind: "sum",
    columns: [{ suffix: "", type: "long", merge: "sum" }],
    zero: () => 0,
    add: (state, event) => state + units(event),
    merge: (a, b) => a + b,
    extract: (state) => state / factor,
    encode: (state) => [state],
    decode: ([units]) => Number(units),
    problem: (event) =>
      Number.isSafeInteger(units(event))
        ? undefined
        : `${value(event)} is no safe integer at scale ${options.scale ?? 0}`,
  };
}
