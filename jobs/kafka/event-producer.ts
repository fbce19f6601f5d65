import { compatibilityPartitioner, Producer } from "@platformatic/kafka";
import { backOffMilliseconds } from "../back-off.ts";

/** What a source gives: an event's JSON text and, if events that belong together shall share a partition, its key. */
export interface SourceEvent {
  readonly value: string | Buffer;
  /** Events of one key go to one partition, chosen as Kafka's own clients choose it. Default: spread evenly */
  readonly key?: string | undefined;
  /** The partition, whatever the key. Default: by the key */
  readonly partition?: number | undefined;
}

export interface EventProducerOptions {
  /** `host:port` of the brokers. */
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  /** The name in the brokers' logs. Default: `lambda-architecture` */
  readonly clientId?: string;
  /** How a batch is written to the log and sent. Default: `lz4` */
  readonly compression?: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  /** Told of every failed attempt, all of which are tried again, with the number of failures so far. Default: nobody */
  readonly onRetry?: (error: Error, failures: number) => void;
}

/**
 * Writes events to a topic so that each is in the log exactly once (idempotent, acknowledged by all in-sync replicas)
 * however often the brokers are away in between: it waits for them as long as it takes.
 */
export class EventProducer implements AsyncDisposable {
  readonly #topic: string;
  readonly #producer: Producer;
  #round = 0;

  constructor(options: EventProducerOptions) {
    this.#topic = options.topic;
    this.#producer = new Producer({
      clientId: options.clientId ?? "lambda-architecture",
      bootstrapBrokers: [...options.bootstrapServers],
      idempotent: true,
      acks: -1,
      compression: options.compression ?? "lz4",
      connectTimeout: 3_000,
      requestTimeout: 30_000,
      retries: true,
      retryDelay: (_client, _operation, attempt, _retries, error) => {
        options.onRetry?.(error, attempt);
        return backOffMilliseconds(attempt);
      },
      partitioner: compatibilityPartitioner,
    });
  }

  /**
   * Writes a batch. Batches are written in the order of the calls; at most one is on its way to a broker, so wait for
   * the one before last at the latest, or they pile up in memory.
   *
   * @returns once every event of the batch is acknowledged
   * @throws {Error} if it can never be, e.g. because there is no such topic or an event is too large for the brokers
   */
  async send(events: readonly SourceEvent[]): Promise<void> {
    if (events.length === 0) return;
    // Without a key a whole batch goes to one partition, and the next to the next: few large batches pack best.
    this.#round = (this.#round + 1) % 0x7fffffff;
    await this.#producer.send({
      messages: events.map((event) => {
        const { key, value, partition = key === undefined ? this.#round : undefined } = event;
        return {
          topic: this.#topic,
          value: typeof value === "string" ? Buffer.from(value) : value,
          ...(key === undefined ? {} : { key: Buffer.from(key) }),
          ...(partition === undefined ? {} : { partition }),
        };
      }),
    });
  }

  /** Ends the connections; batches that are not acknowledged yet fail. */
  async close(): Promise<void> {
    await this.#producer.close(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
