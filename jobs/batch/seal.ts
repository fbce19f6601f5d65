import type { Application } from "../application.ts";
import { chunkBegin } from "../archive/partition-files.ts";
import { chunkEnd, chunkOf, type Offsets } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import { decodeEvent } from "../events/decode.ts";
import type { EventProducer } from "../kafka/event-producer.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import { writeSealMarkers } from "../kafka/seal-marker.ts";

/** What {@link sealOpenChunks} works with. */
export interface SealArgs<Event> {
  readonly configuration: Pick<Configuration, "topic" | "partitions" | "chunkSize" | "maxEventBytes">;
  readonly application: Pick<Application<Event>, "event">;
  readonly reader: Pick<RangeReader, "read" | "watermarks">;
  /** Writes to the topic of the events. */
  readonly markers: Pick<EventProducer, "send">;
  /** By partition the first offset of this life of the log. Default: 0 */
  readonly first?: Offsets;
  /** Told of every chunk that is closed. */
  readonly report: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Closes the open chunk of every partition that has an event in it: fills it with seal markers. Events that come meanwhile
 * only push some markers into the next chunk, which has no event by them and is not closed for them.
 *
 * @returns by partition, where the last chunk ends that has an event
 */
export async function sealOpenChunks<Event>(args: SealArgs<Event>): Promise<Offsets> {
  const { configuration, reader, markers, report, signal } = args;
  const { topic, partitions, chunkSize } = configuration;
  const watermarks = await reader.watermarks(topic);
  const ends: Record<string, number> = {};
  for (let partition = 0; partition < partitions; partition++) {
    const { earliest, latest } = watermarks[partition] ?? { earliest: 0, latest: 0 };
    const start = chunkBegin(latest, args.first?.[partition] ?? 0, chunkSize);
    const end = chunkEnd(chunkOf(latest, chunkSize), chunkSize);
    ends[partition] = start;
    // Of what others deleted, it is not known what it was.
    if (earliest <= start && !(await hasEvent(args, partition, start, latest))) continue;
    await writeSealMarkers(markers, partition, end - latest);
    ends[partition] = end;
    report(
      `partition ${partition}: closed the chunk ${start} to ${end - 1}, of which ${latest - start} offsets were written`,
    );
    signal?.throwIfAborted();
  }
  return ends;
}

async function hasEvent<Event>(
  { configuration, application, reader, signal }: SealArgs<Event>,
  partition: number,
  start: number,
  end: number,
): Promise<boolean> {
  for await (const records of reader.read(configuration.topic, partition, start, end, signal))
    for (const { value } of records)
      if (decodeEvent(application, value, configuration.maxEventBytes).reason === undefined) return true;
  return false;
}
