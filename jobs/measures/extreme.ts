import { quoted } from "../bounded-text.ts";
import type { Measure } from "./measure.ts";

/** What {@link min} and {@link max} share: the state is the number, null if there is none yet. */
export function extreme<Event>(
  kind: "min" | "max",
  choose: (a: number, b: number) => number,
  value: (event: Event) => number,
): Measure<Event, number | null> {
  return {
    kind,
    columns: [{ suffix: "", type: "double", merge: kind }],
    zero: () => null,
    // Adding 0 makes 0 of -0, which JSON does not know.
    add: (state, event) => (state === null ? value(event) + 0 : choose(state, value(event) + 0)),
    merge: (a, b) => (a === null ? b : b === null ? a : choose(a, b)),
    extract: (state) => state,
    encode: (state) => [state],
    decode: ([number]) => (number === null || number === undefined ? null : Number(number)),
    problem: (event) => (Number.isFinite(value(event)) ? undefined : `${quoted(value(event))} is no finite number`),
  };
}
