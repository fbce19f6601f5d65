import { createHash } from "node:crypto";
import { Client, errors, policies, types } from "cassandra-driver";
import pMap from "p-map";
import { withBackOff } from "../back-off.ts";
import { readPointer } from "../batch/pointer.ts";
import type { Version } from "../batch/versions.ts";
import { eraOf } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import { UnknownFormatError } from "../formats.ts";
import { type NotedIncarnation, readIncarnation } from "../log/incarnation.ts";
import type { View } from "../views/view.ts";
import type { ChangedRow } from "./chunk-rows.ts";
import { previousText } from "./previous-state.ts";
import type { ChunkProgress } from "./resume.ts";
import { shardOf } from "./shard.ts";
import { progressTable, speedTable } from "./tables.ts";

// biome-ignore lint/suspicious/noExplicitAny: a store never looks at events
export type AnyView = View<any>;

/** What a write is about: a chunk's events from its first up to `end` (exclusive). */
export interface Stretch {
  readonly partition: number;
  readonly chunk: number;
  readonly end: number;
  /** The log's leader epoch at the last record before the end; -1 if it is not known. */
  readonly leaderEpoch: number;
}

/** Where the speed layer keeps its rows, and how far they reach. */
export interface SpeedStore {
  /** Writes rows of a view, so that those of a larger end win. Resolves when all are acknowledged. */
  writeRows(view: AnyView, stretch: Stretch, rows: readonly ChangedRow[]): Promise<void>;
  /** Notes that all of the view's rows of the stretch are acknowledged. */
  writeProgress(view: AnyView, stretch: Stretch): Promise<void>;
  /** How far the view's rows reach, a row a chunk, in any order. */
  progress(view: AnyView): Promise<ChunkProgress[]>;
  /** Up to where the view's batch view reaches; an empty horizon as long as there is none. */
  covered(view: AnyView): Promise<Pick<Version, "horizon" | "epochs">>;
  /**
   * Names the views' tables that there are now: another name means that one was dropped and made again, empty.
   * Undefined as long as one is missing.
   */
  tablesId(views: readonly AnyView[]): Promise<string | undefined>;
}

/** A row and where it is stored. */
export interface StoredRow extends ChangedRow {
  readonly shard: number;
}

/** A batch's most rows. */
const batchRows = 200;
/** A batch's most characters: larger ones make Cassandra's commit log wait. */
const batchCharacters = 64 * 1024;
/** The most characters of a batch of several shards: Cassandra refuses one of more than 50 KiB. */
const mixedCharacters = 16 * 1024;

/**
 * The rows in batches of one shard each; together, if they are few as at the log's end: requests cost Cassandra more than
 * rows.
 */
export function batchesOf(rows: readonly ChangedRow[], shards: number): StoredRow[][] {
  const together = rows.length <= batchRows && rows.reduce((sum, row) => sum + charactersOf(row), 0) <= mixedCharacters;
  const batches: StoredRow[][] = [];
  const open = new Map<number, { rows: StoredRow[]; characters: number }>();
  for (const row of rows) {
    const shard = shardOf(row.key, shards);
    const characters = charactersOf(row);
    const place = together ? 0 : shard;
    let batch = open.get(place);
    if (batch === undefined || batch.rows.length >= batchRows || batch.characters + characters > batchCharacters) {
      batch = { rows: [], characters: 0 };
      open.set(place, batch);
      batches.push(batch.rows);
    }
    batch.rows.push({ shard, ...row });
    batch.characters += characters;
  }
  return batches;
}

/** About the characters that a row takes in a request. */
function charactersOf({ key, state, previous }: ChangedRow): number {
  return key.length + state.length + (previous?.state.length ?? 0) + 48;
}

/** The CQL that writes a row. */
export function insertRow(table: string): string {
  return `INSERT INTO ${table} (shard, era, partition, key, bucket, chunk, state, previous) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`;
}

/** The CQL that notes how far a chunk's rows reach. */
export function insertProgress(table: string): string {
  return `INSERT INTO ${table} (partition, chunk, end_offset, leader_epoch) VALUES (?, ?, ?, ?) USING TIMESTAMP ?`;
}

export interface CassandraSpeedStoreOptions {
  readonly configuration: Pick<Configuration, "cassandra" | "speed" | "generations" | "topic" | "incarnation">;
  /** Told of every failure that is tried again. Default: nobody */
  readonly onRetry?: (error: Error, failures: number) => void;
  /** Seconds until what keeps failing is given up. Default: 20, less than Storm waits for a tuple */
  readonly patience?: number;
}

/** Batches of a stretch and view that are under way at once. */
const parallel = 8;

/** The speed views in Cassandra. Every statement is repeatable, so every failure that may pass is tried again. */
export class CassandraSpeedStore implements SpeedStore {
  readonly #options: CassandraSpeedStoreOptions;
  readonly #client: Client;
  readonly #patience: number;

  constructor(options: CassandraSpeedStoreOptions) {
    this.#options = options;
    this.#patience = options.patience ?? 20;
    const { contactPoints, localDataCenter, keyspace } = options.configuration.cassandra;
    this.#client = new Client({
      contactPoints: [...contactPoints],
      localDataCenter,
      keyspace,
      queryOptions: { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum },
      socketOptions: { connectTimeout: 3_000, readTimeout: 5_000 },
      // The default waits for up to ten minutes before it looks for a lost server again.
      policies: { reconnection: new policies.reconnection.ExponentialReconnectionPolicy(100, 2_000, false) },
    });
  }

  async writeRows(view: AnyView, { partition, chunk, end }: Stretch, rows: readonly ChangedRow[]): Promise<void> {
    const { shards, chunksPerEra } = this.#options.configuration.speed;
    const query = insertRow(speedTable(view.name, this.#generation(view)));
    // As the driver would encode them, but once for all rows: it spends most of its time on what they have in common.
    const [era, ofPartition, ofChunk] = [int(eraOf(chunk, chunksPerEra)), int(partition), int(chunk)];
    const timestamp = bigint(end);
    await pMap(
      batchesOf(rows, shards),
      (batch) => {
        const ofShard = remembering(int);
        const ofBucket = remembering(bigint);
        const queries = batch.map(({ shard, key, bucket, state, previous }) => {
          // Unset, what another process wrote stays, and stays true.
          const before = previous === undefined ? types.unset : previousText(previous);
          return {
            query,
            params: [ofShard(shard), era, ofPartition, key, ofBucket(bucket), ofChunk, state, before, timestamp],
          };
        });
        return this.#patiently(() => this.#client.batch(queries, { logged: false, prepare: true }));
      },
      { concurrency: parallel },
    );
  }

  async writeProgress(view: AnyView, { partition, chunk, end, leaderEpoch }: Stretch): Promise<void> {
    const offset = types.Long.fromNumber(end);
    const query = insertProgress(progressTable(view.name, this.#generation(view)));
    await this.#patiently(() => this.#client.execute(query, [partition, chunk, offset, leaderEpoch, offset]));
  }

  async progress(view: AnyView): Promise<ChunkProgress[]> {
    const query = `SELECT partition, chunk, end_offset, leader_epoch FROM ${progressTable(view.name, this.#generation(view))}`;
    const rows: ChunkProgress[] = [];
    let pageState: string | undefined;
    do {
      const options = { fetchSize: 5_000, ...(pageState === undefined ? {} : { pageState }) };
      const page = await this.#patiently(() => this.#client.execute(query, [], options));
      for (const row of page.rows)
        if (row.end_offset !== null)
          rows.push({
            partition: row.partition,
            chunk: row.chunk,
            end: Number(row.end_offset),
            leaderEpoch: row.leader_epoch ?? -1,
          });
      pageState = page.pageState ?? undefined;
    } while (pageState !== undefined);
    return rows;
  }

  async covered(view: AnyView): Promise<Pick<Version, "horizon" | "epochs">> {
    const key = { view: view.name, generation: this.#generation(view) };
    return (await this.#patiently(() => readPointer(this.#client, key))) ?? { horizon: {} };
  }

  /** The life of the log that the rows are of, see jobs/log; undefined as long as nobody has noted it. */
  incarnation(): Promise<NotedIncarnation | undefined> {
    const { topic, incarnation } = this.#options.configuration;
    return this.#patiently(() => readIncarnation(this.#client, topic, incarnation));
  }

  async tablesId(views: readonly AnyView[]): Promise<string | undefined> {
    const query = "SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?";
    const params = [this.#options.configuration.cassandra.keyspace];
    const { rows } = await this.#patiently(() => this.#client.execute(query, params));
    const ids = new Map(rows.map(({ table_name, id }) => [table_name, String(id)]));
    const tables = views.flatMap((view) => {
      const generation = this.#generation(view);
      return [speedTable(view.name, generation), progressTable(view.name, generation)];
    });
    if (!tables.every((table) => ids.has(table))) return undefined;
    const names = tables.map((table) => `${table} ${ids.get(table)}`).sort();
    return createHash("sha256").update(names.join()).digest("hex").slice(0, 8);
  }

  async close(): Promise<void> {
    await this.#client.shutdown();
  }

  async #patiently<Result>(operation: () => Promise<Result>): Promise<Result> {
    const end = performance.now() + this.#patience * 1000;
    return withBackOff(operation, {
      isTransient: (error) => isTransient(error) && performance.now() < end,
      onRetry: this.#options.onRetry,
    });
  }

  #generation(view: AnyView): string {
    const generation = this.#options.configuration.generations[view.name];
    if (generation === undefined) throw new TypeError(`the configuration has no generation of view ${view.name}`);
    return generation;
  }
}

/** The same function, which computes a value once. */
function remembering<Result>(compute: (value: number) => Result): (value: number) => Result {
  const known = new Map<number, Result>();
  return (value) => {
    let result = known.get(value);
    if (result === undefined) {
      result = compute(value);
      known.set(value, result);
    }
    return result;
  };
}

/** A CQL `int`. */
function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** A CQL `bigint`. */
function bigint(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

/** Whether the same statement may succeed later: not if Cassandra understood and refused it. */
export function isTransient(error: Error): boolean {
  if (error instanceof errors.AuthenticationError || error instanceof errors.ArgumentError) return false;
  if (error instanceof UnknownFormatError) return false;
  if (!(error instanceof errors.ResponseError)) return !(error instanceof TypeError);
  const { syntaxError, invalid, unauthorized, configError, alreadyExists } = types.responseErrorCodes;
  return ![syntaxError, invalid, unauthorized, configError, alreadyExists].includes(error.code);
}
