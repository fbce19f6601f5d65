import { contentOf } from "../archive/content.ts";
import { fileName, type Part, partitionFolder, topicFolder } from "../archive/layout.ts";
import { epochOf, partitionFiles, partsBeside, partsOf, wholeRun } from "../archive/partition-files.ts";
import type { Configuration } from "../configuration.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
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

/** What is archived of a partition, and what its log still has. */
export interface ArchivedPartition {
  /** Where the whole chunks without a gap end. */
  readonly whole: number;
  /** Where the last whole chunk's file ends. */
  readonly last: number;
  /** The parts that hold what no chunk's file does, in order. */
  readonly parts: readonly Part[];
  /** Up to where the log as it is now is the one that is archived. */
  readonly common: number;
  /** The first offset that the log holds. */
  readonly earliest: number;
}

/**
 * Where the next incarnation begins in a partition, and the parts that count on: together with the chunks' files they hold
 * every archived event that the log does not hold from there on.
 */
export function nextBegin({ whole, last, parts, common, earliest }: ArchivedPartition): {
  readonly first: number;
  readonly parts: readonly Part[];
} {
  const end = archivedEnd(last, parts);
  // What the archiver has in parts it goes on with, where it is not stopped: the log has it as well.
  if (common >= end && whole === last && earliest <= last) return { first: last, parts: [] };
  return { first: Math.min(end, common), parts };
}

/** Where the last of a partition's files and parts ends. */
function archivedEnd(last: number, parts: readonly Part[]): number {
  return Math.max(last, parts.at(-1)?.end ?? last);
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
    const all = [known, ...args.known.filter((one) => one.partition === partition)];
    const common = former.topicId === topicId ? await commonEnd(args, all, latest) : 0;
    const begin = nextBegin({ ...of, common, earliest });
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
  const parts = partsBeside(partsOf(names), found.chunks, begin);
  const whole = wholeRun(found, begin, configuration.chunkSize).end;
  const last = Math.max(whole, ...found.chunks.map(({ end }) => end));
  const end = archivedEnd(last, parts);
  const noted = [...found.manifests.values()].flat().filter(({ range }) => range.end === end);
  const part = parts.find((one) => one.end === end);
  const known: KnownEnd = {
    partition,
    end,
    leaderEpoch: part?.leaderEpoch ?? epochOf(noted),
  };
  const files = found.chunks.map(async (range): Promise<FormerFile> => {
    const path = `${folder}/${fileName(range)}`;
    const content = found.manifests.get(fileName(range))?.[0]?.content ?? (await contentOf(storage.read(path, signal)));
    return { path, ...content };
  });
  return { whole, last, parts, known, files };
}

async function partOf(
  { configuration, storage, signal }: NextIncarnationArgs,
  partition: number,
  name: string,
): Promise<FormerFile> {
  const path = `${partitionFolder(configuration.openChunks, { ...configuration, partition })}/${name}`;
  return { path, ...(await contentOf(storage.read(path, signal))) };
}

/**
 * Up to where a partition's log as it is now is the one that is known: before the first offset where anything that is known
 * of it is no longer true.
 */
async function commonEnd(
  { configuration, reader }: NextIncarnationArgs,
  known: readonly KnownEnd[],
  latest: number,
): Promise<number> {
  let common = latest;
  for (const { partition, end, leaderEpoch } of furthest(known)) {
    if (leaderEpoch < 0) continue;
    const found = (await reader.epochEnds(configuration.topic, { [partition]: leaderEpoch }))[partition];
    if (found !== undefined && found.end < end) common = Math.min(common, Math.max(found.end, 0));
  }
  return common;
}
