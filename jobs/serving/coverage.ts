/**
 * How far the speed layer has come, as far as it can be trusted: pure functions from the progress that it wrote down
 * to the offsets that an answer contains, and from there to what each stored row is good for.
 */
import { chunkEnd, chunkOf, chunkStart, eraOf, type Offsets } from "../chunks.ts";
import type { SpeedRow } from "./stores.ts";

/** A chunk's row of a view's table of progress. */
export interface Progress {
  readonly partition: number;
  readonly chunk: number;
  /** All rows of the chunk's events before this offset are acknowledged. */
  readonly end: number;
}

/** Offsets `[from, to)` of a partition that the speed layer skipped, though it has written later ones. */
export interface Hole {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
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
 * Where the speed layer has to begin: at the horizon, or, as long as no batch view covers anything of a partition, at
 * the edge of the first chunk of which the log or the speed layer holds anything.
 *
 * @param log the earliest offsets that the log still holds
 */
export function speedStart(
  horizon: Offsets,
  log: Offsets,
  progress: readonly Progress[],
  partitions: number,
  chunkSize: number,
): Offsets {
  const first = Array.from({ length: partitions }, (_, partition) => chunkOf(log[partition] ?? 0, chunkSize));
  for (const { partition, chunk } of progress) if (chunk < (first[partition] ?? 0)) first[partition] = chunk;
  const start = first.map((chunk, partition) => horizon[partition] || chunkStart(chunk, chunkSize));
  return Object.fromEntries(start.entries());
}

/**
 * What the speed layer answers for: in every partition the full chunks in a row from the start, and what there is of
 * the chunk after them. What lies behind a gap is a hole's other side and left out.
 *
 * @param start by partition, always a chunk's edge
 * @param progress in any order; chunks before the start are ignored
 */
export function coverageOf(start: Offsets, progress: readonly Progress[], chunkSize: number): Coverage {
  const partitions = new Map<number, PartitionCoverage>();
  const holes: Hole[] = [];
  for (const [name, first] of Object.entries(start)) {
    const partition = Number(name);
    const rows = progress
      .filter((row) => row.partition === partition && chunkStart(row.chunk, chunkSize) >= first)
      .filter((row) => row.end > chunkStart(row.chunk, chunkSize))
      .sort((a, b) => a.chunk - b.chunk);
    let reached = first;
    let end = first;
    for (const row of rows) {
      const from = chunkStart(row.chunk, chunkSize);
      if (from > reached) holes.push({ partition, from: reached, to: from });
      else if (end === reached) end = Math.min(row.end, chunkEnd(row.chunk, chunkSize));
      reached = Math.min(row.end, chunkEnd(row.chunk, chunkSize));
    }
    partitions.set(partition, { start: first, end });
  }
  return { chunkSize, partitions, holes };
}

/** The offsets up to which the speed layer answers. */
export function coveredOffsets(coverage: Coverage): Record<string, number> {
  return Object.fromEntries([...coverage.partitions].map(([partition, { end }]) => [String(partition), end]));
}

/** The eras, in order, that hold the rows of the covered chunks. */
export function coveredEras(coverage: Coverage, chunksPerEra: number): number[] {
  const eras = new Set<number>();
  for (const { start, end } of coverage.partitions.values()) {
    if (end === start) continue;
    const last = eraOf(chunkOf(end - 1, coverage.chunkSize), chunksPerEra);
    for (let era = eraOf(chunkOf(start, coverage.chunkSize), chunksPerEra); era <= last; era++) eras.add(era);
  }
  return [...eras].sort((a, b) => a - b);
}

/** An era of which the speed layer answers for some chunks, all of them full: none of their rows ever changes. */
export interface ClosedEra {
  readonly era: number;
  readonly coverage: Coverage;
}

/** The eras of {@link coveredEras} that are closed, and the others. */
export function splitEras(coverage: Coverage, chunksPerEra: number): { closed: ClosedEra[]; open: number[] } {
  const { chunkSize } = coverage;
  const closed: ClosedEra[] = [];
  const open: number[] = [];
  for (const era of coveredEras(coverage, chunksPerEra)) {
    const first = chunkStart(era * chunksPerEra, chunkSize);
    const last = chunkStart((era + 1) * chunksPerEra, chunkSize);
    const parts = [...coverage.partitions]
      .map(
        ([partition, { start, end }]) =>
          [partition, { start: Math.max(start, first), end: Math.min(end, last) }] as const,
      )
      .filter(([, { start, end }]) => start < end);
    if (parts.every(([, { end }]) => end === last))
      closed.push({ era, coverage: { chunkSize, partitions: new Map(parts), holes: [] } });
    else open.push(era);
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
  const start = chunkStart(row.chunk, coverage.chunkSize);
  if (start < covered.start || start >= covered.end) return "outside";
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
      end: chunkStart(chunkOf(covered.end, coverage.chunkSize), coverage.chunkSize),
    });
  }
  return { ...coverage, partitions: reduced };
}
