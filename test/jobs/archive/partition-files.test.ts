import { expect, test } from "vitest";
import { fileName, lostName, manifestName, parsePart, partName } from "../../../jobs/archive/layout.ts";
import {
  chainFrom,
  missingRanges,
  partitionFiles,
  sourcesOf,
  wholeRun,
} from "../../../jobs/archive/partition-files.ts";
import { trimOffsets } from "../../../jobs/archive/trim.ts";

const part = (start: number, end: number) =>
  parsePart(partName({ start, end }, 3)) as NonNullable<ReturnType<typeof parsePart>>;

test("names tell what they are of, and no name is taken for another", () => {
  const range = { start: 100, end: 200 };
  const manifest = { range, content: { events: 7, bytes: 123, digest: 0xabc }, leaderEpoch: -1 };
  const names = [fileName(range), lostName(range), manifestName(manifest), partName(range, 0), "_writing"];
  expect(names[2]).toBe("0000000000000000100-0000000000000000200.7.123.000000000abc.-1.manifest");
  const files = partitionFiles(names);
  expect(files.chunks).toEqual([range]);
  expect(files.lost).toEqual([range]);
  expect([...files.manifests]).toEqual([[names[0], [manifest]]]);
  expect(files.others).toEqual([names[3], "_writing"]);
  expect(names.map(parsePart)).toEqual([undefined, undefined, undefined, expect.objectContaining(range), undefined]);
});

test("of two chains of parts the one that reaches furthest is taken", () => {
  const parts = [part(0, 5), part(0, 3), part(3, 9), part(5, 7), part(10, 12)];
  expect(chainFrom(parts, 0)).toEqual([part(0, 3), part(3, 9)]);
  expect(chainFrom(parts, 5)).toEqual([part(5, 7)]);
  expect(chainFrom(parts, 1)).toEqual([]);
});

test("a chunk's file is made of memory, the log, parts, and what is left after accepted losses; else not at all", () => {
  const chunk = { start: 0, end: 100 };
  const parts = [part(0, 30), part(40, 60)];
  const memory = { start: 70, end: 100 };
  expect(sourcesOf(chunk, { parts, lost: [], earliest: 0, memory })?.map(({ kind }) => kind)).toEqual([
    "log",
    "memory",
  ]);
  expect(sourcesOf(chunk, { parts, lost: [], earliest: 80, memory })).toBeUndefined();
  const lost = [
    { start: 30, end: 40 },
    { start: 60, end: 70 },
  ];
  expect(sourcesOf(chunk, { parts, lost, earliest: 80, memory })).toEqual([
    { kind: "part", part: parts[0], start: 0, end: 30 },
    { kind: "part", part: parts[1], start: 40, end: 60 },
    { kind: "memory", ...memory },
  ]);
});

test("missing is what neither files, parts, the log nor an acceptance cover", () => {
  const files = partitionFiles([fileName({ start: 0, end: 100 }), lostName({ start: 100, end: 130 })]);
  expect(missingRanges(files, [part(150, 160)], 0, 250)).toEqual([
    { start: 130, end: 150 },
    { start: 160, end: 250 },
  ]);
  expect(missingRanges(files, [], 0, 90)).toEqual([]);
});

test("a loss that is never accepted is never passed, whatever is behind it", () => {
  const behind = partitionFiles([fileName({ start: 200, end: 300 })]);
  expect(wholeRun(behind, 0, 100).end).toBe(0);
});

const trimming = {
  ...{ partitions: 2, chunkSize: 100, archived: { 0: 500, 1: 500 }, young: { 0: 1_000, 1: 1_000 } },
  ...{ horizons: [{ 0: 500, 1: 400 }], earliest: { 0: 0, 1: 0 } },
};

test("the log is trimmed to where all agree that it is not needed, at a chunk's edge", () => {
  expect(trimOffsets(trimming)).toEqual({ 0: 500, 1: 400 });
  expect(trimOffsets({ ...trimming, young: { 0: 250, 1: 99 } })).toEqual({ 0: 200 });
  expect(trimOffsets({ ...trimming, archived: { 0: 100 } })).toEqual({ 0: 100 });
  expect(trimOffsets({ ...trimming, earliest: { 0: 500, 1: 300 } })).toEqual({ 1: 400 });
});

test("nothing is trimmed that one view has in no batch view yet, nor of a partition that a horizon does not name", () => {
  expect(trimOffsets({ ...trimming, horizons: [{ 0: 500, 1: 400 }, {}] })).toEqual({});
  expect(trimOffsets({ ...trimming, horizons: [] })).toEqual({});
  expect(trimOffsets({ ...trimming, horizons: [{ 0: 500, 1: 400 }, { 0: 300 }] })).toEqual({ 0: 300 });
});
