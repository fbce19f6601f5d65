import type { Measure } from "./measure.ts";
export function distinct<Event>(
  _value: (event: Event) => string,
  _options: { readonly precision?: number } = {},
): Measure<Event, Set<string>, number> {
  // The signature first: exact until the sketch is in.
  return {
    kind: "distinct",
    columns: [{ suffix: "", type: "string" }],
    zero: () => new Set(),
    add: (state, event) => state.add(_value(event)),
    merge: (a, b) => {
      for (const value of b) a.add(value);
      return a;
    },
    extract: (state) => state.size,
    encode: (state) => [JSON.stringify([...state].sort())],
    decode: ([text]) => new Set(JSON.parse(String(text ?? "[]"))),
  };
}
