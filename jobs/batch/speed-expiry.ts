import { type Client, types } from "cassandra-driver";
import { chunkEnd, chunkOf, chunkStart, eraOf, type Offsets } from "../chunks.ts";
import { progressTable, speedTable } from "../speed/tables.ts";
import type { PointerKey } from "./pointer.ts";

/** The layout of the speed views. */
export interface SpeedLayout {
  readonly chunkSize: number;
  readonly chunksPerEra: number;
}

/**
 * The first era of a partition that is still needed: the one in which its horizon lies. A partition that the horizon does
 * not name is covered up to 0, and needs every era.
 */
export function firstNeededEra(horizon: Offsets, partition: number, { chunkSize, chunksPerEra }: SpeedLayout): number {
  return eraOf(chunkOf(horizon[partition] ?? 0, chunkSize), chunksPerEra);
}

/**
 * The timestamp that deletes an era of a partition: the largest that a row of it can have been written with. Later eras have larger
 * ones, and so has anything that must not be deleted.
 */
export function eraDeletionTimestamp(era: number, { chunkSize, chunksPerEra }: SpeedLayout): number {
  return chunkStart((era + 1) * chunksPerEra, chunkSize);
}

/** Rows of a speed view that Cassandra keeps and deletes together. */
export interface SpeedPart {
  readonly shard: number;
  readonly era: number;
  readonly partition: number;
}

/** Of the parts that there are, those that nobody needs any more. */
export function expiredParts(parts: Iterable<SpeedPart>, horizon: Offsets, layout: SpeedLayout): SpeedPart[] {
  return [...parts].filter(({ era, partition }) => era < firstNeededEra(horizon, partition, layout));
}

/** Progress of a partition's chunks before `chunk`, and the largest timestamp that it can have been written with. */
export interface ExpiredProgress {
  readonly partition: number;
  readonly chunk: number;
  readonly timestamp: number;
}

/**
 * The progress that nobody needs any more: all but the last chunk's before the horizon. Where nothing is read behind the
 * horizon yet, that one alone tells which leader wrote what is before it, and so whether the log is still the same.
 */
export function expiredProgress(horizon: Offsets, { chunkSize }: SpeedLayout): ExpiredProgress[] {
  return Object.entries(horizon).flatMap(([partition, offset]) => {
    const chunk = chunkOf(offset, chunkSize) - 1;
    if (chunk <= 0) return [];
    return [{ partition: Number(partition), chunk, timestamp: chunkEnd(chunk - 1, chunkSize) }];
  });
}

/**
 * Deletes what of a speed view no batch view's reader can need: eras and progress below the horizon, each partition's by
 * its own.
 *
 * @param client uses the keyspace of the speed views
 * @param horizon the smallest of those that are retained
 * @returns how many of the view's Cassandra partitions were deleted
 */
export async function expireSpeedView(
  client: Client,
  { view, generation }: PointerKey,
  horizon: Offsets,
  layout: SpeedLayout,
): Promise<number> {
  const options = { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum };
  const table = speedTable(view, generation);
  const parts: SpeedPart[] = [];
  for await (const { shard, era, partition } of await client.execute(
    `SELECT DISTINCT shard, era, partition FROM ${table}`,
    [],
    options,
  ))
    parts.push({ shard, era, partition });
  const expired = expiredParts(parts, horizon, layout);
  for (const { shard, era, partition } of expired)
    await client.execute(
      `DELETE FROM ${table} USING TIMESTAMP ? WHERE shard = ? AND era = ? AND partition = ?`,
      [types.Long.fromNumber(eraDeletionTimestamp(era, layout)), shard, era, partition],
      options,
    );
  for (const { partition, chunk, timestamp } of expiredProgress(horizon, layout))
    await client.execute(
      `DELETE FROM ${progressTable(view, generation)} USING TIMESTAMP ? WHERE partition = ? AND chunk < ?`,
      [types.Long.fromNumber(timestamp), partition, chunk],
      options,
    );
  return expired.length;
}
