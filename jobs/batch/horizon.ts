import { type ArchivedRange, fileName, type Manifest } from "../archive/layout.ts";
import { epochOf, isWholeChunk, partitionFiles, wholeRun } from "../archive/partition-files.ts";
import type { Offsets } from "../chunks.ts";
import type { LostRange } from "./versions.ts";

/** A file of the master dataset: the events of the offsets `[start, end)` of a partition. */
export interface ArchivedFile extends ArchivedRange {
  /** Its name in the partition's folder, see jobs/archive. */
  readonly name: string;
  /** What was noted of it when it was published; more than one if several processes noted it, none in former times. */
  readonly manifests: readonly Manifest[];
}

/** What a batch run reads: everything archived without a gap. */
export interface Archived {
  /** By partition: where the files without a gap end; 0 where there are none. */
  readonly horizon: Offsets;
  /** By partition: the epoch of the log's leader at the horizon; one of which it was not noted is left out. */
  readonly epochs: Offsets;
  /** By partition: the files up to the horizon, in order. */
  readonly files: Readonly<Record<string, readonly ArchivedFile[]>>;
  /** What is lost before the horizon: nothing but what a person has accepted. */
  readonly lost: readonly LostRange[];
  /** The first missing offset of every partition that has files behind a gap, and the start of the file there. */
  readonly gaps: readonly LostRange[];
}

/**
 * How far the master dataset reaches without a gap, from the first offset of each partition on.
 *
 * @param names by partition number: the names in the partition's folder, in any order
 * @param first by partition number: the first offset of this life of the log. Default: 0
 * @throws {RangeError} if a file does not begin and end at chunks' edges: then the chunk size was changed, and no
 *   horizon can be trusted
 */
export function archivedHorizon(
  names: Readonly<Record<string, readonly string[]>>,
  partitions: number,
  chunkSize: number,
  first: Offsets = {},
): Archived {
  const horizon: Record<string, number> = {};
  const epochs: Record<string, number> = {};
  const files: Record<string, ArchivedFile[]> = {};
  const lost: LostRange[] = [];
  const gaps: LostRange[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const begin = first[partition] ?? 0;
    const found = partitionFiles(names[partition] ?? []);
    for (const file of found.chunks) checkEdges(partition, file, begin, chunkSize);
    const run = wholeRun(found, begin, chunkSize);
    horizon[partition] = run.end;
    files[partition] = run.files.map((range) => {
      const name = fileName(range);
      return { ...range, name, manifests: found.manifests.get(name) ?? [] };
    });
    const last = files[partition]?.findLast(({ end }) => end === run.end);
    const epoch = epochOf(last?.manifests ?? []);
    if (epoch >= 0) epochs[partition] = epoch;
    for (const { start, end } of run.lost) lost.push({ partition, from: start, to: end });
    const behind = found.chunks.find(({ start }) => start > run.end);
    if (behind !== undefined) gaps.push({ partition, from: run.end, to: behind.start });
  }
  return { horizon, epochs, files, lost, gaps };
}

/** Whether a run over `now` would contain more than one over `before`, in any partition; one that is absent ends at 0. */
export function isBeyond(now: Offsets, before: Offsets): boolean {
  return Object.entries(now).some(([partition, offset]) => offset > (before[partition] ?? 0));
}

/** By partition the smallest offset of any of the horizons; one that lacks the partition counts as 0. */
export function smallestHorizon(horizons: readonly Offsets[]): Offsets {
  const partitions = new Set(horizons.flatMap((horizon) => Object.keys(horizon)));
  return Object.fromEntries(
    [...partitions].map((partition) => [partition, Math.min(...horizons.map((horizon) => horizon[partition] ?? 0))]),
  );
}

function checkEdges(partition: number, range: ArchivedRange, first: number, chunkSize: number): void {
  if (!isWholeChunk(range, first, chunkSize))
    throw new RangeError(
      `partition ${partition}: archived file ${fileName(range)} is not of one whole chunk of ${chunkSize} offsets; set chunkSize back to what it was when the file was written`,
    );
}
