import type { Measure } from "./measure.ts";

/** The number of events. */
export function count(): Measure<unknown, number, number> {
  return {
    kind: "count",
    columns: [{ suffix: "", type: "long", merge: "sum" }],
    zero: () => 0,
    add: (state) => state + 1,
    merge: (a, b) => a + b,
    extract: (state) => state,
    encode: (state) => [state],
    decode: ([value]) => Number(value),
  };
}
