/**
 * Writes data as this project wrote it before stored formats had versions. It is a frozen copy of that layout and uses
 * nothing that may change with the code: only events go in.
 */
import { type Client, types } from "cassandra-driver";

/** A keyspace's tables as they were, without those of the views. */
export const formerTables = [
  `CREATE TABLE batch_pointer (
  "view" text, generation text, version text, datasource text, horizon text, row_count bigint, retained text, run text,
  PRIMARY KEY (("view", generation))
)`,
  "CREATE TABLE batch_lease (name text PRIMARY KEY, holder text)",
  `CREATE TABLE retired_generation (
  "view" text, generation text, removing boolean,
  PRIMARY KEY (("view", generation))
)`,
];

/** The tables of a view's generation as they were: all partitions of the topic shared an era. */
export function formerViewTables(view: string, generation: string): string[] {
  const name = `${view.replaceAll("-", "_")}_${generation}`;
  return [
    `CREATE TABLE speed_${name} (
  shard int, era int, key text, bucket bigint, partition int, chunk int,
  state text, previous text,
  PRIMARY KEY ((shard, era), key, bucket, partition, chunk)
)`,
    `CREATE TABLE progress_${name} (
  partition int, chunk int, end_offset bigint,
  PRIMARY KEY (partition, chunk)
)`,
  ];
}

/** An event of the log as rows of that time are made of it: a row for each, which is all that the layout asks. */
export interface FormerEvent {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** The start of its time step. */
  readonly bucket: number;
}

const shards = 8;
const chunksPerEra = 4;

/** Writes rows and progress of a view's generation. */
export async function writeFormerSpeedView(
  client: Client,
  view: string,
  generation: string,
  events: readonly FormerEvent[],
  chunkSize: number,
): Promise<void> {
  const name = `${view.replaceAll("-", "_")}_${generation}`;
  for (const { partition, offset, key, bucket } of events) {
    const chunk = Math.floor(offset / chunkSize);
    const end = types.Long.fromNumber(offset + 1);
    await client.execute(
      `INSERT INTO speed_${name} (shard, era, key, bucket, partition, chunk, state, previous) VALUES (?, ?, ?, ?, ?, ?, '[1]', NULL) USING TIMESTAMP ?`,
      [shardOf(key), Math.floor(chunk / chunksPerEra), key, bucket, partition, chunk, end],
      { prepare: true },
    );
    await client.execute(
      `INSERT INTO progress_${name} (partition, chunk, end_offset) VALUES (?, ?, ?) USING TIMESTAMP ?`,
      [partition, chunk, end, end],
      { prepare: true },
    );
  }
}

/** What a pointer told at that time. */
export interface FormerPointer {
  readonly version: string;
  readonly datasource: string;
  readonly horizon: Readonly<Record<string, number>>;
  readonly rows: number;
}

/** Writes a pointer's row, with no older version retained. */
export async function writeFormerPointer(
  client: Client,
  view: string,
  generation: string,
  { version, datasource, horizon, rows }: FormerPointer,
): Promise<void> {
  await client.execute(
    'INSERT INTO batch_pointer ("view", generation, version, datasource, horizon, row_count, retained, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    [view, generation, version, datasource, JSON.stringify(horizon), types.Long.fromNumber(rows), "[]", version],
    { prepare: true },
  );
}

/** FNV-1a (32 bits) of a text's UTF-8. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % shards;
}
