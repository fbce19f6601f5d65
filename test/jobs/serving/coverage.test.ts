import { describe, expect, it } from "vitest";
import {
  coverageOf,
  coveredEras,
  coveredOffsets,
  rowUse,
  speedStart,
  splitEras,
  withoutOpenChunks,
} from "../../../jobs/serving/coverage.ts";

const row = (partition: number, chunk: number, end: number) => ({ partition, chunk, end });

describe("coverageOf", () => {
  it("goes through full chunks to the end of the open one", () => {
    const coverage = coverageOf({ 0: 10, 1: 0 }, [row(0, 2, 25), row(0, 1, 20), row(1, 0, 3)], {}, 10);
    expect(coveredOffsets(coverage)).toEqual({ 0: 25, 1: 3 });
    expect(coverage.holes).toEqual([]);
  });

  it("stays at the start without progress, and ignores what lies before the start", () => {
    expect(coveredOffsets(coverageOf({ 0: 20 }, [row(0, 0, 10), row(0, 1, 15)], {}, 10))).toEqual({ 0: 20 });
  });

  it("ends before a missing chunk, and names it as lost only if the log no longer holds all of it", () => {
    const rows = [row(0, 0, 10), row(0, 2, 30), row(0, 3, 34), row(0, 5, 55)];
    const hole = (from: number, to: number) => ({ partition: 0, from, to, accepted: false });
    for (const [begin, holes] of [
      [0, []],
      [10, []],
      [11, [hole(10, 20)]],
      [30, [hole(10, 20)]],
      [31, [hole(10, 20), hole(34, 40)]],
      [50, [hole(10, 20), hole(34, 50)]],
    ] as const) {
      const coverage = coverageOf({ 0: 0 }, rows, { 0: begin }, 10);
      expect(coveredOffsets(coverage)).toEqual({ 0: 10 });
      expect(coverage.holes).toEqual(holes);
    }
  });

  it("names what the log lost before it was read: before the first row, behind the last one, and where there is none", () => {
    const hole = (partition: number, from: number, to: number) => ({ partition, from, to, accepted: false });
    const start = { 0: 0, 1: 0, 2: 20, 3: 20, 4: 0 };
    const begin = { 0: 27, 1: 25, 2: 45, 3: 20, 4: 12 };
    const coverage = coverageOf(start, [row(0, 3, 36), row(1, 0, 10), row(4, 0, 10), row(4, 1, 14)], begin, 10);
    expect(coverage.holes).toEqual([hole(0, 0, 30), hole(1, 10, 25), hole(2, 20, 45)]);
    expect(coveredOffsets(coverage)).toEqual({ 0: 0, 1: 10, 2: 20, 3: 20, 4: 14 });
  });

  it("ends inside a chunk that is not full although a later one exists", () => {
    const rows = [row(0, 0, 7), row(0, 1, 12)];
    for (const begin of [0, 1]) {
      const coverage = coverageOf({ 0: 0 }, rows, { 0: begin }, 10);
      expect(coveredOffsets(coverage)).toEqual({ 0: 7 });
      // Whoever did not begin it before can no longer read the chunk whole.
      expect(coverage.holes).toEqual(begin === 0 ? [] : [{ partition: 0, from: 7, to: 10, accepted: false }]);
    }
  });
});

describe("speedStart", () => {
  it("is the horizon, and 0 where no batch view covers anything, wherever the log begins", () => {
    expect(speedStart({ 0: 30 }, {}, 1)).toEqual({ 0: 30 });
    expect(speedStart({ 0: 30 }, {}, 3)).toEqual({ 0: 30, 1: 0, 2: 0 });
    expect(speedStart({ 0: 30 }, { 0: 7, 1: 7 }, 2)).toEqual({ 0: 30, 1: 7 });
  });

  it("names a partition that a batch run of a later configuration covers: its events are in the answer", () => {
    expect(speedStart({ 0: 30, 1: 20 }, {}, 1)).toEqual({ 0: 30, 1: 20 });
  });
});

describe("rowUse", () => {
  const coverage = coverageOf({ 0: 10 }, [row(0, 1, 20), row(0, 2, 25)], {}, 10);
  const use = (chunk: number, written: number, { partition = 0, previousEnd = 0 } = {}) =>
    rowUse(coverage, { partition, chunk, written, previous: { end: previousEnd, state: "" } });

  it("tells what a row is good for", () => {
    expect(use(0, 10)).toBe("outside");
    expect(use(1, 15)).toBe("closed");
    expect(use(2, 25)).toBe("open");
    expect(use(2, 22)).toBe("open");
    expect(use(2, 26)).toBe("underWay");
    expect(use(2, 26, { previousEnd: 24 })).toBe("underWay");
    expect(use(2, 26, { previousEnd: 25 })).toBe("previous");
    expect(use(3, 31)).toBe("outside");
    expect(use(1, 15, { partition: 7 })).toBe("outside");
  });

  it("ends at the open chunk's edge without it", () => {
    expect(coveredOffsets(withoutOpenChunks(coverage, [0]))).toEqual({ 0: 20 });
  });
});

describe("splitEras", () => {
  it("divides an era into the partitions that have closed it and the others", () => {
    const coverage = coverageOf(
      { 0: 20, 1: 0, 2: 60 },
      [row(0, 2, 30), row(0, 3, 40), row(0, 4, 50), row(1, 0, 10), row(1, 1, 20), row(1, 2, 24), row(2, 6, 70)],
      {},
      10,
    );
    const { closed, open } = splitEras(coverage, 2);
    expect(closed.map(({ era, coverage: { partitions } }) => [era, [...partitions]])).toEqual([
      [0, [[1, { start: 0, end: 20 }]]],
      [1, [[0, { start: 20, end: 40 }]]],
    ]);
    expect(open).toEqual([
      { era: 1, partitions: [1] },
      { era: 2, partitions: [0] },
      { era: 3, partitions: [2] },
    ]);
  });
});

describe("coveredEras", () => {
  it("holds every covered chunk's era with the partitions that have it, and no other", () => {
    const coverage = coverageOf(
      { 0: 20, 1: 0, 2: 90 },
      [row(0, 2, 30), row(0, 3, 40), row(0, 4, 41), row(1, 0, 10)],
      {},
      10,
    );
    expect(coveredEras(coverage, 2)).toEqual([
      { era: 0, partitions: [1] },
      { era: 1, partitions: [0] },
      { era: 2, partitions: [0] },
    ]);
  });
});
