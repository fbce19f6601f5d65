import { contentOf } from "../archive/content.ts";
import { fileName, type Part, partitionFolder, topicFolder } from "../archive/layout.ts";
import { epochOf, partitionFiles, partsBeside, partsOf, wholeRun } from "../archive/partition-files.ts";
import type { Configuration } from "../configuration.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import type { Range } from "../ranges.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { furthest, type KnownEnd } from "./divergence.ts";
import {
  describedIncarnation,
  describedLife,
  type FormerFile,
  type Incarnation,
  incarnationFile,
  incarnationText,
  parseIncarnation,
} from "./incarnation.ts";
import { LogCheck } from "./log-check.ts";

/** What is archived, and up to where the log as it is now is the one that it was read from. */
export interface Compared {
  /** The offset after the last one that both have, or had: no larger than the end. */
  readonly common: number;
}

/** What is archived of a partition, and what its log still has. */
export interface ArchivedPartition {
  /** The first offset of the life that ends. */
  readonly begin: number;
  /** Where the whole chunks without a gap end. */
  readonly whole: number;
  /** The whole chunks' files, in order. */
  readonly chunks: readonly (Range & Compared)[];
  readonly parts: readonly (Part & Compared)[];
  /** Up to where the log as it is now is the one that is known, by whatever is known of it. */
  readonly common: number;
  /** The first offset that the log holds. */
  readonly earliest: number;
}

/**
 * Where the next incarnation begins in a partition, and the parts that count on: together with the chunks' files they hold
 * every archived event that the log does not hold from there on, and none that it does.
 */
export function nextBegin({ begin, whole, chunks, parts, common, earliest }: ArchivedPartition): {
  readonly first: number;
  readonly parts: readonly Part[];
} {
  const last = Math.max(whole, ...chunks.map(({ end }) => end));
  // What the archiver has in parts it goes on with, where it is not stopped: the log has it as well.
  const isSame = [...chunks, ...parts].every((one) => one.common >= one.end);
  if (isSame && whole === last && earliest <= last && common >= last) return { first: last, parts: [] };
  const counted = partsThatCount(chunks, parts, begin);
  // Where something behind it was read from this log, what is before it was as well, and is archived or gone.
  return {
    first: Math.max(Math.min(begin, common), ...[...chunks, ...counted].map((one) => one.common)),
    parts: counted,
  };
}

/**
 * The parts that hold what no file does. The same offsets may mean other events, before and after the log lost them: what
 * the log has, or had, and what vanished from it are looked at apart.
 */
function partsThatCount(
  chunks: readonly (Range & Compared)[],
  parts: readonly (Part & Compared)[],
  begin: number,
): (Part & Compared)[] {
  const byName = new Map(parts.map((part) => [part.name, part]));
  const original = ({ name }: Part) => byName.get(name) as Part & Compared;
  const logged = <One extends Range & Compared>(one: One): One => ({ ...one, end: Math.max(one.start, one.common) });
  const vanished = (one: Range & Compared): Range => ({ start: Math.max(one.start, one.common), end: one.end });
  // Of two that the log has up to the same offset, the one that holds more beyond goes before.
  const longestFirst = parts.toSorted((a, b) => b.end - a.end);
  const ofLog = longestFirst.filter(({ start, common }) => common > start).map(logged);
  const kept = partsBeside(ofLog, chunks.map(logged), begin).map(original);
  const ofFormer = longestFirst.filter(({ start, common }) => common <= start);
  return [...kept, ...partsBeside(ofFormer, [...chunks, ...kept].map(vanished), begin).map(original)];
}

/** What {@link beginNextIncarnation} works with. */
export interface NextIncarnationArgs {
  readonly configuration: Pick<
    Configuration,
    "topic" | "partitions" | "chunkSize" | "masterDataset" | "openChunks" | "incarnation"
  >;
  readonly reader: Pick<RangeReader, "watermarks" | "latest" | "topicId" | "epochEnds">;
  readonly storage: Pick<FileStorage, "list" | "publish" | "read" | "readText">;
  /** Up to where the views reach. */
  readonly known: readonly KnownEnd[];
  /** Told of every step. */
  readonly report: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Begins the next incarnation of a log that is another one than it was: a person has accepted that. What is archived of
 * the former counts on, what is not is lost. Done again, it changes nothing.
 *
 * @returns the number and the life that began, or had begun before; undefined if the log is the one that is known
 */
export async function beginNextIncarnation(
  args: NextIncarnationArgs,
): Promise<{ readonly number: number; readonly life: Incarnation } | undefined> {
  const { configuration, reader, storage, report, signal } = args;
  const { topic, partitions, masterDataset, incarnation } = configuration;
  const described = (await storage.list(topicFolder(masterDataset, topic), signal)).flatMap(
    (name) => describedIncarnation(name) ?? [],
  );
  const newest = Math.max(...described, 1);
  if (newest > incarnation) {
    const path = incarnationFile(masterDataset, topic, newest);
    return { number: newest, life: parseIncarnation(await storage.readText(path), path) };
  }
  const topicId = await reader.topicId(topic);
  const former = await describedLife(storage, configuration, topicId);
  const numbers = Array.from({ length: partitions }, (_, partition) => partition);
  const archived = await Promise.all(numbers.map((partition) => archivedPartition(args, former, partition)));
  const watermarks = await reader.watermarks(topic);
  const check = new LogCheck({ topic, partitions, reader, topicId: async () => former.topicId });
  const { problems } = await check.check([...args.known, ...archived.map(({ known }) => known)], watermarks);
  const reasons = problems.filter(({ isAnotherLog }) => isAnotherLog).map(({ reason }) => reason);
  if (reasons.length === 0) return undefined;
  for (const reason of reasons) report(reason);

  const first: Record<string, number> = {};
  const counted: FormerFile[] = [];
  for (const partition of numbers) {
    const { files, known, ...of } = archived[partition] as Awaited<ReturnType<typeof archivedPartition>>;
    const { earliest = 0, latest = 0 } = watermarks[partition] ?? {};
    const end = { ends: new Map<number, number>(), latest: former.topicId === topicId ? latest : 0 };
    const commonOf = (one: KnownEnd) => commonEnd(args, one, end);
    let common = end.latest;
    for (const one of furthest([known, ...args.known])) {
      if (one.partition !== partition || one.leaderEpoch < 0) continue;
      const found = await commonOf(one);
      if (found < one.end) common = Math.min(common, found);
    }
    const compared = <One extends Range & { readonly leaderEpoch: number }>(some: readonly One[]) =>
      Promise.all(
        some.map(async (one) => {
          const { leaderEpoch } = one;
          // One of which the leader was not noted is trusted as far as all that is known.
          if (leaderEpoch < 0) return { ...one, common: Math.min(one.end, common) };
          return { ...one, common: await commonOf({ partition, end: one.end, leaderEpoch }) };
        }),
      );
    const [chunks, parts] = [await compared(of.chunks), await compared(of.parts)];
    const begin = nextBegin({ ...of, chunks, parts, common, earliest });
    first[partition] = begin.first;
    counted.push(...(await Promise.all([...files, ...begin.parts.map(({ name }) => partOf(args, partition, name))])));
  }
  const life: Incarnation = { topicId, first, former: [...former.former, ...counted] };
  const number = incarnation + 1;
  const path = incarnationFile(masterDataset, topic, number);
  const text = Buffer.from(incarnationText(life));
  await storage.publish(path, [text], { length: text.length, ...(signal && { signal }) });
  const events = counted.reduce((sum, file) => sum + file.events, 0);
  report(
    `incarnation ${number} of the log begins at ${JSON.stringify(first)}; of the former one the ${events} events that ` +
      "are archived count on",
  );
  // If somebody else has begun it at the same moment, theirs is the one.
  return { number, life: parseIncarnation(await storage.readText(path), path) };
}

/** What there is of a partition in the storage. */
async function archivedPartition(
  { configuration, storage, signal }: NextIncarnationArgs,
  life: Incarnation,
  partition: number,
) {
  const of = { ...configuration, partition };
  const folder = partitionFolder(configuration.masterDataset, of);
  const names = await storage.list(partitionFolder(configuration.openChunks, of), signal);
  const found = partitionFiles(await storage.list(folder, signal));
  const begin = life.first[partition] ?? 0;
  const parts = partsOf(names);
  const chunks = found.chunks.map((range) => ({
    ...range,
    leaderEpoch: epochOf(found.manifests.get(fileName(range)) ?? []),
  }));
  const whole = wholeRun(found, begin, configuration.chunkSize).end;
  const beside = partsBeside(parts, chunks, begin);
  const end = Math.max(whole, ...[...chunks, ...beside].map((one) => one.end));
  const known: KnownEnd = {
    partition,
    end,
    leaderEpoch: Math.max(-1, ...[...chunks, ...beside].filter((one) => one.end === end).map((one) => one.leaderEpoch)),
  };
  const files = found.chunks.map(async (range): Promise<FormerFile> => {
    const path = `${folder}/${fileName(range)}`;
    const content = found.manifests.get(fileName(range))?.[0]?.content ?? (await contentOf(storage.read(path, signal)));
    return { path, ...content };
  });
  return { begin, whole, chunks, parts, known, files };
}

async function partOf(
  { configuration, storage, signal }: NextIncarnationArgs,
  partition: number,
  name: string,
): Promise<FormerFile> {
  const path = `${partitionFolder(configuration.openChunks, { ...configuration, partition })}/${name}`;
  return { path, ...(await contentOf(storage.read(path, signal))) };
}

/** Up to where the log as it is now has what was read up to a known end, no further than that. */
async function commonEnd(
  { configuration, reader }: NextIncarnationArgs,
  { partition, end, leaderEpoch }: KnownEnd,
  /** Where the log ends, and by the epoch where it ends what leaders up to it wrote, as far as that was asked for. */
  { ends, latest }: { readonly ends: Map<number, number>; readonly latest: number },
): Promise<number> {
  let found = ends.get(leaderEpoch);
  if (found === undefined) {
    const answer = (await reader.epochEnds(configuration.topic, { [partition]: leaderEpoch }))[partition];
    found = Math.max(0, answer?.end ?? latest);
    ends.set(leaderEpoch, found);
  }
  return Math.min(end, found, latest);
}
