import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnyMeasure } from "../../../jobs/measures/index.ts";
import { count, distinct, max, mean, min, sum } from "../../../jobs/measures/index.ts";

interface Event {
  readonly amount: number;
  readonly text: string;
}

/** Every measure, with the answer that a plain computation gives. */
const measures: Record<string, { measure: AnyMeasure<Event>; plain: (events: readonly Event[]) => number | null }> = {
  count: { measure: count(), plain: (events) => events.length },
  sum: { measure: sum((event) => event.amount), plain: (events) => total(events) },
  "sum, scale 2": {
    measure: sum((event) => event.amount / 100, { scale: 2 }),
    plain: (events) => total(events) / 100,
  },
  min: {
    measure: min((event) => event.amount),
    plain: (events) => (events.length === 0 ? null : Math.min(...events.map(({ amount }) => amount + 0))),
  },
  max: {
    measure: max((event) => event.amount),
    plain: (events) => (events.length === 0 ? null : Math.max(...events.map(({ amount }) => amount + 0))),
  },
  mean: {
    measure: mean((event) => event.amount),
    plain: (events) => (events.length === 0 ? null : total(events) / events.length),
  },
  // Precision 4 turns to registers after three texts, so that both forms and the turn are tried.
  "distinct, precision 4": { measure: distinct((event) => event.text, { precision: 4 }), plain: () => null },
  "distinct, precision 12": {
    measure: distinct((event) => event.text),
    plain: (events) => new Set(events.map(({ text }) => text)).size,
  },
};

const event = fc.record({
  amount: fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.constant(-0)),
  text: fc.oneof(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 30 }).map(String)),
});
const events = fc.array(event, { maxLength: 60 });

describe.each(Object.entries(measures))("%s", (name, { measure, plain }) => {
  const stateOf = (of: readonly Event[]) => of.reduce((state, one) => measure.add(state, one), measure.zero());
  /** A state of its own: merge may change its first argument. */
  const copy = (state: unknown) => measure.decode(measure.encode(state));
  const merged = (a: unknown, b: unknown) => measure.merge(copy(a), b);
  const same = (a: unknown, b: unknown) => expect(measure.encode(a)).toEqual(measure.encode(b));

  it("takes every event of these tests", () => {
    fc.assert(
      fc.property(event, (one) => {
        expect(measure.problem?.(one)).toBeUndefined();
      }),
    );
  });

  it("merges associatively and commutatively, with zero as identity", () => {
    fc.assert(
      fc.property(events, events, events, (first, second, third) => {
        const [a, b, c] = [stateOf(first), stateOf(second), stateOf(third)];
        same(merged(merged(a, b), c), merged(a, merged(b, c)));
        same(merged(a, b), merged(b, a));
        same(merged(measure.zero(), a), a);
        same(merged(a, measure.zero()), a);
      }),
    );
  });

  it("gives the same state for the events one by one, and for the merged states of any split and order of them", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.integer({ min: 0, max: 3 }), fc.nat()), { maxLength: 60 }), (dealt) => {
        const parts = [0, 1, 2, 3].map((part) =>
          stateOf(
            dealt
              .filter(([, of]) => of === part)
              .sort((a, b) => a[2] - b[2])
              .map(([one]) => one),
          ),
        );
        const whole = stateOf(dealt.map(([one]) => one));
        same(
          parts.reduce((a, b) => merged(a, b)),
          whole,
        );
        expect(measure.extract(parts.reduce((a, b) => merged(a, b)))).toBe(measure.extract(whole));
      }),
    );
  });

  it("does not change what it merges in", () => {
    fc.assert(
      fc.property(events, events, (first, second) => {
        const b = stateOf(second);
        const before = measure.encode(b);
        measure.add(measure.merge(stateOf(first), b), { amount: 1, text: "another" });
        expect(measure.encode(b)).toEqual(before);
      }),
    );
  });

  it("comes back from its columns, also by way of JSON", () => {
    fc.assert(
      fc.property(events, (some) => {
        const state = stateOf(some);
        const encoded = measure.encode(state);
        expect(encoded).toHaveLength(measure.columns.length);
        const decoded = measure.decode(JSON.parse(JSON.stringify(encoded)));
        same(decoded, state);
        expect(measure.extract(decoded)).toBe(measure.extract(state));
        // It can be added to as the original can.
        same(measure.add(decoded, { amount: 5, text: "x" }), measure.add(state, { amount: 5, text: "x" }));
      }),
    );
  });

  it("may be merged by the store where its columns say so", () => {
    const mergeable = measure.columns.filter((column) => column.merge !== undefined);
    if (mergeable.length < measure.columns.length) return;
    const byStore = { sum: (a: number, b: number) => a + b, min: Math.min, max: Math.max };
    fc.assert(
      fc.property(fc.array(event, { minLength: 1 }), fc.array(event, { minLength: 1 }), (first, second) => {
        const [a, b] = [stateOf(first), stateOf(second)];
        const [left, right] = [measure.encode(a) as number[], measure.encode(b) as number[]];
        const stored = measure.columns.map((column, index) =>
          byStore[column.merge as "sum" | "min" | "max"](left[index] as number, right[index] as number),
        );
        expect(stored).toEqual(measure.encode(merged(a, b)));
      }),
    );
  });

  it("answers as a plain computation does", () => {
    if (name === "distinct, precision 4") return;
    fc.assert(
      fc.property(events, (some) => {
        expect(measure.extract(stateOf(some))).toBe(plain(some));
      }),
    );
  });
});

describe("problems", () => {
  const problem = (measure: AnyMeasure<unknown>) => measure.problem?.(undefined);

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 40 + 1, -(2 ** 41), "1", null, undefined])(
    "sum and mean take no %s",
    (value) => {
      expect(problem(sum(() => value as number))).toBe(`${value} is no whole number within ±1099511627776`);
      expect(problem(mean(() => value as number))).toBe(`${value} is no whole number within ±1099511627776`);
    },
  );

  it("a scaled sum rounds to its units, and takes less", () => {
    expect(problem(sum(() => 0.125, { scale: 2 }))).toBeUndefined();
    const measure = sum(() => 0.125, { scale: 2 });
    expect(measure.extract(measure.add(measure.zero(), undefined))).toBe(0.13);
    expect(problem(sum(() => 2 ** 40, { scale: 2 }))).toBe("1099511627776 is no number within ±10995116277.76");
  });

  it("min and max take finite numbers only", () => {
    expect(problem(min(() => Number.NaN))).toBe("NaN is no finite number");
    expect(problem(max(() => "7" as unknown as number))).toBe("7 is no finite number");
    expect(problem(max(() => 1e300))).toBeUndefined();
  });

  it("distinct takes texts only", () => {
    expect(problem(distinct(() => null as unknown as string))).toBe("null is no text");
  });

  it("arguments out of their range are named", () => {
    expect(() => distinct(() => "", { precision: 3 })).toThrow(
      "distinct: precision must be a whole number from 4 to 16; it is 3",
    );
    expect(() => sum(() => 0, { scale: 10 })).toThrow("sum: scale must be a whole number from 0 to 9; it is 10");
    expect(() => mean(() => 0, { scale: -1 })).toThrow("mean: scale must be a whole number from 0 to 9; it is -1");
  });
});

function total(events: readonly Event[]): number {
  return events.reduce((before, { amount }) => before + amount, 0);
}
