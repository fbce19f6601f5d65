/**
 * The lives of a topic's log. Where a person has accepted that a log is another one than it was (see divergence.ts), the
 * next incarnation begins: what was archived of the former ones stays, and counts; what is read from then on is the new
 * log's. The master dataset keeps them, and Cassandra has a copy for those who do not reach the storage.
 */
import type { Client } from "cassandra-driver";
import * as z from "zod";
import type { Content } from "../archive/content.ts";
import { topicFolder, topicIdFile } from "../archive/layout.ts";
import type { Offsets } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import type { FileStorage } from "../storage/file-storage.ts";

/** A life of a topic's log. */
export interface Incarnation {
  /** Kafka's id of the topic. */
  readonly topicId: string;
  /** By partition, the first offset that belongs to it; one that is not named belongs to it from 0 on. */
  readonly first: Offsets;
  /** The files of the former incarnations that count on: of every later batch view they are part. */
  readonly former: readonly FormerFile[];
}

/** A file of a former incarnation, and what it holds. */
export interface FormerFile extends Content {
  readonly path: string;
}

const offset = z.int().nonnegative();
const formerSchema = z.strictObject({ path: z.string(), events: offset, bytes: offset, digest: offset });
const incarnationSchema = z.strictObject({
  topicId: z.string(),
  first: z.record(z.string(), offset),
  former: z.array(formerSchema),
});

/** The file that describes an incarnation from the second on: what describes the first is `topicIdFile`. */
export function incarnationFile(masterDataset: string, topic: string, incarnation: number): string {
  return `${topicFolder(masterDataset, topic)}/incarnation-${incarnation}.json`;
}

/** The number of the incarnation that a file in the topic's folder describes; undefined if it describes none. */
export function describedIncarnation(name: string): number | undefined {
  const number = /^incarnation-([1-9]\d{0,8})\.json$/.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** The text of {@link incarnationFile}. */
export function incarnationText(incarnation: Incarnation): string {
  return JSON.stringify(incarnation);
}

/** What such a text describes. @throws {Error} naming the file, if it is none */
export function parseIncarnation(text: string, path: string): Incarnation {
  try {
    return incarnationSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} describes no incarnation of a log`, { cause: error });
  }
}

/** What the copy has of an incarnation. */
export interface NotedIncarnation extends Pick<Incarnation, "topicId" | "first"> {
  /** Whether files of former incarnations count on. */
  readonly hasFormer: boolean;
}

/**
 * What the master dataset says of an incarnation. The first is described by the first who asks.
 *
 * @param topicId Kafka's id of the topic as it is now
 * @throws {Error} if nothing describes it
 */
export async function describedLife(
  storage: Pick<FileStorage, "list" | "publish" | "readText">,
  { masterDataset, topic, incarnation }: Pick<Configuration, "masterDataset" | "topic" | "incarnation">,
  topicId: string,
): Promise<Incarnation> {
  if (incarnation === 1) {
    const path = topicIdFile(masterDataset, topic);
    const text = Buffer.from(topicId);
    await storage.publish(path, [text], { length: text.length });
    return { topicId: await storage.readText(path), first: {}, former: [] };
  }
  const path = incarnationFile(masterDataset, topic, incarnation);
  const names = await storage.list(topicFolder(masterDataset, topic));
  if (!names.some((name) => describedIncarnation(name) === incarnation))
    throw new Error(
      `there is no ${path}: nobody has begun incarnation ${incarnation} of the log. \`npm run batch -- --accept-loss\` ` +
        "does, where the log is another one; else set logIncarnation to what it was",
    );
  return parseIncarnation(await storage.readText(path), path);
}

/**
 * The table that has a copy of the incarnations; `first` is JSON, `former` the number of files that count on. What is
 * written once never changes.
 */
export const createIncarnationTable = `CREATE TABLE IF NOT EXISTS log_incarnation (
  topic text, incarnation int, topic_id text, first text, former int,
  PRIMARY KEY (topic, incarnation)
)`;

/** Writes the copy. */
export async function noteIncarnation(
  client: Client,
  topic: string,
  number: number,
  { topicId, first, former }: Incarnation,
): Promise<void> {
  const query = "INSERT INTO log_incarnation (topic, incarnation, topic_id, first, former) VALUES (?, ?, ?, ?, ?)";
  const values = [topic, number, topicId, JSON.stringify(first), former.length];
  await client.execute(query, values, { prepare: true, isIdempotent: true });
}

/** The copy; undefined as long as nobody has written it. */
export async function readIncarnation(
  client: Client,
  topic: string,
  number: number,
): Promise<NotedIncarnation | undefined> {
  const query = "SELECT topic_id, first, former FROM log_incarnation WHERE topic = ? AND incarnation = ?";
  const row = (await client.execute(query, [topic, number], { prepare: true, isIdempotent: true })).first();
  if (row === null || row.topic_id === null) return undefined;
  return { topicId: row.topic_id, first: JSON.parse(row.first ?? "{}"), hasFormer: row.former > 0 };
}

/**
 * Reads an incarnation once it is there, and then never again.
 *
 * @param read see {@link readIncarnation}
 */
export class KnownIncarnation {
  readonly #number: number;
  readonly #read: () => Promise<NotedIncarnation | undefined>;
  #known: NotedIncarnation | undefined;

  constructor(number: number, read: () => Promise<NotedIncarnation | undefined>) {
    this.#number = number;
    this.#read = read;
  }

  /** The id of the topic whose log it is; undefined as long as nobody has noted it. */
  async topicId(): Promise<string | undefined> {
    return (await this.#get())?.topicId;
  }

  /** By partition, the first offset that belongs to it. @throws {Error} if it is not the first and nobody has noted it */
  async first(): Promise<Offsets> {
    return (await this.begin()).first;
  }

  /** Where it begins, and whether there is anything before. @throws {Error} if it is not the first and nobody has noted it */
  async begin(): Promise<Pick<NotedIncarnation, "first" | "hasFormer">> {
    // The first has all there is, whether it is noted or not.
    if (this.#number === 1) return { first: {}, hasFormer: false };
    const known = await this.#get();
    if (known !== undefined) return known;
    throw new Error(
      `incarnation ${this.#number} of the log is not known: \`npm run batch -- --accept-loss\` begins it; ` +
        "else set logIncarnation to what it was",
    );
  }

  async #get(): Promise<NotedIncarnation | undefined> {
    this.#known ??= await this.#read();
    return this.#known;
  }
}
