import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { count, distinct, max, sum } from "../../../jobs/measures/index.ts";
import { Aggregate, keyText, type Row } from "../../../jobs/views/aggregate.ts";
import { view } from "../../../jobs/views/view.ts";

interface Event {
  readonly time: number;
  readonly a: string;
  readonly b: string;
  readonly amount: number;
}

const totals = view<Event>({
  name: "totals",
  time: (event) => event.time,
  granularity: "minute",
  key: { a: (event) => event.a, b: (event) => event.b },
  measures: {
    events: count(),
    amount: sum((event) => event.amount),
    most: max((event) => event.amount),
    texts: distinct((event) => event.a),
  },
});

// Texts that a careless join of the key's fields would mix up.
const text = fc.constantFrom("", "a", "1", "1:", ":1", "1:a", "a1:", '","', "\u0000", "é");
const event: fc.Arbitrary<Event> = fc.record({
  time: fc.integer({ min: -200_000, max: 200_000 }),
  a: text,
  b: text,
  amount: fc.oneof(fc.integer({ min: -100, max: 100 }), fc.constant(Number.NaN)),
});

/** The answers by key and time step. */
function answers(rows: Iterable<Row>): Record<string, unknown> {
  return Object.fromEntries([...rows].map((row) => [`${row.bucket} ${keyText(row.key)}`, totals.extract(row.states)]));
}

/** The same by a plain computation. */
function plain(events: readonly Event[]): Record<string, unknown> {
  const groups = Map.groupBy(
    events.filter(({ amount }) => !Number.isNaN(amount)),
    ({ time, a, b }) => `${Math.floor(time / 60_000) * 60_000} ${JSON.stringify([a, b])}`,
  );
  return Object.fromEntries(
    [...groups].map(([group, of]) => {
      const amounts = of.map(({ amount }) => amount);
      const amount = amounts.reduce((x, y) => x + y, 0);
      return [group, { events: of.length, amount, most: Math.max(...amounts), texts: 1 }];
    }),
  );
}

describe("an aggregate", () => {
  it("equals a plain computation, and counts what it cannot take", () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const aggregate = new Aggregate(totals);
        for (const one of events)
          expect(aggregate.add(one)).toBe(
            Number.isNaN(one.amount) ? "measure amount: NaN is no whole number within ±1099511627776" : undefined,
          );
        expect(answers(aggregate.rows())).toEqual(plain(events));
        expect(aggregate.size).toBe(Object.keys(plain(events)).length);
        expect(aggregate.skipped).toBe(events.filter(({ amount }) => Number.isNaN(amount)).length);
      }),
    );
  });

  it("equals the merged rows of any split of its events", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.boolean())), (dealt) => {
        const merged = new Aggregate(totals);
        for (const side of [true, false]) {
          const part = new Aggregate(totals);
          for (const [one, of] of dealt) if (of === side) part.add(one);
          for (const row of part.rows())
            merged.merge({ ...row, states: totals.decode(JSON.parse(JSON.stringify(totals.encode(row.states)))) });
        }
        expect(answers(merged.rows())).toEqual(plain(dealt.map(([one]) => one)));
      }),
    );
  });

  it("gives each changed row once, and only those", () => {
    const aggregate = new Aggregate(totals);
    const at = (time: number, a: string) => ({ time, a, b: "", amount: 1 });
    aggregate.add(at(0, "x"));
    aggregate.add(at(60_000, "x"));
    aggregate.add(at(1, "x"));
    expect(answers(aggregate.takeChanged())).toEqual(answers(aggregate.rows()));
    expect(aggregate.takeChanged()).toEqual([]);
    aggregate.add(at(2, "x"));
    aggregate.merge({ key: ["y", ""], bucket: 0, states: totals.zero() });
    expect(aggregate.takeChanged().map(({ key, bucket }) => [key, bucket])).toEqual([
      [["x", ""], 0],
      [["y", ""], 0],
    ]);
    expect([...aggregate.rows()].map(({ key, bucket }) => [key, bucket])).toEqual([
      [["x", ""], 0],
      [["x", ""], 60_000],
      [["y", ""], 0],
    ]);
  });
});
