/**
 * The speed views' tables in Cassandra, and the serving layer's pointer beside them.
 * (`view` is a reserved word of CQL: it is always quoted.)
 *
 * A speed view's row is the state of one key in one time step over the events of one chunk, written whole with
 * `USING TIMESTAMP <end offset>`: of two writes of a row the one that saw more of the chunk wins, in whatever order
 * they come, and a replayed write changes nothing.
 */

/** The table of a view's rows: one a generation, so that new code never mixes with old rows. */
export function speedTable(view: string, generation: string): string {
  return `speed_${view.replaceAll("-", "_")}_${generation}`;
}

/** The CQL that makes a view's table, without its keyspace. */
export function createSpeedTable(view: string, generation: string): string {
  return `CREATE TABLE IF NOT EXISTS ${speedTable(view, generation)} (
  shard int, era int, key text, bucket bigint, partition int, chunk int,
  state text,
  PRIMARY KEY ((shard, era), key, bucket, partition, chunk)
) WITH compression = {'class': 'LZ4Compressor'}`;
}

/**
 * How far the speed layer has come: a row a chunk, its `end_offset` written with `USING TIMESTAMP end_offset` after
 * every row of the chunk up to there is acknowledged.
 */
export const createProgressTable = `CREATE TABLE IF NOT EXISTS speed_progress (
  "view" text, generation text, partition int, chunk int, end_offset bigint,
  PRIMARY KEY (("view", generation), partition, chunk)
)`;

/**
 * Which batch view answers: `version` is the current one, `retained` the older ones that still can be queried;
 * both with their Druid datasource, number of rows, and horizon as JSON (see jobs/batch/pointer.ts). Moved by a
 * lightweight transaction only, by the batch run that was the last to write itself down as `run`.
 */
export const createPointerTable = `CREATE TABLE IF NOT EXISTS batch_pointer (
  "view" text, generation text, version text, datasource text, horizon text, row_count bigint, retained text, run text,
  PRIMARY KEY (("view", generation))
)`;

/** The lease that keeps two batch runs apart: held by a TTL, so that a killed run frees it. */
export const createLeaseTable = `CREATE TABLE IF NOT EXISTS batch_lease (
  name text PRIMARY KEY, holder text
)`;
