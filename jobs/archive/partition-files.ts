/**
 * What the names in a partition's folders say: pure functions from listings to how far the events are safe, what is
 * lost, and of what a chunk's file can be made.
 */
import { chunkEnd, chunkOf, chunkStart } from "../chunks.ts";
import { type Range, within, without } from "../ranges.ts";
import {
  type ArchivedRange,
  archivedRange,
  fileName,
  lostRange,
  type Manifest,
  type Part,
  parseManifest,
  parsePart,
} from "./layout.ts";

/** The files of a partition in the master dataset. */
export interface PartitionFiles {
  /** The whole chunks' files, in order. */
  readonly chunks: readonly ArchivedRange[];
  /** By the name of the file that they are of: more than one if several processes noted it. */
  readonly manifests: ReadonlyMap<string, readonly Manifest[]>;
  /** Offsets that Kafka lost and whose loss was accepted, in order; they may overlap. */
  readonly lost: readonly Range[];
  /** Names that are none of ours. */
  readonly others: readonly string[];
}

/**
 * Reads a partition's listing.
 *
 * @param names in any order
 */
export function partitionFiles(names: readonly string[]): PartitionFiles {
  const [chunks, lost, others]: [ArchivedRange[], Range[], string[]] = [[], [], []];
  const manifests = new Map<string, Manifest[]>();
  for (const name of names) {
    const [chunk, loss, manifest] = [archivedRange(name), lostRange(name), parseManifest(name)];
    if (chunk !== undefined) chunks.push(chunk);
    else if (loss !== undefined) lost.push(loss);
    else if (manifest !== undefined)
      manifests.set(fileName(manifest.range), [...(manifests.get(fileName(manifest.range)) ?? []), manifest]);
    else others.push(name);
  }
  return { chunks: inOrder(chunks), manifests, lost: inOrder(lost), others };
}

/** The epoch of the leader at a file's end, by what was noted of it; -1 if nobody knew it. */
export function epochOf(manifests: readonly Manifest[]): number {
  return Math.max(-1, ...manifests.map(({ leaderEpoch }) => leaderEpoch));
}

/** The parts that a listing of a partition's open chunks names, in order. */
export function partsOf(names: readonly string[]): Part[] {
  return inOrder(names.flatMap((name) => parsePart(name) ?? []));
}

/** The first offset of the chunk that an offset is in, of those that belong to this life of the log. */
export function chunkBegin(offset: number, first: number, chunkSize: number): number {
  return Math.max(chunkStart(chunkOf(offset, chunkSize), chunkSize), first);
}

/** Whether a file is of a whole chunk. */
export function isWholeChunk({ start, end }: ArchivedRange, first: number, chunkSize: number): boolean {
  return start === chunkBegin(start, first, chunkSize) && end === chunkEnd(chunkOf(start, chunkSize), chunkSize);
}

/** How far a partition is safe. */
export interface WholeRun {
  /** Where the chunks without a gap end: an edge of a chunk, or `first`. */
  readonly end: number;
  /** Their files, in order. */
  readonly files: readonly ArchivedRange[];
  /** What is lost before the end, in order: accepted losses. */
  readonly lost: readonly Range[];
}

/**
 * Where the whole chunks from an offset on end, without a gap. A chunk that is lost altogether has no file; one of which
 * a part is lost has a file of what is left.
 *
 * @param hasFile whether there is a file that begins at the offset
 * @param lost accepted losses
 */
export function wholeEnd(
  hasFile: (start: number) => boolean,
  lost: readonly Range[],
  from: number,
  chunkSize: number,
): number {
  for (let start = from; ; ) {
    const end = chunkEnd(chunkOf(start, chunkSize), chunkSize);
    if (!hasFile(start) && (lost.length === 0 || without({ start, end }, lost).length > 0)) return start;
    start = end;
  }
}

/**
 * The whole chunks without a gap, from the beginning on.
 *
 * @param first the first offset of this life of the log
 */
export function wholeRun(
  { chunks, lost }: Pick<PartitionFiles, "chunks" | "lost">,
  first: number,
  chunkSize: number,
): WholeRun {
  const starts = new Set(chunks.map(({ start }) => start));
  const end = wholeEnd((start) => starts.has(start), lost, first, chunkSize);
  const run = { start: first, end };
  return {
    end,
    files: chunks.filter(({ start }) => start >= first && start < end),
    lost: without(run, without(run, lost)),
  };
}

/**
 * What nothing holds any more, in order: neither files, nor parts, nor the log, and what no person has accepted.
 *
 * @param earliest the first offset that the log holds
 */
export function missingRanges(
  { chunks, lost }: Pick<PartitionFiles, "chunks" | "lost">,
  parts: readonly Part[],
  first: number,
  earliest: number,
): Range[] {
  return without({ start: first, end: earliest }, [...chunks, ...lost, ...parts]);
}

/** Where the parts that chain from an offset on end: each begins where one before it ends. */
export function chainEnd(parts: readonly Part[], offset: number): number {
  return chainFrom(parts, offset).at(-1)?.end ?? offset;
}

/** The parts that chain from an offset on, by the chain that reaches furthest: two writers may have made two. */
export function chainFrom(parts: readonly Part[], offset: number): Part[] {
  const byStart = Map.groupBy(parts, ({ start }) => start);
  const longest = new Map<number, readonly Part[]>();
  // From behind, so that what follows a part is known.
  for (const start of [...byStart.keys()].sort((a, b) => b - a)) {
    const chains = (byStart.get(start) ?? []).map((part) => [part, ...(longest.get(part.end) ?? [])]);
    longest.set(
      start,
      chains.reduce((best, chain) => ((chain.at(-1)?.end ?? 0) > (best.at(-1)?.end ?? 0) ? chain : best)),
    );
  }
  return [...(longest.get(offset) ?? [])];
}

/** The parts that hold what no file does, in order, none of an offset twice: all chains in what is between and behind the files. */
export function partsBeside(parts: readonly Part[], chunks: readonly Range[], first: number): Part[] {
  const gaps = without({ start: first, end: Number.POSITIVE_INFINITY }, chunks);
  return gaps.flatMap((gap) => {
    const inside = inOrder(parts.filter(({ start, end }) => start >= gap.start && end <= gap.end));
    const taken: Part[] = [];
    for (const { start } of inside)
      if (start >= (taken.at(-1)?.end ?? gap.start)) taken.push(...chainFrom(inside, start));
    return taken;
  });
}

/** Where the events of some offsets are. */
export type Source = Range & ({ readonly kind: "memory" | "log" } | { readonly kind: "part"; readonly part: Part });

/** What there is to make a chunk's file of. */
export interface Holdings {
  readonly parts: readonly Part[];
  /** Accepted losses. */
  readonly lost: readonly Range[];
  /** The first offset that the log holds. */
  readonly earliest: number;
  /** The offsets whose events are in memory. Default: none */
  readonly memory?: Range | undefined;
}

/**
 * Of what a chunk's file is made, in order; undefined if something of it is missing. The log goes before parts: it is
 * what they are copies of.
 */
export function sourcesOf(chunk: Range, { parts, lost, earliest, memory }: Holdings): Source[] | undefined {
  const own = memory === undefined ? undefined : within(chunk, memory);
  const sourcesAt = (at: number): Source[] => {
    if (own !== undefined && at >= own.start && at < own.end) return [{ kind: "memory", start: at, end: own.end }];
    // What is in memory begins where a part ends, so that a chain may lead up to it and not past its beginning.
    const before = own !== undefined && at < own.start ? own.start : chunk.end;
    if (at >= earliest) return [{ kind: "log", start: at, end: before }];
    const reachable = parts.filter(({ end }) => end <= before);
    return chainFrom(reachable, at).map((part) => ({ kind: "part", part, start: part.start, end: part.end }));
  };
  const sources: Source[] = [];
  for (let at = chunk.start; at < chunk.end; ) {
    const next = sourcesAt(at);
    const loss = lost.find(({ start, end }) => start <= at && at < end);
    if (next.length === 0 && loss === undefined) return undefined;
    sources.push(...next);
    at = next.at(-1)?.end ?? loss?.end ?? at;
  }
  return sources;
}

function inOrder<One extends Range>(ranges: readonly One[]): One[] {
  return ranges.toSorted((a, b) => a.start - b.start || a.end - b.end);
}
