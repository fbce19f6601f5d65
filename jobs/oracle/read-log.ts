import type { Application } from "../application.ts";
import { eventOf } from "./event.ts";
import type { LoggedEvent, OracleOffsets } from "./oracle.ts";

/** What reads a topic's records: {@link LogArgs} is given one, since it is asked of a running Kafka. */
export interface LogReader {
  /** Records from an offset on, perhaps none yet, and the offset to go on with. */
  fetch(
    topic: string,
    partition: number,
    start: number,
    options: { readonly end?: number; readonly maxWaitMilliseconds?: number },
  ): Promise<{
    readonly records: readonly { readonly offset: number; readonly value: Uint8Array | null }[];
    readonly next: number;
  }>;
}

/** What to read of a topic's log. */
export interface LogArgs<Event> {
  readonly reader: LogReader;
  readonly topic: string;
  readonly partitions: number;
  readonly application: Application<Event>;
  readonly maxEventBytes: number;
  /** Where to end, by partition. Default: never, until the signal */
  readonly until?: OracleOffsets;
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
      for (const { offset, value } of fetched.records)
        yield { partition, offset, event: eventOf(application, value, maxEventBytes) };
      next[partition] = fetched.next;
    }
  }
}
