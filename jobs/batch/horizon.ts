import type { Offsets } from "../chunks.ts";

/** A file of the master dataset: the events of the offsets `[start, end)` of a partition. */
export interface ArchivedFile {
  /** Its name in the partition's folder, see jobs/archive. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What a batch run reads: everything archived without a gap. */
export interface Archived {
  /** By partition: where the files without a gap end; 0 where there are none. */
  readonly horizon: Offsets;
  /** By partition: the files up to the horizon, in order. */
  readonly files: Readonly<Record<string, readonly ArchivedFile[]>>;
  /** The first missing offset of every partition that has files behind a gap, and the start of the file there. */
  readonly gaps: readonly { readonly partition: number; readonly from: number; readonly to: number }[];
}

/**
 * The offsets that a file's name tells (`<start>-<end>.jsonl`, 19 digits each, the end exclusive); undefined for the
 * name of anything else, e.g. a file that is still written.
 */
export function parseArchivedFile(name: string): ArchivedFile | undefined {
  const match = /^(\d{19})-(\d{19})\.jsonl$/.exec(name);
  return match === null ? undefined : { name, start: Number(match[1]), end: Number(match[2]) };
}

/**
 * How far the master dataset reaches without a gap, from the first file of each partition on.
 *
 * @param names by partition number: the names in the partition's folder, in any order
 * @throws {RangeError} if a file does not begin and end at chunks' edges: then the chunk size was changed, and no
 *   horizon can be trusted
 */
export function archivedHorizon(
  names: Readonly<Record<string, readonly string[]>>,
  partitions: number,
  chunkSize: number,
): Archived {
  const horizon: Record<string, number> = {};
  const files: Record<string, ArchivedFile[]> = {};
  const gaps: { partition: number; from: number; to: number }[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const sorted = (names[partition] ?? [])
      .map(parseArchivedFile)
      .filter((file) => file !== undefined)
      .sort((a, b) => a.start - b.start);
    for (const file of sorted) checkEdges(partition, file, chunkSize);
    const taken: ArchivedFile[] = [];
    let end = sorted[0]?.start ?? 0;
    for (const file of sorted) {
      if (file.start !== end) {
        gaps.push({ partition, from: end, to: file.start });
        break;
      }
      taken.push(file);
      end = file.end;
    }
    // Without a file nothing is covered, wherever the partition begins.
    horizon[partition] = taken.length === 0 ? 0 : end;
    files[partition] = taken;
  }
  return { horizon, files, gaps };
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

function checkEdges(partition: number, { name, start, end }: ArchivedFile, chunkSize: number): void {
  if (start % chunkSize !== 0 || end % chunkSize !== 0 || end <= start)
    throw new RangeError(
      `partition ${partition}: archived file ${name} is not of whole chunks of ${chunkSize} offsets; set chunkSize back to what it was when the file was written`,
    );
}
