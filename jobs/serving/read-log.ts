import type { Application } from "../application.ts";
import type { Offsets } from "../chunks.ts";
import { decodeEvent } from "../events/decode.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import type { LoggedEvent } from "./oracle.ts";

/** What to read of a topic's log. */
export interface LogArgs<Event> {
  readonly reader: RangeReader;
  readonly topic: string;
  readonly partitions: number;
  readonly application: Application<Event>;
  readonly maxEventBytes: number;
  /** Where to end, by partition. Default: never, until the signal */
  readonly until?: Offsets;
  readonly signal?: AbortSignal;
}

/**
 * A topic's events from its beginning, in offset order within each partition: what an oracle takes its one pass over.
 *
 * @throws {OffsetOutOfRangeError} if Kafka no longer holds the beginning
 */
export async function* readLog<Event>(args: LogArgs<Event>): AsyncGenerator<LoggedEvent<Event>, void, undefined> {
  const { reader, topic, application, maxEventBytes, until, signal } = args;
  const next = Array.from({ length: args.partitions }, () => 0);
  const isOpen = (partition: number) => until === undefined || (next[partition] as number) < (until[partition] ?? 0);
  while (!signal?.aborted && next.some((_, partition) => isOpen(partition))) {
    for (let partition = 0; partition < args.partitions; partition++) {
      if (!isOpen(partition)) continue;
      const end = until?.[partition];
      const fetched = await reader.fetch(topic, partition, next[partition] as number, {
        ...(end !== undefined && { end }),
        maxWaitMilliseconds: 20,
      });
      for (const { offset, value } of fetched.records) {
        const { event } = decodeEvent(application, value, maxEventBytes);
        yield { partition, offset, event };
      }
      next[partition] = fetched.next;
    }
  }
}
