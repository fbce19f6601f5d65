import { type Client, types } from "cassandra-driver";
import * as z from "zod";
import { checkFormat, sharedFormats } from "../formats.ts";
import { type Pointer, retainedVersions, type Version } from "./versions.ts";

/** Whose pointer: a view in the generation of its code. */
export interface PointerKey {
  readonly view: string;
  readonly generation: string;
}

/** The pointer was moved or claimed by another run: this one is no longer the one that may move it. */
export class SupersededError extends Error {
  override readonly name = "SupersededError";
}

const offsets = z.record(z.string().regex(/^\d+$/), z.int().nonnegative());
const version = z.strictObject({
  version: z.string(),
  datasource: z.string(),
  horizon: offsets,
  // Older versions do not tell the epochs, nor what is lost.
  epochs: offsets.optional(),
  rows: z.int().nonnegative(),
  lost: z
    .array(z.strictObject({ partition: z.int().nonnegative(), from: z.int().nonnegative(), to: z.int().nonnegative() }))
    .default([]),
});

/** The columns of {@link Pointer}'s row in `batch_pointer`. */
export interface PointerRow {
  readonly version: string | null;
  readonly datasource: string | null;
  /** {@link Version.horizon} as JSON. */
  readonly horizon: string | null;
  readonly row_count: unknown;
  /** {@link Pointer.retained} as JSON. */
  readonly retained: string | null;
  /** {@link Version.lost} as JSON; null in rows of format 1. */
  readonly lost: string | null;
  /** {@link Version.epochs} as JSON. */
  readonly epochs?: string | null;
  /** See `sharedFormats`; null: 1. */
  readonly format: number | null;
}

/** The values of `version, datasource, horizon, row_count, retained, lost, format, epochs`. */
export function encodePointer(pointer: Pointer): [string, string, string, types.Long, string, string, number, string] {
  return [
    pointer.version,
    pointer.datasource,
    JSON.stringify(pointer.horizon),
    types.Long.fromNumber(pointer.rows),
    JSON.stringify(pointer.retained),
    JSON.stringify(pointer.lost),
    sharedFormats.pointer,
    JSON.stringify(pointer.epochs ?? {}),
  ];
}

/**
 * The pointer of a row; undefined if the row was only claimed by a first run that has not moved it yet.
 *
 * @throws {UnknownFormatError} if newer code made the row
 * @throws {z.ZodError} if the row is not one that {@link encodePointer} made
 */
export function decodePointer(row: PointerRow): Pointer | undefined {
  checkFormat("a row of the table batch_pointer", row.format, sharedFormats.pointer);
  if (row.version === null) return undefined;
  const current = version.parse({
    version: row.version,
    datasource: row.datasource,
    horizon: JSON.parse(row.horizon ?? "null"),
    rows: Number(row.row_count),
    lost: JSON.parse(row.lost ?? "[]"),
    epochs: JSON.parse(row.epochs ?? "{}"),
  });
  return { ...current, retained: z.array(version).parse(JSON.parse(row.retained ?? "null")) };
}

/** The pointer after a move to `next`: the current version becomes the newest of the retained ones. */
export function nextPointer(next: Version, current: Pointer | undefined): Pointer {
  if (current === undefined) return { ...next, retained: [] };
  const { retained, ...previous } = current;
  return { ...next, retained: [previous, ...retained].slice(0, retainedVersions) };
}

/** The versions that a pointer can answer from, newest first. */
export function versionsOf(pointer: Pointer | undefined): Version[] {
  if (pointer === undefined) return [];
  const { retained, ...current } = pointer;
  return [current, ...retained];
}

const columns = "version, datasource, horizon, row_count, retained, lost, format, epochs";

/**
 * Which batch view answers; undefined as long as there is none.
 *
 * @param client uses the keyspace of the speed views
 */
export async function readPointer(client: Client, { view, generation }: PointerKey): Promise<Pointer | undefined> {
  const result = await client.execute(
    `SELECT ${columns} FROM batch_pointer WHERE "view" = ? AND generation = ?`,
    [view, generation],
    { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum },
  );
  const row = result.first();
  return row === null ? undefined : decodePointer(row as unknown as PointerRow);
}

/** Every pointer there is, those of former generations too. */
export async function readAllPointers(client: Client): Promise<(PointerKey & { readonly pointer: Pointer })[]> {
  const result = await client.execute(`SELECT "view", generation, ${columns} FROM batch_pointer`, [], {
    prepare: true,
    isIdempotent: true,
    consistency: types.consistencies.localQuorum,
  });
  return result.rows.flatMap((row) => {
    const pointer = decodePointer(row as unknown as PointerRow);
    return pointer === undefined ? [] : [{ view: row.view, generation: row.generation, pointer }];
  });
}

/**
 * Makes `run` the only run that may move the pointer, from now until another one claims it. A run that was believed
 * dead and goes on thus cannot move the pointer to a version whose data its successor has removed.
 *
 * @returns the pointer that the run begins from
 * @throws {SupersededError} if another run claims it at the same moment, or a later one has claimed it
 */
export async function claimPointer(client: Client, key: PointerKey, run: string): Promise<Pointer | undefined> {
  const { view, generation } = key;
  const before = await client.execute(
    `SELECT ${columns}, run FROM batch_pointer WHERE "view" = ? AND generation = ?`,
    [view, generation],
    { prepare: true, consistency: types.consistencies.localSerial },
  );
  const row = before.first();
  if (row !== null && row.run >= run)
    throw new SupersededError(`run ${row.run} claimed the pointer of ${view}; this one, ${run}, is given up`);
  // Before anything changes: a row of newer code is left alone.
  const pointer = row === null ? undefined : decodePointer(row as unknown as PointerRow);
  const applied = await applyConditionally(
    client,
    'UPDATE batch_pointer SET run = ? WHERE "view" = ? AND generation = ? IF run = ?',
    [run, view, generation, row?.run ?? null],
  );
  if (!applied) throw new SupersededError(`another run claimed the pointer of ${view} at the same moment`);
  return pointer;
}

/** The runs that claimed any pointer last: a new run's version must sort after all of them. */
export async function readRuns(client: Client): Promise<string[]> {
  const { rows } = await client.execute("SELECT run FROM batch_pointer", [], {
    prepare: true,
    isIdempotent: true,
    consistency: types.consistencies.localQuorum,
  });
  return rows.flatMap(({ run }) => run ?? []);
}

/**
 * Claims every pointer that there is beside the run's own: those of generations that other code asks. No run that began
 * before can move any of them then, and what no pointer names now is named by none later.
 *
 * @throws {SupersededError} if a later run has claimed one
 */
export async function claimOthers(client: Client, own: readonly PointerKey[], run: string): Promise<void> {
  const { rows } = await client.execute('SELECT "view", generation, run FROM batch_pointer', [], {
    prepare: true,
    consistency: types.consistencies.localQuorum,
  });
  for (const { view, generation, run: before } of rows) {
    if (before === run || own.some((key) => key.view === view && key.generation === generation)) continue;
    if (before > run) throw new SupersededError(`run ${before} claimed the pointer of ${view}; this one is given up`);
    // A row that was removed meanwhile is nobody's any more, and stays away.
    const applied = await applyConditionally(
      client,
      'UPDATE batch_pointer SET run = ? WHERE "view" = ? AND generation = ? IF run = ?',
      [run, view, generation, before],
    );
    if (!applied) await checkUnclaimed(client, { view, generation }, run);
  }
}

/**
 * Looks whether the run is still the last one to have claimed the pointer.
 *
 * @throws {SupersededError} if it is not
 */
export async function checkClaim(client: Client, key: PointerKey, run: string): Promise<void> {
  if ((await readRun(client, key)) !== run)
    throw new SupersededError(`another run claimed the pointer of ${key.view}; this one is given up`);
}

async function checkUnclaimed(client: Client, key: PointerKey, run: string): Promise<void> {
  const claimed = await readRun(client, key);
  if (claimed !== undefined && claimed !== run)
    throw new SupersededError(`run ${claimed} claimed the pointer of ${key.view} at the same moment`);
}

/** The run that claimed the pointer last, by all that is decided. */
async function readRun(client: Client, { view, generation }: PointerKey): Promise<string | undefined> {
  const { rows } = await client.execute(
    'SELECT run FROM batch_pointer WHERE "view" = ? AND generation = ?',
    [view, generation],
    { prepare: true, consistency: types.consistencies.localSerial },
  );
  return rows[0]?.run ?? undefined;
}

/**
 * Moves the pointer, all columns at once.
 *
 * @throws {SupersededError} unless `run` was the last to claim it; then nothing has changed
 */
export async function movePointer(client: Client, key: PointerKey, run: string, pointer: Pointer): Promise<void> {
  const applied = await applyConditionally(
    client,
    'UPDATE batch_pointer SET version = ?, datasource = ?, horizon = ?, row_count = ?, retained = ?, lost = ?, format = ?, epochs = ? WHERE "view" = ? AND generation = ? IF run = ?',
    [...encodePointer(pointer), key.view, key.generation, run],
  );
  if (!applied) throw new SupersededError(`another run claimed the pointer of ${key.view}; this one is given up`);
}

/** Runs a lightweight transaction; whether its condition held. */
export async function applyConditionally(client: Client, cql: string, values: unknown[]): Promise<boolean> {
  const result = await client.execute(cql, values, {
    prepare: true,
    consistency: types.consistencies.localQuorum,
    serialConsistency: types.consistencies.localSerial,
  });
  return result.wasApplied();
}
