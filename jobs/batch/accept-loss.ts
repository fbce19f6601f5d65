import { lostName, partitionFolder } from "../archive/layout.ts";
import { missingRanges, partitionFiles, partsOf } from "../archive/partition-files.ts";
import { chunkEnd, chunkOf, type Offsets } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import type { EventProducer } from "../kafka/event-producer.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import { writeSealMarkers } from "../kafka/seal-marker.ts";
import type { FileStorage } from "../storage/file-storage.ts";

/** What {@link acceptLosses} works with. */
export interface AcceptLossArgs {
  readonly configuration: Pick<
    Configuration,
    "topic" | "partitions" | "chunkSize" | "masterDataset" | "openChunks" | "incarnation"
  >;
  readonly reader: Pick<RangeReader, "watermarks">;
  readonly storage: Pick<FileStorage, "list" | "publish">;
  /** Writes to the topic of the events. */
  readonly markers: Pick<EventProducer, "send">;
  /** By partition the first offset of this life of the log. Default: 0 */
  readonly first?: Offsets;
  /** Told of every loss that is accepted. */
  readonly report: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Writes down that what is lost is lost: the offsets that neither the storage nor the log holds. The archiver and batch
 * runs then go on without them, and every answer names them. A loss in the open chunk closes it: it is a batch view that
 * says that the loss is accepted, and batch views cover whole chunks. What is there is never taken for lost. Done again, it
 * changes nothing but what a killed one left undone.
 *
 * @returns by partition, where the chunk ends that has its last accepted loss
 */
export async function acceptLosses(args: AcceptLossArgs): Promise<Offsets> {
  const { configuration, reader, storage, markers, report, signal } = args;
  const { chunkSize } = configuration;
  // First the log, then the storage: what goes from the one into the other meanwhile is seen.
  const watermarks = await reader.watermarks(configuration.topic);
  const ends: Record<string, number> = {};
  let isAnyNew = false;
  for (let partition = 0; partition < configuration.partitions; partition++) {
    const first = args.first?.[partition] ?? 0;
    const of = { ...configuration, partition };
    const folder = partitionFolder(configuration.masterDataset, of);
    const parts = partsOf(await storage.list(partitionFolder(configuration.openChunks, of), signal));
    const files = partitionFiles(await storage.list(folder, signal));
    const { earliest = 0, latest = 0 } = watermarks[partition] ?? {};
    const missing = missingRanges(files, parts, first, earliest);
    for (const range of missing) {
      await storage.publish(`${folder}/${lostName(range)}`, [], { length: 0, ...(signal && { signal }) });
      isAnyNew = true;
      report(
        `partition ${partition}: offsets ${range.start} to ${range.end - 1} are lost; it goes on without them, and answers name them`,
      );
    }
    const accepted = [...files.lost, ...missing];
    if (accepted.length === 0) continue;
    const end = chunkEnd(chunkOf(Math.max(...accepted.map((range) => range.end)) - 1, chunkSize), chunkSize);
    ends[partition] = end;
    if (latest >= end) continue;
    await writeSealMarkers(markers, partition, end - latest);
    report(`partition ${partition}: closed the chunk that the loss is in, from offset ${latest} to ${end - 1}`);
  }
  if (!isAnyNew) report("nothing more is lost: whatever Kafka no longer has is archived, or accepted before");
  return ends;
}
