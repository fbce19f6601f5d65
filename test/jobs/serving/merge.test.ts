import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { count, distinct, max, mean } from "../../../jobs/measures/index.ts";
import {
  type AnswerGranularity,
  answerGranularities,
  answerOf,
  compactSteps,
  mergeToSteps,
  RankedTotals,
  Ranking,
  type StateRow,
  withTotal,
} from "../../../jobs/serving/merge.ts";
import { keyText } from "../../../jobs/views/aggregate.ts";
import { view } from "../../../jobs/views/view.ts";

const visits = view<{ time: number; page: string; bytes: number }>({
  name: "visits",
  time: (visit) => visit.time,
  granularity: "minute",
  key: { page: (visit) => visit.page },
  measures: { visits: count(), largest: max((visit) => visit.bytes), average: mean((visit) => visit.bytes) },
});
const row = (time: number, bytes: number) => {
  const states = visits.zero();
  visits.add(states, { time, page: "x", bytes });
  return { bucket: visits.bucket({ time, page: "x", bytes }), states };
};
const day = 86_400_000;
const answer = (rows: readonly StateRow[], granularity: AnswerGranularity) =>
  answerOf(visits, withTotal(visits, mergeToSteps(visits, rows, granularity)));
const rows = [row(day, 5), row(30_000, 2), row(day + 1, 1)];

describe("the answer of rows", () => {
  it("merges rows of a time step, whatever their order, and sorts the steps", () => {
    expect(answer(rows, "minute")).toEqual({
      rows: [
        { time: "1970-01-01T00:00:00.000Z", visits: 1, largest: 2, average: 2 },
        { time: "1970-01-02T00:00:00.000Z", visits: 2, largest: 5, average: 3 },
      ],
      total: { visits: 3, largest: 5, average: 8 / 3 },
    });
  });

  it("gives the whole range one row, of its first time step", () => {
    expect(answer([row(3 * day + 61_000, 1), ...rows.slice(0, 1)], "all").rows).toEqual([
      { time: "1970-01-02T00:00:00.000Z", visits: 2, largest: 5, average: 3 },
    ]);
  });

  it("has no rows without events, and totals of none", () => {
    expect(answer([], "day")).toEqual({
      rows: [],
      total: { visits: 0, largest: null, average: null },
    });
  });
});

describe("the answer of steps that are kept and of others", () => {
  const users = view<{ time: number; user: string }>({
    name: "users",
    time: (visit) => visit.time,
    granularity: "minute",
    key: { site: () => "s" },
    measures: { visits: count(), users: distinct((visit) => visit.user), last: max((visit) => visit.time) },
  });
  const rowsOf = (visits: readonly (readonly [number, string])[]) =>
    visits.map(([minute, user]) => {
      const states = users.zero();
      users.add(states, { time: minute * 60_000, user });
      return { bucket: minute * 60_000, states };
    });
  const visit = fc.tuple(fc.integer({ min: -90, max: 90 }), fc.constantFrom("a", "b", "c", "d"));

  it("is that of all rows at once, and leaves the steps as they are", () => {
    fc.assert(
      fc.property(
        fc.array(visit),
        fc.array(fc.array(visit), { minLength: 1, maxLength: 3 }),
        fc.constantFrom("minute", "hour", "all"),
        (before, since, granularity) => {
          const steps = (visits: readonly (readonly [number, string])[]) =>
            withTotal(users, mergeToSteps(users, rowsOf(visits), granularity));
          const { steps: compact, bytes } = compactSteps(users, steps(before).steps);
          expect(bytes).toBeGreaterThanOrEqual(400 * compact.length);
          const kept = withTotal(users, compact);
          for (const visits of since)
            expect(answerOf(users, kept, steps(visits))).toEqual(answerOf(users, steps([...before, ...visits])));
          expect(answerOf(users, kept)).toEqual(answerOf(users, steps(before)));
        },
      ),
    );
  });
});

describe("answerGranularities", () => {
  it("are none finer than the view's", () => {
    expect(answerGranularities({ granularity: "hour" })).toEqual(["hour", "day", "all"]);
  });
});

describe("Ranking", () => {
  it("sorts by value, then by the key's text, and leaves out keys without a value", () => {
    const measure = visits.measures.largest as never;
    const ranking = new Ranking(measure);
    for (const [key, bytes] of [
      ["b", 3],
      ["a", 3],
      ["c", 9],
      ["b", 1],
    ] as const)
      ranking.add(keyText([key]), row(0, bytes).states[1]);
    ranking.add(keyText(["none"]), visits.zero()[1]);
    expect(ranking.top(10)).toEqual([
      { key: ["c"], value: 9 },
      { key: ["a"], value: 3 },
      { key: ["b"], value: 3 },
    ]);
    expect(ranking.top(1)).toEqual([{ key: ["c"], value: 9 }]);
  });

  it("over totals that were ranked before equals one over everything", () => {
    const [measure, users] = [visits.measures.visits as never, distinct((text: string) => text)];
    const counts = fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d", "e", "f"), fc.integer({ min: -3, max: 3 })));
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 1, max: 7 }), (before, since, limit) => {
        const all = new Ranking(measure);
        const ranking = new Ranking(measure);
        for (const [key, value] of [...before, ...since]) all.add(keyText([key]), value);
        for (const [key, value] of since) ranking.add(keyText([key]), value);
        ranking.over(
          new RankedTotals(
            measure,
            before.map(([key, state]) => ({ key: [key], state })),
          ),
        );
        expect(ranking.top(limit)).toEqual(all.top(limit));
      }),
    );
    // States that are changed in place: the totals must stay as they are.
    const state = (...texts: string[]) => texts.reduce((sketch, text) => users.add(sketch, text), users.zero());
    const totals = new RankedTotals(users, [{ key: ["a"], state: state("x", "y") }]);
    for (let time = 0; time < 2; time++) {
      const ranking = new Ranking(users);
      ranking.add(keyText(["a"]), state(`z${time}`));
      ranking.over(totals);
      expect(ranking.top(1)).toEqual([{ key: ["a"], value: 3 }]);
    }
  });
});
