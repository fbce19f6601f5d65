import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AnyMeasure } from "../../../jobs/measures/index.ts";
import { count, distinct, max, mean, min, sum } from "../../../jobs/measures/index.ts";
import { compareAnswers } from "../../../jobs/measures/measure.ts";

interface Event {
  readonly amount: number;
  readonly text: string;
}

/** What a measure's answer must be, by a plain computation over the list of events: exact, by way of no state. */
const measures: Record<string, { measure: AnyMeasure<Event>; plain: (events: readonly Event[]) => unknown }> = {
  count: { measure: count(), plain: (events) => events.length },
  sum: { measure: sum((event) => event.amount), plain: (events) => decimal(total(events), 0) },
  "sum, scale 2": {
    measure: sum((event) => event.amount / 100, { scale: 2 }),
    plain: (events) => decimal(total(events), 2),
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
    plain: (events) => (events.length === 0 ? null : nearest(total(events), BigInt(events.length))),
  },
  "mean, scale 2": {
    measure: mean((event) => event.amount / 100, { scale: 2 }),
    plain: (events) => (events.length === 0 ? null : nearest(total(events), BigInt(events.length) * 100n)),
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
    // A store's own sum of long integers is exact; what it gives is read with all digits.
    const byStore = { sum: (a: number, b: number) => Number(BigInt(a) + BigInt(b)), min: Math.min, max: Math.max };
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
      const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
      expect(problem(sum(() => value as number))).toBe(`${shown} is no whole number within ±1099511627776`);
      expect(problem(mean(() => value as number))).toBe(`${shown} is no whole number within ±1099511627776`);
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
    expect(problem(max(() => "7" as unknown as number))).toBe('"7" is no finite number');
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

/** The exact sum of the amounts. */
function total(events: readonly Event[]): bigint {
  return events.reduce((before, { amount }) => before + BigInt(amount), 0n);
}

/** A decimal number, written with BigInt alone: a number where a number prints as exactly that, else the text. */
function decimal(units: bigint, scale: number): number | string {
  const [size, sign] = units < 0n ? [-units, "-"] : [units, ""];
  const unit = 10n ** BigInt(scale);
  const text = scale === 0 ? `${sign}${size}` : `${sign}${size / unit}.${String(size % unit).padStart(scale, "0")}`;
  return size < (scale === 0 ? 2n ** 53n : 10n ** 15n) ? Number(text) : text;
}

/** The number nearest to a fraction: of the neighbours of a first guess, the one that is exactly the nearest. */
function nearest(numerator: bigint, denominator: bigint): number {
  const guess = Number(numerator) / Number(denominator);
  if (numerator === 0n) return 0;
  // Neither less nor more than to the next number.
  const step = Math.abs(guess) * 1.5 * 2 ** -53;
  const off = (number: number) => {
    // A number is a whole number of 2^-80 here, exactly.
    const difference = BigInt(number * 2 ** 80) * denominator - numerator * 2n ** 80n;
    return difference < 0n ? -difference : difference;
  };
  return [guess - step, guess + step].reduce((best, other) => (off(other) < off(best) ? other : best), guess);
}

describe("sums past 2^53", () => {
  const unit = sum((event: Event) => event.amount);
  const average = mean((event: Event) => event.amount);
  const most = 2 ** 40 - 1;

  it("are what case 04 wants, in one pass, in chunks merged and by way of the stores", () => {
    const event = { amount: most, text: "" };
    let pass = unit.zero();
    for (let index = 0; index < 8_201; index++) pass = unit.add(pass, event);
    expect(unit.extract(pass)).toBe("9017094859382775");
    let merged = unit.zero();
    for (let chunk = 0; chunk < 8_201; chunk += 100) {
      let state = unit.zero();
      for (let index = chunk; index < Math.min(chunk + 100, 8_201); index++) state = unit.add(state, event);
      merged = unit.merge(
        unit.decode(JSON.parse(JSON.stringify(unit.encode(merged)))),
        unit.decode(unit.encode(state)),
      );
    }
    expect(unit.encode(merged)).toEqual(unit.encode(pass));
    expect(unit.extract(unit.decode(["9017094859382775"]))).toBe("9017094859382775");
    let mean = average.zero();
    for (let index = 0; index < 8_201; index++) mean = average.add(mean, event);
    expect(average.extract(mean)).toBe(most);
  });

  it("keep every law, and every digit, in the whole range", () => {
    const amount = fc.oneof(fc.constantFrom(most, -most), fc.integer({ min: -most, max: most }));
    const start = fc.oneof(
      fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
      fc.constantFrom(2n ** 53n - 1n, 1n - 2n ** 53n, 0n),
    );
    fc.assert(
      fc.property(start, start, fc.array(amount, { maxLength: 30 }), (first, second, amounts) => {
        const from = (value: bigint) => unit.decode([String(value)]);
        const added = (state: ReturnType<typeof from>) =>
          amounts.reduce((sum, amount) => unit.add(sum, { amount, text: "" }), state);
        const exact = first + second + amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
        if (exact >= 2n ** 63n || exact <= -(2n ** 63n)) return;
        for (const state of [
          unit.merge(added(from(first)), from(second)),
          unit.merge(from(second), added(from(first))),
        ]) {
          expect(unit.extract(state)).toBe(decimal(exact, 0));
          expect(unit.encode(unit.decode(JSON.parse(JSON.stringify(unit.encode(state)))))).toEqual(unit.encode(state));
        }
      }),
    );
  });

  it("are an error past ±(2^63 - 1), and stay one, whatever comes later", () => {
    const edge = unit.decode(["9223372036854775807"]);
    expect(unit.extract(edge)).toBe("9223372036854775807");
    const past = unit.add(edge, { amount: 1, text: "" });
    for (const state of [
      past,
      unit.add(past, { amount: -2, text: "" }),
      unit.merge(unit.decode([-5]), past),
      unit.decode(unit.encode(past)),
    ]) {
      expect(unit.encode(state)).toEqual(["-9223372036854775808"]);
      expect(() => unit.extract(state)).toThrow("past ±9223372036854775807 units");
    }
    expect(() => average.extract({ total: past, count: 1 })).toThrow("past ±9223372036854775807 units");
  });

  it("are never read from a number that may have been rounded", () => {
    for (const value of [2 ** 53, 1.5, null, "1.5", "many"])
      expect(() => unit.decode([value])).toThrow("is no whole number that is read exactly");
  });

  it("are shown with all their decimal places, and ranked as what they are", () => {
    const cents = sum((event: Event) => event.amount, { scale: 2 });
    expect(cents.extract(cents.decode(["-9017094859382775"]))).toBe("-90170948593827.75");
    expect(cents.extract(cents.decode([999_999_999_999_999]))).toBe(9999999999999.99);
    const inOrder = [
      "-9017094859382776",
      "-9017094859382775",
      -5,
      0,
      9007199254740991,
      "9007199254740992",
      "9007199254740993",
      "9223372036854775807",
    ];
    expect(inOrder.toReversed().toSorted(compareAnswers)).toEqual(inOrder);
    expect(["90170948593827.76", "90170948593827.75", 7.5].toSorted(compareAnswers)).toEqual([
      7.5,
      "90170948593827.75",
      "90170948593827.76",
    ]);
  });
});

describe("halves", () => {
  it("are rounded away from zero on both sides: an amount and its refund make nothing", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 30), max: 2 ** 30 }),
        fc.constantFrom(8, 1_000, 3),
        fc.integer({ min: 0, max: 4 }),
        (whole, part, scale) => {
          const amounts = [whole / part, -whole / part];
          for (const of of [sum, mean]) {
            const measure = of((event: Event) => event.amount, { scale }) as AnyMeasure<Event>;
            const state = amounts.reduce((before, amount) => measure.add(before, { amount, text: "" }), measure.zero());
            expect(measure.extract(state)).toBe(0);
          }
        },
      ),
    );
    const cents = sum((event: Event) => event.amount, { scale: 2 });
    const of = (amount: number) => cents.extract(cents.add(cents.zero(), { amount, text: "" }));
    expect([0.125, -0.125, 0.375, -0.375, 2.125, -2.125].map(of)).toEqual([0.13, -0.13, 0.38, -0.38, 2.13, -2.13]);
    expect(Object.is(of(-0.001), 0)).toBe(true);
  });
});

describe("about how many different texts", () => {
  it("stays within five standard errors of how many there are", () => {
    for (const [size, precision] of [
      [1_000, 12],
      [20_000, 12],
      [200_000, 12],
      [5_000, 8],
      [20_000, 16],
    ] as const) {
      const measure = distinct((event: Event) => event.text, { precision });
      const texts = new Set(Array.from({ length: size }, (_, index) => `text ${(index * 7919) % size}`));
      let state = measure.zero();
      for (const text of texts) state = measure.add(state, { amount: 0, text });
      const error = Math.abs(measure.extract(state) - texts.size) / texts.size;
      expect(error).toBeLessThan((5 * 1.04) / Math.sqrt(2 ** precision));
    }
  });
});
