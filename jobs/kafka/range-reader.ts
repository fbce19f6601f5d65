import {
  type ClusterTopicMetadata,
  type Connection,
  ConnectionPool,
  Consumer,
  FetchIsolationLevels,
  fetchV13,
  findErrorBy,
  ListOffsetTimestamps,
} from "@platformatic/kafka";
import { abortable, withBackOff } from "../back-off.ts";
import { connectionOptions, type KafkaConnection } from "./connection.ts";
import { DamagedBatchError, LogDivergedError, OffsetOutOfRangeError, TopicRecreatedError } from "./errors.ts";
import { type FetchResponse, fetchResponse } from "./fetch-response.ts";
import { kafkaError } from "./kafka-error.ts";
import type { LogRecord } from "./log-record.ts";
import { type EpochEnd, PartitionLeaders } from "./partition-leaders.ts";
import { recordsOf } from "./record-batches.ts";

/** Where a partition's log ends. */
export interface LogEnd {
  /** The offset after the last one that readers can see. */
  readonly latest: number;
  /** The epoch of the partition's leader: as long as it is the same, the log is the same one, only longer. */
  readonly leaderEpoch: number;
}

/** The offsets that a partition holds: `[earliest, latest)`. */
export interface Watermarks extends LogEnd {
  readonly earliest: number;
}

/** What one fetch brought. */
export interface Fetched {
  /** In offset order, all at or past the offset asked for and before the end. May be empty. */
  readonly records: readonly LogRecord[];
  /** The offset to go on from; past the last record's by more than one where the log has gaps. */
  readonly next: number;
  /** The partition's latest offset, see {@link Watermarks}. */
  readonly latest: number;
  /** The epoch of the leader that wrote the last batch of which something was taken or passed; -1 if there was none. */
  readonly leaderEpoch: number;
}

export interface FetchOptions {
  /** Read no further than this offset (exclusive). Default: no end */
  readonly end?: number;
  /**
   * The epoch of the leader that wrote what is before the start, if that was read: then only the very log that it was
   * read from is read on. Default: -1, whatever log there is
   */
  readonly lastEpoch?: number;
  /** How long to wait for a record if there is none yet. Default: 500 */
  readonly maxWaitMilliseconds?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface RangeReaderOptions extends KafkaConnection {
  /** The name in the brokers' logs. Default: `lambda-architecture` */
  readonly clientId?: string;
  /** The most bytes that a fetch asks for. Default: 4 MiB */
  readonly maxFetchBytes?: number;
  /** Told of every failed fetch that is tried again, with the number of failures so far. Default: nobody */
  readonly onRetry?: (error: Error, failures: number) => void;
}

/** What does not pass by itself. */
const lasting = [OffsetOutOfRangeError, TopicRecreatedError, LogDivergedError];

/** The size of a batch as long as none was read. */
const firstBatchBytes = 128 * 1024;

/**
 * Reads ranges of offsets without a consumer group; one instance may read many partitions at once.
 *
 * Fetching outlives whatever passes by itself, e.g. a broker that restarts or a partition that moves to another one.
 * What does not pass is thrown: {@link OffsetOutOfRangeError}, {@link TopicRecreatedError}, {@link LogDivergedError}.
 *
 * @example
 * await using reader = new RangeReader({ bootstrapServers: ["127.0.0.1:9092"] });
 * for await (const records of reader.read("edits", 0, 0, 5_000))
 *   for (const { offset, value } of records) console.log(offset, value?.toString());
 */
export class RangeReader implements AsyncDisposable {
  readonly #options: RangeReaderOptions;
  readonly #clientId: string;
  /** Knows the cluster; never joins a group. */
  readonly #cluster: Consumer;
  readonly #leaders: PartitionLeaders;
  readonly #lanes = new Map<string, Lane>();
  readonly #topicIds = new Map<string, string>();
  readonly #closed = new AbortController();

  constructor(options: RangeReaderOptions) {
    this.#options = options;
    this.#clientId = options.clientId ?? "lambda-architecture";
    this.#cluster = new Consumer({
      clientId: this.#clientId,
      groupId: this.#clientId,
      bootstrapBrokers: [...options.bootstrapServers],
      ...connectionOptions(options),
      isolationLevel: FetchIsolationLevels.READ_COMMITTED,
      retries: 2,
      retryDelay: 100,
      connectTimeout: 3_000,
      requestTimeout: 10_000,
    });
    this.#leaders = new PartitionLeaders(this.#clientId, this.#cluster, options);
  }

  /**
   * The records of `[start, end)`, those of a fetch at a time; waits for the ones that are not written yet.
   *
   * @throws {OffsetOutOfRangeError} if Kafka no longer holds them
   * @throws {TopicRecreatedError} if the topic is another one than at the first fetch
   * @throws {LogDivergedError} if the log is another one than at the first fetch
   */
  async *read(
    topic: string,
    partition: number,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly LogRecord[], void, undefined> {
    let lastEpoch = -1;
    for (let offset = start; offset < end; ) {
      const options = { end, lastEpoch, maxWaitMilliseconds: 1_000, signal };
      const { records, next, leaderEpoch } = await this.fetch(topic, partition, offset, options);
      if (records.length > 0) yield records;
      offset = next;
      if (leaderEpoch >= 0) lastEpoch = leaderEpoch;
    }
  }

  /**
   * One fetch from `start`: what is there, or, if nothing is, what comes within `maxWaitMilliseconds` (a long poll).
   * Fetches of the same partition wait for each other.
   *
   * @throws {OffsetOutOfRangeError} if Kafka does not hold the offset
   * @throws {TopicRecreatedError} if the topic is another one than at the first fetch
   * @throws {LogDivergedError} if `lastEpoch` says that another log was read
   */
  fetch(topic: string, partition: number, start: number, options: FetchOptions = {}): Promise<Fetched> {
    const lane = this.#lane(topic, partition);
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closed.signal]) : this.#closed.signal;
    return lane.inTurn(() =>
      withBackOff(() => abortable(this.#fetchOnce(lane, topic, partition, start, options), signal), {
        signal,
        isTransient: (error) => !lasting.some((kind) => error instanceof kind),
        onRetry: (error, failures) => {
          this.#cluster.clearMetadata();
          this.#options.onRetry?.(kafkaError(error, `reading ${topic}-${partition}`), failures);
        },
      }),
    );
  }

  /**
   * Every partition's watermarks, by the partition's number.
   *
   * @throws {Error} if a partition's leader does not answer (no endless waiting here)
   */
  async watermarks(topic: string): Promise<Readonly<Record<number, Watermarks>>> {
    const [earliest, latest] = await Promise.all([
      this.#leaders.offsets(topic, ListOffsetTimestamps.EARLIEST),
      this.latest(topic),
    ]);
    return mapValues(latest, (end, partition) => ({ earliest: earliest[partition]?.offset ?? 0, ...end }));
  }

  /**
   * Where every partition's log ends, by the partition's number: half the work of both watermarks.
   *
   * @throws {Error} if a partition's leader does not answer
   */
  async latest(topic: string): Promise<Readonly<Record<number, LogEnd>>> {
    const ends = await this.#leaders.offsets(topic, ListOffsetTimestamps.LATEST);
    return mapValues(ends, ({ offset, leaderEpoch }) => ({ latest: offset, leaderEpoch }));
  }

  /**
   * Every partition's first offset whose record is of that time (milliseconds since 1970, see
   * {@link LogRecord.timestamp}) or later; the latest offset where there is none.
   *
   * @throws {Error} if a partition's leader does not answer
   */
  async offsetsAt(topic: string, timestamp: number): Promise<Readonly<Record<number, number>>> {
    // The latest first: what is written in between may be later than the time, and is not passed over.
    const latest = await this.latest(topic);
    const found = await this.#leaders.offsets(topic, BigInt(timestamp));
    return mapValues(latest, (end, partition) => {
      const offset = found[partition]?.offset ?? -1;
      return offset < 0 ? end.latest : offset;
    });
  }

  /**
   * Where, in the log as it is now, the records end that leaders up to the given epoch wrote, by partition. If that is
   * before an offset whose record the epoch's leader is known to have written, the log is another one than it was.
   * Partitions that the topic lacks are left out.
   *
   * @throws {Error} if a partition's leader does not answer
   */
  epochEnds(topic: string, epochs: Readonly<Record<number, number>>): Promise<Readonly<Record<number, EpochEnd>>> {
    return this.#leaders.epochEnds(topic, epochs);
  }

  /**
   * Kafka's id of the topic, asked again: another one means that the topic was deleted and made again.
   *
   * @throws {Error} if there is no such topic or no broker answers
   */
  async topicId(topic: string): Promise<string> {
    return (await this.#topic(topic, true)).id;
  }

  /** Ends what is being read, with an error, and the connections. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the reader was closed"));
    await Promise.all([...this.#lanes.values()].map((lane) => lane.connections.close()));
    await this.#leaders.close();
    await this.#cluster.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A lane a partition: a long poll holds up whatever comes after it on the same connection. */
  #lane(topic: string, partition: number): Lane {
    const key = `${topic}-${partition}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(this.#clientId, this.#options);
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  async #topic(topic: string, forceUpdate = false): Promise<ClusterTopicMetadata & { brokers: Brokers }> {
    const metadata = await this.#cluster.metadata({ topics: [topic], forceUpdate });
    const found = metadata.topics.get(topic);
    if (found === undefined) throw new Error(`there is no topic ${topic}`);
    return { ...found, brokers: metadata.brokers };
  }

  async #fetchOnce(
    lane: Lane,
    topic: string,
    partition: number,
    start: number,
    options: FetchOptions,
  ): Promise<Fetched> {
    const { id, partitions, brokers } = await this.#topic(topic);
    const pinned = this.#topicIds.get(topic) ?? id;
    this.#topicIds.set(topic, pinned);
    if (pinned !== id) throw new TopicRecreatedError(topic, pinned, id);
    const leader = brokers.get(partitions[partition]?.leader ?? -1);
    if (leader === undefined) throw new Error(`partition ${partition} of topic ${topic} has no leader`);
    const connection = await lane.connections.get(leader);
    const { end = Number.POSITIVE_INFINITY, lastEpoch = -1 } = options;
    const maxBytes = lane.bytesFor(end - start, this.#options.maxFetchBytes ?? 4 * 1024 * 1024);
    try {
      const fetched = await fetchPartition(connection, {
        topicId: id,
        partition,
        start,
        lastEpoch,
        maxBytes,
        maxWaitMilliseconds: options.maxWaitMilliseconds ?? 500,
      });
      if (fetched.diverging !== undefined)
        throw new LogDivergedError({ topic, partition, offset: start, ...fetched.diverging, leaderEpoch: lastEpoch });
      const { records, next, leaderEpoch, span, largestBatch } = recordsOf(fetched, start, end);
      lane.learn(fetched.bytes.length, span, largestBatch);
      return { records, next, latest: fetched.lastStableOffset, leaderEpoch };
    } catch (error) {
      if (error instanceof DamagedBatchError) throw error.of(`${topic}-${partition}`);
      if (findErrorBy(error as Error, "apiId", "OFFSET_OUT_OF_RANGE") === null) throw error;
      const { earliest, latest } = (await this.watermarks(topic))[partition] ?? { earliest: 0, latest: 0 };
      if (lastEpoch >= 0 && start <= latest) {
        // So a broker answers, too, where it has nothing of the epoch.
        const epochEnd = (await this.epochEnds(topic, { [partition]: lastEpoch }))[partition]?.end ?? -1;
        if (epochEnd < 0)
          throw new LogDivergedError({ topic, partition, offset: start, leaderEpoch: lastEpoch, end: epochEnd });
      }
      // The log may have grown up to the offset in between: then the next try finds it.
      if (start >= earliest && start <= latest) throw error;
      throw new OffsetOutOfRangeError({ topic, partition, offset: start, earliest, latest });
    }
  }
}

function mapValues<Value, Result>(
  record: Readonly<Record<number, Value>>,
  map: (value: Value, partition: number) => Result,
): Record<number, Result> {
  return Object.fromEntries(
    Object.entries(record).map(([partition, value]) => [partition, map(value, Number(partition))]),
  );
}

type Brokers = ReadonlyMap<number, { readonly host: string; readonly port: number }>;

/** What is kept of a partition between its fetches. */
class Lane {
  readonly connections: ConnectionPool;
  /** A moving average of the bytes that an offset takes on the wire, compressed as it is. */
  #bytesPerOffset = 1_024;
  /** The bytes of the largest batch that came last. */
  #batchBytes = firstBatchBytes;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clientId: string, connection: KafkaConnection) {
    const timeouts = { connectTimeout: 3_000, requestTimeout: 30_000 };
    this.connections = new ConnectionPool(clientId, { ...connectionOptions(connection), ...timeouts });
  }

  inTurn<Result>(operation: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(operation);
    this.#last = result.catch(() => {});
    return result;
  }

  /**
   * The bytes to ask for, so that so many offsets come whole but not much more does: with room for the batch at either
   * edge, of which a part only may be wanted.
   */
  bytesFor(offsets: number, most: number): number {
    return Math.min(most, Math.ceil(offsets * this.#bytesPerOffset * 1.1) + 2 * this.#batchBytes);
  }

  /** Notes what a fetch brought: so many bytes for a span of so many offsets. */
  learn(bytes: number, span: number, largestBatch: number): void {
    if (span === 0) return;
    this.#bytesPerOffset += (bytes / span - this.#bytesPerOffset) / 4;
    this.#batchBytes = largestBatch;
  }
}

/** Version 13 is the oldest that names topics by their id, and every broker from 3.1 on knows it. */
function fetchPartition(
  connection: Connection,
  request: {
    topicId: string;
    partition: number;
    start: number;
    lastEpoch: number;
    maxBytes: number;
    maxWaitMilliseconds: number;
  },
) {
  const topics = [
    {
      topicId: request.topicId,
      partitions: [
        {
          partition: request.partition,
          currentLeaderEpoch: -1,
          fetchOffset: BigInt(request.start),
          lastFetchedEpoch: request.lastEpoch,
          partitionMaxBytes: request.maxBytes,
        },
      ],
    },
  ];
  return new Promise<FetchResponse>((resolve, reject) => {
    connection.send<FetchResponse | undefined>(
      fetchV13.api.key,
      fetchV13.api.version,
      () =>
        fetchV13.createRequest(
          request.maxWaitMilliseconds,
          1,
          request.maxBytes,
          FetchIsolationLevels.READ_COMMITTED,
          0,
          -1,
          topics,
          [],
          "",
        ),
      // The response is a chain of socket chunks; walking records over many of them costs three times as much.
      (_correlationId, _apiKey, _apiVersion, reader) =>
        fetchResponse(reader.buffer.slice(reader.position, reader.buffer.length)),
      true,
      true,
      (error, fetched) => {
        if (error) reject(error);
        else if (fetched === undefined) reject(new Error("the broker answered without the partition"));
        else resolve(fetched);
      },
    );
  });
}
