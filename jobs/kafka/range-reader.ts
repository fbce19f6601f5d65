/** A record of a partition. */
export interface LogRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  /** Null for a tombstone. It is a slice of the fetched response: copy what must outlive it. */
  readonly value: Buffer | null;
}

/** The offsets that a partition holds: `[earliest, latest)`. */
export interface Watermarks {
  readonly earliest: number;
  /** The offset after the last one that readers can see. */
  readonly latest: number;
}

/** What one fetch brought. */
export interface Fetched {
  /** In offset order, all at or past the offset asked for and before the end. May be empty. */
  readonly records: readonly LogRecord[];
  /** The offset to go on from; past the last record's by more than one where the log has gaps. */
  readonly next: number;
  /** The partition's latest offset, see {@link Watermarks}. */
  readonly latest: number;
}

export interface RangeReaderOptions {
  /** `host:port` of the brokers. */
  readonly bootstrapServers: readonly string[];
  /** The name in the brokers' logs. Default: `lambda-architecture` */
  readonly clientId?: string;
  /** Told of every failed attempt that is tried again. Default: nobody */
  readonly onRetry?: (error: Error, attempt: number) => void;
}

/** Reads ranges of offsets without a consumer group. One instance may read many partitions at once. */
export class RangeReader {
  constructor(_options: RangeReaderOptions) {}

  /** The records of `[start, end)`, a fetched batch at a time; waits for records that are not written yet. */
  // biome-ignore lint/correctness/useYield: the signature first
  async *read(
    _topic: string,
    _partition: number,
    _start: number,
    _end: number,
    _signal?: AbortSignal,
  ): AsyncGenerator<readonly LogRecord[], void, undefined> {
    throw new Error("not yet");
  }

  /**
   * One fetch from `start`: what is there, or, if nothing is, what comes within `maxWaitMilliseconds` (a long poll).
   *
   * @param options.end read no further. Default: no end
   * @param options.maxWaitMilliseconds Default: 500
   */
  fetch(
    _topic: string,
    _partition: number,
    _start: number,
    _options: { readonly end?: number; readonly maxWaitMilliseconds?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Fetched> {
    throw new Error("not yet");
  }

  /** Every partition's watermarks, by the partition's number. */
  watermarks(_topic: string): Promise<Readonly<Record<number, Watermarks>>> {
    throw new Error("not yet");
  }

  /** Kafka's id of the topic: another one means that the topic was deleted and made again. */
  topicId(_topic: string): Promise<string> {
    throw new Error("not yet");
  }

  async close(): Promise<void> {}
}
