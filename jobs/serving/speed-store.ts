import { type Client, types } from "cassandra-driver";
import pMap from "p-map";
import { parsePrevious } from "../speed/previous-state.ts";
import { shardOf } from "../speed/shard.ts";
import { progressTable, speedTable } from "../speed/tables.ts";
import { keyText } from "../views/aggregate.ts";
import type { Progress } from "./coverage.ts";
import type { AnyView, Selection, SpeedRow, Stores } from "./stores.ts";

/** What is needed to know of the speed views' layout. */
export interface SpeedStoreOptions {
  /** A client that uses the keyspace. */
  readonly client: Client;
  /** The generation of every view by its name. */
  readonly generations: Readonly<Record<string, string>>;
  readonly partitions: number;
  readonly shards: number;
  /** Statements under way at once of a query. Default: 8 */
  readonly parallel?: number;
  /** The most rows a page; there are fewer where rows are large. Default: 5,000 */
  readonly pageRows?: number;
}

/** Times outside every view's, for queries without a bound. */
const everFrom = Number.MIN_SAFE_INTEGER;
const everTo = Number.MAX_SAFE_INTEGER;

/** The CQL that reads how far the speed layer has come in a view. */
export function readProgress(table: string): string {
  return `SELECT partition, chunk, end_offset, leader_epoch FROM ${table} WHERE partition IN ? AND chunk >= ?`;
}

/** The CQL that reads a key's rows of some partitions in an era: one request, however many partitions there are. */
export function readKeyRows(table: string): string {
  return `SELECT bucket, partition, chunk, state, previous, WRITETIME(state) AS written FROM ${table} WHERE shard = ? AND era = ? AND partition IN ? AND key = ? AND bucket >= ? AND bucket < ?`;
}

/** The CQL that reads every key's rows of some partitions in an era and shard. */
export function readShardRows(table: string): string {
  return `SELECT key, bucket, partition, chunk, state, previous, WRITETIME(state) AS written FROM ${table} WHERE shard = ? AND era = ? AND partition IN ?`;
}

/** The speed views in Cassandra, as jobs/speed writes them. */
export function speedStore(options: SpeedStoreOptions): Pick<Stores, "progress" | "speedRows"> {
  const { client, shards, parallel = 8, pageRows = 5_000 } = options;
  const partitions = Array.from({ length: options.partitions }, (_, partition) => partition);

  const generationOf = (view: AnyView) => {
    const generation = options.generations[view.name];
    if (generation === undefined) throw new TypeError(`the configuration has no generation of view ${view.name}`);
    return generation;
  };

  /** Page by page: a driver's stream would read on however slowly its rows are taken. */
  async function read(cql: string, values: unknown[], signal: AbortSignal, take: (row: types.Row) => void) {
    let pageState: string | undefined;
    let fetchSize = Math.min(firstPageRows, pageRows);
    do {
      signal.throwIfAborted();
      const page = await client.execute(cql, values, {
        prepare: true,
        consistency: types.consistencies.localQuorum,
        fetchSize,
        ...(pageState === undefined ? {} : { pageState }),
      });
      for (const row of page.rows) take(row);
      const characters = page.rows.reduce((sum, row) => sum + charactersOf(row), 0);
      fetchSize = nextPageRows(page.rows.length, characters, pageRows);
      pageState = page.pageState ?? undefined;
    } while (pageState !== undefined);
  }

  return {
    async progress(view, chunk, signal) {
      const rows: Progress[] = [];
      const table = progressTable(view.name, generationOf(view));
      await read(readProgress(table), [partitions, chunk], signal, (row) => {
        // A row without an end is the rest of an expired one.
        if (row.end_offset !== null)
          rows.push({
            partition: row.partition,
            chunk: row.chunk,
            end: row.end_offset.toNumber(),
            leaderEpoch: row.leader_epoch ?? -1,
          });
      });
      return rows;
    },

    async speedRows(view, eras, selection: Selection, take: (row: SpeedRow) => void, signal) {
      const table = speedTable(view.name, generationOf(view));
      const { key, from = everFrom, to = everTo } = selection;
      if (key !== undefined) {
        const text = keyText(key);
        const shard = shardOf(text, shards);
        await pMap(
          eras,
          ({ era, partitions }) =>
            read(
              readKeyRows(table),
              [shard, era, partitions, text, types.Long.fromNumber(from), types.Long.fromNumber(to)],
              signal,
              (row) => take(speedRow(row, text)),
            ),
          { concurrency: parallel },
        );
        return;
      }
      const places = eras.flatMap((part) => Array.from({ length: shards }, (_, shard) => ({ ...part, shard })));
      await pMap(
        places,
        ({ era, partitions, shard }) =>
          read(readShardRows(table), [shard, era, partitions], signal, (row) => {
            const bucket = row.bucket.toNumber();
            if (bucket >= from && bucket < to) take(speedRow(row, row.key));
          }),
        { concurrency: parallel },
      );
    },
  };
}

/** Rows of the first page, of which it is not known yet how large they are. */
const firstPageRows = 500;
/** About the most characters of a page: all of them are in memory at once. */
const pageCharacters = 4 * 1024 * 1024;

/**
 * How many rows to ask for next: as many as are large enough for a page, by those of the one before.
 *
 * @param most the most rows
 */
export function nextPageRows(rows: number, characters: number, most: number): number {
  const fitting = Math.floor((pageCharacters * Math.max(1, rows)) / Math.max(1, characters));
  return Math.min(most, Math.max(50, fitting));
}

/** About the characters of a row: those of its texts. */
function charactersOf({ key, state, previous }: types.Row): number {
  return (key?.length ?? 0) + (state?.length ?? 0) + (previous?.length ?? 0) + 64;
}

function speedRow(row: types.Row, key: string): SpeedRow {
  return {
    key,
    bucket: row.bucket.toNumber(),
    partition: row.partition,
    chunk: row.chunk,
    state: row.state,
    written: row.written.toNumber(),
    previous: row.previous === null ? undefined : parsePrevious(row.previous),
  };
}
