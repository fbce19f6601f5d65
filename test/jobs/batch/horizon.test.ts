import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { archivedHorizon, isBeyond, parseArchivedFile, smallestHorizon } from "../../../jobs/batch/horizon.ts";

const size = 100;
const name = (chunk: number, chunks = 1) =>
  `${String(chunk * size).padStart(19, "0")}-${String((chunk + chunks) * size).padStart(19, "0")}.jsonl`;

describe("archivedHorizon", () => {
  test("ends where files without a gap end, by partition", () => {
    expect(archivedHorizon({ 0: [name(1), name(0)], 1: [name(0), name(1), name(3)] }, 3, size)).toEqual({
      horizon: { 0: 200, 1: 200, 2: 0 },
      files: {
        0: [parseArchivedFile(name(0)), parseArchivedFile(name(1))],
        1: [parseArchivedFile(name(0)), parseArchivedFile(name(1))],
        2: [],
      },
      gaps: [{ partition: 1, from: 200, to: 300 }],
    });
  });

  test("begins with the first file: what the log had deleted before is not waited for", () => {
    expect(archivedHorizon({ 0: [name(7), name(8, 2)] }, 1, size).horizon).toEqual({ 0: 1000 });
  });

  test("does not look at files of other names", () => {
    expect(archivedHorizon({ 0: ["_writing", `${name(0)}._COPYING_`, name(0)] }, 1, size).horizon).toEqual({ 0: 100 });
  });

  test("a file of another chunk size is an error with its name", () => {
    expect(() => archivedHorizon({ 1: [name(1)] }, 2, 70)).toThrow(
      `partition 1: archived file ${name(1)} is not of whole chunks of 70 offsets`,
    );
  });

  test("for any files in any order: the horizon is the first chunk that is missing, and the files lead up to it", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(12), { maxLength: 13 }).chain((chunks) => fc.shuffledSubarray(chunks)),
        (chunks) => {
          const { horizon, files, gaps } = archivedHorizon({ 0: chunks.map((chunk) => name(chunk)) }, 1, size);
          const first = Math.min(...chunks);
          let end = first;
          while (chunks.includes(end)) end++;
          expect(horizon).toEqual({ 0: chunks.length === 0 ? 0 : end * size });
          expect(files[0]?.map((file) => file.start)).toEqual(
            Array.from({ length: chunks.length === 0 ? 0 : end - first }, (_, index) => (first + index) * size),
          );
          expect(gaps.length).toBe(chunks.some((chunk) => chunk > end) ? 1 : 0);
        },
      ),
    );
  });
});

test("a horizon is beyond another if any partition is", () => {
  expect(isBeyond({ 0: 100, 1: 0 }, { 0: 100, 1: 0 })).toBe(false);
  expect(isBeyond({ 0: 100, 1: 100 }, { 0: 200, 1: 0 })).toBe(true);
  expect(isBeyond({ 0: 100, 1: 100 }, { 0: 100 })).toBe(true);
  expect(isBeyond({ 0: 0 }, {})).toBe(false);
});

test("the smallest horizon is taken by partition", () => {
  expect(
    smallestHorizon([
      { 0: 300, 1: 100 },
      { 0: 200, 1: 200 },
    ]),
  ).toEqual({ 0: 200, 1: 100 });
  expect(smallestHorizon([{ 0: 300, 1: 100 }, { 0: 200 }])).toEqual({ 0: 200, 1: 0 });
});
