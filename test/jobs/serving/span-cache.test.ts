import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Step } from "../../../jobs/serving/merge.ts";
import { SpanCache, type TimeRange } from "../../../jobs/serving/span-cache.ts";

/** The steps of a range, one a unit of time. */
function stepsOf({ from, to }: TimeRange): Step[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => {
    const time = from + index;
    return new Step({ start: time, time, states: [] });
  });
}

/** A cache whose reads are written down. */
function watched(mostBytes = 1_000_000) {
  const cache = new SpanCache(mostBytes);
  const reads: [number, number][] = [];
  const get = async (from: number, to: number, { kind = "a", fails = false } = {}) => {
    const steps = await cache.get(kind, { from, to }, async (range) => {
      reads.push([range.from, range.to]);
      await Promise.resolve();
      if (fails) throw new Error("down");
      return { steps: stepsOf(range), bytes: 1_000 };
    });
    return steps.map(({ time }) => time);
  };
  return { reads, get };
}

describe("of a kind, only what is missing is read", () => {
  test.each([
    ["nothing of what lies within", [13, 15], []],
    ["the rest before", [5, 12], [[5, 10]]],
    ["the rest after", [12, 25], [[20, 25]]],
    [
      "the rest on both sides",
      [8, 21],
      [
        [8, 10],
        [20, 21],
      ],
    ],
    ["what touches it", [20, 22], [[20, 22]]],
  ] as const)("%s", async (_, [from, to], missing) => {
    const { reads, get } = watched();
    await get(10, 20);
    const expected = stepsOf({ from, to }).map(({ time }) => time);
    expect(await get(from, to)).toEqual(expected);
    expect(await get(from, to)).toEqual(expected);
    expect(reads).toEqual([[10, 20], ...missing]);
  });

  test("but across a gap the last range takes the place", async () => {
    const { reads, get } = watched();
    for (const from of [10, 50, 55, 10]) await get(from, from + 5);
    expect(reads).toEqual([
      [10, 15],
      [50, 55],
      [55, 60],
      [10, 15],
    ]);
  });
});

test("whatever is asked for in whatever order, also at once: every step of the range, in order, once", async () => {
  const range = fc.tuple(fc.nat(30), fc.nat(8)).map(([from, length]) => [from, from + length] as const);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(range, { maxLength: 4 })), async (rounds) => {
      const { get } = watched();
      for (const round of rounds)
        await Promise.all(
          round.map(async ([from, to]) =>
            expect(await get(from, to)).toEqual(stepsOf({ from, to }).map(({ time }) => time)),
          ),
        );
    }),
  );
});

test("who asks while the kind is read waits, and reads only what is then missing", async () => {
  const { reads, get } = watched();
  await Promise.all([get(0, 10), get(2, 8), get(5, 12)]);
  expect(reads).toEqual([
    [0, 10],
    [10, 12],
  ]);
});

test("a failure leaves what was there", async () => {
  const { reads, get } = watched();
  await get(0, 5);
  await expect(get(0, 9, { fails: true })).rejects.toThrow("down");
  await get(1, 4);
  expect(reads).toEqual([
    [0, 5],
    [5, 9],
  ]);
  await get(0, 9);
  expect(reads.at(-1)).toEqual([5, 9]);
});

test("what takes too much memory makes room, and what alone is too large is given but not kept", async () => {
  const { reads, get } = watched(3_100);
  for (const kind of ["a", "b", "a", "c", "a", "b"]) await get(0, 1, { kind });
  // There is room for two: c made b go.
  expect(reads).toHaveLength(4);
  for (const to of [2, 3, 4]) expect(await get(0, to, { kind: "a" })).toHaveLength(to);
  expect(await get(0, 1, { kind: "a" })).toEqual([0]);
});
