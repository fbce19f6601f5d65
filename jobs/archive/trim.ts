import { setTimeout as sleep } from "node:timers/promises";
import { smallestHorizon } from "../batch/horizon.ts";
import { chunkOf, chunkStart, type Offsets } from "../chunks.ts";
import type { ArchiveServices, PartitionArchiver } from "./partition-archiver.ts";

/** What decides on how much of the log is no longer needed. */
export interface TrimArgs {
  readonly partitions: number;
  readonly chunkSize: number;
  /** Where the archived chunks without a gap end. */
  readonly archived: Offsets;
  /** The current horizon of every view; one that has no version covers nothing: `{}`. */
  readonly horizons: readonly Offsets[];
  /** The first offsets that are not old enough to go. */
  readonly young: Offsets;
  /** The first offsets that the log holds. */
  readonly earliest: Offsets;
}

/**
 * By partition the offset before which records may go: they are archived, every view's batch view has them, and they
 * are old enough. Always an edge of a chunk, since chunks are read whole. Partitions with nothing to delete are left out.
 */
export function trimOffsets({ partitions, chunkSize, archived, horizons, young, earliest }: TrimArgs): Offsets {
  const covered = horizons.length === 0 ? {} : smallestHorizon(horizons);
  const offsets = Array.from({ length: partitions }, (_, partition) => {
    const end = Math.min(...[archived, covered, young].map((limit) => limit[partition] ?? 0));
    return [String(partition), chunkStart(chunkOf(end, chunkSize), chunkSize)] as const;
  });
  return Object.fromEntries(offsets.filter(([partition, offset]) => offset > (earliest[partition] ?? 0)));
}

/** What trimming works with beside what archiving does. */
export interface TrimServices {
  /** The current horizon of every view that has a version, and `{}` for each of this configuration's that has none. */
  horizons(): Promise<readonly Offsets[]>;
  /** Deletes a topic's records before the offsets, by partition. */
  deleteRecords(topic: string, before: Offsets): Promise<void>;
}

/**
 * Deletes records that are safe elsewhere and no longer needed, from time to time, until the signal comes. Whatever
 * fails is tried again the next time: nothing depends on it but the space that the log takes.
 *
 * @param milliseconds the pause between two looks
 */
export async function trim<Event>(
  services: ArchiveServices<Event> & { readonly trimming: TrimServices },
  archivers: readonly PartitionArchiver<Event>[],
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  const { metrics, log } = services;
  for (let failures = 0; ; ) {
    await sleep(milliseconds, undefined, { signal });
    try {
      await trimOnce(services, archivers, signal);
      failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      metrics.retries.inc({ system: "trimming" });
      if (failures++ % 20 === 0) log(`Kafka's records are not trimmed: ${(error as Error).message}; tries again`);
    }
  }
}

async function trimOnce<Event>(
  {
    configuration,
    reader,
    trimming,
    metrics,
    log,
    now = Date.now,
  }: ArchiveServices<Event> & {
    readonly trimming: TrimServices;
  },
  archivers: readonly PartitionArchiver<Event>[],
  signal: AbortSignal,
): Promise<void> {
  const { topic, partitions, chunkSize, retentionHours } = configuration;
  const watermarks = await reader.watermarks(topic);
  const earliest = Object.fromEntries(
    Object.entries(watermarks).map(([partition, held]) => [partition, held.earliest]),
  );
  for (const [partition, offset] of Object.entries(earliest)) metrics.trimmedOffset.set({ partition }, offset);
  const archived = Object.fromEntries(archivers.map(({ archivedEnd }, partition) => [partition, archivedEnd]));
  const args = { partitions, chunkSize, archived, earliest };
  // The log and the storage are asked only if there may be anything to do.
  if (Object.keys(trimOffsets({ ...args, horizons: [archived], young: archived })).length === 0) return;
  const horizons = await trimming.horizons();
  const young = await reader.offsetsAt(topic, Math.floor(now() - retentionHours * 3_600_000));
  const before = trimOffsets({ ...args, horizons, young });
  // What is to go is looked for once more where it is to be: files may have been deleted.
  const sure: Record<string, number> = {};
  // In another log the offsets that are archived are other events.
  for (const [partition, offset] of Object.entries(before))
    if (
      archivers[Number(partition)]?.isDiverged === false &&
      ((await archivers[Number(partition)]?.storedEnd(signal)) ?? 0) >= offset
    )
      sure[partition] = offset;
  if (Object.keys(sure).length === 0) return;
  await trimming.deleteRecords(topic, sure);
  for (const [partition, offset] of Object.entries(sure)) {
    metrics.trimmedOffset.set({ partition }, offset);
    log(`${topic}-${partition}: deleted the records before ${offset}: they are archived, and in every batch view`);
  }
}
