/**
 * The speed views' tables in Cassandra, and the serving layer's pointer beside them.
 * (`view` is a reserved word of CQL: it is always quoted.)
 *
 * A speed view's row is the state of one key in one time step over the events of one chunk, written whole with
 * `USING TIMESTAMP <end offset>`: of two writes of a row the one that saw more of the chunk wins, in whatever order
 * they come, and a replayed write changes nothing. Beside its state it holds the one before, see previous-state.ts.
 */

/** The table of a view's rows: one a generation, so that new code never mixes with old rows. */
export function speedTable(view: string, generation: string): string {
  return `speed_${view.replaceAll("-", "_")}_${generation}`;
}

/**
 * What is dropped leaves no snapshot, since it can be computed again. What is deleted is forgotten after three hours: a
 * row that comes back then, from a node that missed the deletion, lies before every horizon, and nobody takes it up.
 */
const options = "allow_auto_snapshot = false AND gc_grace_seconds = 10800";

/**
 * The CQL that makes a view's table, without its keyspace. The topic's partition is part of what Cassandra keeps and
 * deletes together: partitions do not pass an era at the same time, and what is deleted of one must not hide what
 * another one writes there later.
 */
export function createSpeedTable(view: string, generation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${speedTable(view, generation)} (
  shard int, era int, partition int, key text, bucket bigint, chunk int,
  state text, previous text,
  PRIMARY KEY ((shard, era, partition), key, bucket, chunk)
) WITH compression = {'class': 'LZ4Compressor'} AND ${options}`;
}

/**
 * The table that says how far the speed layer has come in a view: one a generation too. Were it shared, deleting a
 * generation's rows would hide those that the same generation writes again when its code comes back.
 */
export function progressTable(view: string, generation: string): string {
  return `progress_${view.replaceAll("-", "_")}_${generation}`;
}

/**
 * The CQL that makes a view's table of progress, without its keyspace: a row a chunk, its `end_offset` written with
 * `USING TIMESTAMP end_offset` after every row of the chunk up to there is acknowledged. `leader_epoch` is that of the last
 * record before it, -1 if it is not known: with it the reader of a log tells whether it is still the same.
 */
export function createProgressTable(view: string, generation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${progressTable(view, generation)} (
  partition int, chunk int, end_offset bigint, leader_epoch int,
  PRIMARY KEY (partition, chunk)
) WITH ${options}`;
}

/** The CQL that makes all tables of a view's generation. */
export function createViewTables(view: string, generation: string): string[] {
  return [createSpeedTable(view, generation), createProgressTable(view, generation)];
}

/**
 * Which batch view answers: `version` is the current one, `retained` the older ones that still can be queried;
 * both with their Druid datasource, number of rows, and horizon as JSON (see jobs/batch/pointer.ts). Moved by a
 * lightweight transaction only, by the batch run that was the last to write itself down as `run`.
 */
export const createPointerTable = `CREATE TABLE IF NOT EXISTS batch_pointer (
  "view" text, generation text, version text, datasource text, horizon text, row_count bigint, retained text, run text,
  PRIMARY KEY (("view", generation))
)`;

/**
 * The columns that former versions of {@link createPointerTable} did not have: `lost` and `epochs` are JSON like `horizon`,
 * `format` is that of the row, see jobs/formats.ts.
 */
export const alterPointerTable = ["lost text", "format int", "epochs text"].map(
  (column) => `ALTER TABLE batch_pointer ADD IF NOT EXISTS ${column}`,
);

/**
 * The generations that nobody asks any more, written when their view's code was replaced (see jobs/generations): the next
 * batch run removes all there is of them, and says so in `removing` while it does.
 */
export const createRetiredTable = `CREATE TABLE IF NOT EXISTS retired_generation (
  "view" text, generation text, removing boolean,
  PRIMARY KEY (("view", generation))
)`;

/** The generation whose table of rows or of progress has this name; undefined if it is no such table's. */
export function generationOfTable(name: string): { readonly view: string; readonly generation: string } | undefined {
  const match = /^(?:speed|progress)_([a-z0-9_]+)_([0-9a-f]{8})$/.exec(name);
  if (match === null) return undefined;
  // A view's name has no underscore, so that it can be told from its table's.
  return { view: (match[1] as string).replaceAll("_", "-"), generation: match[2] as string };
}

/** The lease that keeps two batch runs apart: held by a TTL, so that a killed run frees it. */
export const createLeaseTable = `CREATE TABLE IF NOT EXISTS batch_lease (
  name text PRIMARY KEY, holder text
)`;
