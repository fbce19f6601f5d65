import { lostName, partitionFolder } from "../archive/layout.ts";
import { chunkBegin, missingRanges, partitionFiles, partsOf } from "../archive/partition-files.ts";
import type { Offsets } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import type { FileStorage } from "../storage/file-storage.ts";

/** What {@link acceptLosses} works with. */
export interface AcceptLossArgs {
  readonly configuration: Pick<
    Configuration,
    "topic" | "partitions" | "chunkSize" | "masterDataset" | "openChunks" | "incarnation"
  >;
  readonly reader: Pick<RangeReader, "watermarks">;
  readonly storage: Pick<FileStorage, "list" | "publish">;
  /** By partition the first offset of this life of the log. Default: 0 */
  readonly first?: Offsets;
  /** Told of every loss that is accepted. */
  readonly report: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Writes down that what is lost is lost: the offsets that neither the storage nor the log holds. The archiver and batch
 * runs then go on without them, and every answer names them. What is there is never taken for lost: done again, it
 * changes nothing.
 *
 * @returns by partition, up to where the archiver can go on at once: the edge of the last chunk that lacks something
 */
export async function acceptLosses(args: AcceptLossArgs): Promise<Offsets> {
  const { configuration, reader, storage, report, signal } = args;
  // First the log, then the storage: what goes from the one into the other meanwhile is seen.
  const watermarks = await reader.watermarks(configuration.topic);
  const ends: Record<string, number> = {};
  for (let partition = 0; partition < configuration.partitions; partition++) {
    const first = args.first?.[partition] ?? 0;
    const of = { ...configuration, partition };
    const folder = partitionFolder(configuration.masterDataset, of);
    const parts = partsOf(await storage.list(partitionFolder(configuration.openChunks, of), signal));
    const files = partitionFiles(await storage.list(folder, signal));
    for (const range of missingRanges(files, parts, first, watermarks[partition]?.earliest ?? 0)) {
      await storage.publish(`${folder}/${lostName(range)}`, [], { length: 0, ...(signal && { signal }) });
      ends[partition] = chunkBegin(range.end, first, configuration.chunkSize);
      report(
        `partition ${partition}: offsets ${range.start} to ${range.end - 1} are lost; it goes on without them, and answers name them`,
      );
    }
  }
  if (Object.keys(ends).length === 0) report("nothing is lost: whatever Kafka no longer has is archived");
  return ends;
}
