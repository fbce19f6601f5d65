/**
 * How far the speed layer has come, as far as it can be trusted: pure functions from the progress that it wrote down
 * to the offsets that an answer contains, and from there to what each stored row is good for.
 */
import { chunkEnd, chunkOf, chunkStart, eraOf, firstWholeChunk, type Offsets } from "../chunks.ts";
import type { ChunkEnd, ChunkProgress } from "../speed/resume.ts";
import type { SpeedRow } from "./stores.ts";

/** A chunk's row of a view's table of progress. */
export type Progress = ChunkProgress;

/** Offsets `[from, to)` of a partition whose events no answer holds, though it may hold later ones. */
export interface Hole {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /** Whether a person has accepted that the events are lost. */
  readonly accepted: boolean;
}

/** The part of a partition that the speed layer answers for. */
export interface PartitionCoverage {
  /** The first offset: the horizon of the batch view. */
  readonly start: number;
  /** The offset after the last one, before the first hole. */
  readonly end: number;
}

/** What the speed layer answers for, by partition. */
export interface Coverage {
  readonly chunkSize: number;
  readonly partitions: ReadonlyMap<number, PartitionCoverage>;
  readonly holes: readonly Hole[];
}

/**
 * Where the speed layer has to begin: at the horizon, or, where no batch view covers anything of a partition, at the
 * first offset of this life of the log, wherever the log begins by now. A partition that the batch view covers and the
 * configuration does not know, since it is older than the batch run's, is part of every answer all the same.
 *
 * @param horizon of the batch view; a partition that it does not name is covered up to 0
 * @param first the first offsets of this life of the log, see jobs/log/incarnation.ts
 */
export function speedStart(horizon: Offsets, first: Offsets, partitions: number): Offsets {
  const all = new Set([...Array(partitions).keys(), ...Object.keys(horizon).map(Number)]);
  return Object.fromEntries(
    [...all].map((partition) => [partition, Math.max(horizon[partition] ?? 0, first[partition] ?? 0)]),
  );
}

/** The first chunk that any partition needs from there on. */
export function firstChunk(start: Offsets, chunkSize: number): number {
  const chunks = Object.values(start).map((offset) => chunkOf(offset, chunkSize));
  return chunks.length === 0 ? 0 : Math.min(...chunks);
}

/** Where each partition of a log begins. */
export function logBegin(watermarks: Readonly<Record<number, { readonly earliest: number }>>): Offsets {
  return Object.fromEntries(Object.entries(watermarks).map(([partition, { earliest }]) => [partition, earliest]));
}

/**
 * What the speed layer answers for: in every partition the full chunks in a row from the start, and what there is of
 * the chunk after them. What lies behind a gap is left out: chunks are worked off beside each other, and mostly it closes
 * at once. Only what the log has lost before the speed layer came to it is a hole, also where there is nothing behind it
 * yet; of a chunk whose begin is lost that is the rest as well, since chunks are read whole.
 *
 * @param start by partition: a chunk's edge, or the first offset of this life of the log
 * @param progress in any order; chunks before the start are ignored
 * @param begin by partition, the first offset that the log holds; one that is not named has lost nothing
 */
export function coverageOf(start: Offsets, progress: readonly ChunkEnd[], begin: Offsets, chunkSize: number): Coverage {
  const partitions = new Map<number, PartitionCoverage>();
  const holes: Hole[] = [];
  for (const [name, first] of Object.entries(start)) {
    const partition = Number(name);
    const rows = progress
      .filter((row) => row.partition === partition && row.chunk >= chunkOf(first, chunkSize))
      .filter((row) => row.end > Math.max(first, chunkStart(row.chunk, chunkSize)))
      .sort((a, b) => a.chunk - b.chunk);
    const held = begin[partition] ?? 0;
    const readable = chunkStart(firstWholeChunk(held, chunkSize), chunkSize);
    let reached = first;
    let end = first;
    for (const row of rows) {
      const from = Math.max(first, chunkStart(row.chunk, chunkSize));
      if (from > reached) {
        if (readable > reached && held > first)
          holes.push({ partition, from: reached, to: Math.min(from, readable), accepted: false });
      } else if (end === reached) end = Math.min(row.end, chunkEnd(row.chunk, chunkSize));
      reached = Math.min(row.end, chunkEnd(row.chunk, chunkSize));
    }
    if (held > reached) holes.push({ partition, from: reached, to: held, accepted: false });
    partitions.set(partition, { start: first, end });
  }
  return { chunkSize, partitions, holes };
}

/** The offsets up to which the speed layer answers. */
export function coveredOffsets(coverage: Coverage): Record<string, number> {
  return Object.fromEntries([...coverage.partitions].map(([partition, { end }]) => [String(partition), end]));
}

/** Where the covered rows of some partitions are. */
export interface EraPart {
  readonly era: number;
  /** In order, at least one. */
  readonly partitions: readonly number[];
}

/** The eras, in order, that hold the rows of the covered chunks, each with the partitions that have any there. */
export function coveredEras(coverage: Coverage, chunksPerEra: number): EraPart[] {
  const eras = new Map<number, number[]>();
  for (const [partition, { start, end }] of [...coverage.partitions].sort(([a], [b]) => a - b)) {
    if (end === start) continue;
    const last = eraOf(chunkOf(end - 1, coverage.chunkSize), chunksPerEra);
    for (let era = eraOf(chunkOf(start, coverage.chunkSize), chunksPerEra); era <= last; era++)
      if (eras.get(era)?.push(partition) === undefined) eras.set(era, [partition]);
  }
  return [...eras].sort(([a], [b]) => a - b).map(([era, partitions]) => ({ era, partitions }));
}

/** What the speed layer answers for of an era in some partitions, all chunks to its end: none of the rows ever changes. */
export interface ClosedEra {
  readonly era: number;
  /** Of those partitions alone. */
  readonly coverage: Coverage;
}

/** The eras of {@link coveredEras}, each divided into the partitions that have closed it and the others. */
export function splitEras(coverage: Coverage, chunksPerEra: number): { closed: ClosedEra[]; open: EraPart[] } {
  const { chunkSize } = coverage;
  const closed: ClosedEra[] = [];
  const open: EraPart[] = [];
  for (const { era, partitions } of coveredEras(coverage, chunksPerEra)) {
    const first = chunkStart(era * chunksPerEra, chunkSize);
    const last = chunkStart((era + 1) * chunksPerEra, chunkSize);
    const ended = new Map<number, PartitionCoverage>();
    const others: number[] = [];
    for (const partition of partitions) {
      const { start, end } = coverage.partitions.get(partition) as PartitionCoverage;
      if (end >= last) ended.set(partition, { start: Math.max(start, first), end: last });
      else others.push(partition);
    }
    if (ended.size > 0) closed.push({ era, coverage: { chunkSize, partitions: ended, holes: [] } });
    if (others.length > 0) open.push({ era, partitions: others });
  }
  return { closed, open };
}

/**
 * What a stored row is good for:
 * - `closed`: its chunk is covered whole and will never change;
 * - `open`: its chunk is covered in part, and the row is its state at exactly the covered end;
 * - `previous`: its chunk is covered in part, the row already has later events, and the state that it holds as the
 *   previous one is its state at exactly the covered end;
 * - `underWay`: the same, without such a state;
 * - `outside`: it is not covered.
 */
export type RowUse = "closed" | "open" | "previous" | "underWay" | "outside";

/**
 * What a row is good for under a coverage whose progress was read before the row: rows up to the progress were
 * acknowledged before it was written, so an older row than the covered end has no newer one missing.
 *
 * @param row.written the end offset that the row was written with
 */
export function rowUse(
  coverage: Coverage,
  row: Pick<SpeedRow, "partition" | "chunk" | "written" | "previous">,
): RowUse {
  const covered = coverage.partitions.get(row.partition);
  if (covered === undefined) return "outside";
  const { chunkSize } = coverage;
  if (covered.end === covered.start) return "outside";
  if (row.chunk < chunkOf(covered.start, chunkSize) || chunkStart(row.chunk, chunkSize) >= covered.end)
    return "outside";
  if (chunkEnd(row.chunk, coverage.chunkSize) <= covered.end) return "closed";
  if (row.written <= covered.end) return "open";
  return row.previous?.end === covered.end ? "previous" : "underWay";
}

/** The coverage with the open chunks of the given partitions left out. */
export function withoutOpenChunks(coverage: Coverage, partitions: Iterable<number>): Coverage {
  const reduced = new Map(coverage.partitions);
  for (const partition of partitions) {
    const covered = reduced.get(partition);
    if (covered === undefined) continue;
    reduced.set(partition, {
      start: covered.start,
      end: Math.max(covered.start, chunkStart(chunkOf(covered.end, coverage.chunkSize), coverage.chunkSize)),
    });
  }
  return { ...coverage, partitions: reduced };
}
