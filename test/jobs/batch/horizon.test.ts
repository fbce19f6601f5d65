import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { archivedHorizon, isBeyond, smallestHorizon } from "../../../jobs/batch/horizon.ts";

const size = 100;
const name = (chunk: number, chunks = 1) =>
  `${String(chunk * size).padStart(19, "0")}-${String((chunk + chunks) * size).padStart(19, "0")}.jsonl`;

const digits = (offset: number) => String(offset).padStart(19, "0");
const lost = (from: number, to: number) => `${digits(from)}-${digits(to)}.lost`;
const file = (chunk: number, manifests: object[] = []) => ({
  ...{ name: name(chunk), start: chunk * size, end: (chunk + 1) * size },
  manifests,
});

describe("archivedHorizon", () => {
  test("ends where files without a gap end, by partition", () => {
    expect(archivedHorizon({ 0: [name(1), name(0)], 1: [name(0), name(1), name(3)] }, 3, size)).toEqual({
      horizon: { 0: 200, 1: 200, 2: 0 },
      epochs: {},
      files: { 0: [file(0), file(1)], 1: [file(0), file(1)], 2: [] },
      lost: [],
      gaps: [{ partition: 1, from: 200, to: 300 }],
    });
  });

  test("a missing file at the beginning is a gap like any other", () => {
    expect(archivedHorizon({ 0: [name(7), name(8)] }, 1, size)).toEqual({
      ...{ horizon: { 0: 0 }, epochs: {}, files: { 0: [] }, lost: [] },
      gaps: [{ partition: 0, from: 0, to: 700 }],
    });
  });

  test("what is lost is passed once it is accepted, and is told; a chunk of which a part is lost needs its file", () => {
    const accepted = [lost(0, 320), lost(500, 600), lost(800, 850)];
    expect(archivedHorizon({ 0: [...accepted, name(4)] }, 1, size).horizon).toEqual({ 0: 300 });
    expect(archivedHorizon({ 0: [...accepted, name(3), name(4), name(6), name(7)] }, 1, size)).toEqual({
      horizon: { 0: 800 },
      epochs: {},
      files: { 0: [file(3), file(4), file(6), file(7)] },
      lost: [
        { partition: 0, from: 0, to: 320 },
        { partition: 0, from: 500, to: 600 },
      ],
      gaps: [],
    });
  });

  test("a later life of a log begins where it begins", () => {
    const first = `${digits(130)}-${digits(200)}.jsonl`;
    const { horizon, files } = archivedHorizon({ 0: [first, name(2)] }, 1, size, { 0: 130 });
    expect(horizon).toEqual({ 0: 300 });
    expect(files[0]?.map(({ start }) => start)).toEqual([130, 200]);
  });

  test("a file comes with what was noted of it", () => {
    const manifest = `${digits(0)}-${digits(100)}.98.1234.00000000abcd.3.manifest`;
    const content = { events: 98, bytes: 1234, digest: 0xabcd };
    const { files, epochs } = archivedHorizon({ 0: [name(0), manifest], 1: [name(0)] }, 2, size);
    expect(files[0]).toEqual([file(0, [{ range: { start: 0, end: 100 }, content, leaderEpoch: 3 }])]);
    expect(epochs).toEqual({ 0: 3 });
  });

  test("does not look at files of other names", () => {
    expect(archivedHorizon({ 0: ["_writing", `${name(0)}._COPYING_`, name(0)] }, 1, size).horizon).toEqual({ 0: 100 });
  });

  test("a file of another chunk size is an error with its name", () => {
    expect(() => archivedHorizon({ 1: [name(1)] }, 2, 70)).toThrow(
      `partition 1: archived file ${name(1)} is not of one whole chunk of 70 offsets`,
    );
  });

  test("for any files in any order: the horizon is the first chunk that is missing, and the files lead up to it", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(12), { maxLength: 13 }).chain((chunks) => fc.shuffledSubarray(chunks)),
        (chunks) => {
          const { horizon, files, gaps } = archivedHorizon({ 0: chunks.map((chunk) => name(chunk)) }, 1, size);
          let end = 0;
          while (chunks.includes(end)) end++;
          expect(horizon).toEqual({ 0: end * size });
          expect(files[0]?.map((file) => file.start)).toEqual(Array.from({ length: end }, (_, index) => index * size));
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
