import { compatibilityPartitioner, Producer } from "@platformatic/kafka";
import { backOffMilliseconds, withBackOff } from "../back-off.ts";
import { connectionOptions, type KafkaConnection } from "./connection.ts";
import { kafkaError } from "./kafka-error.ts";

/** What a source gives: an event's JSON text and, if events that belong together shall share a partition, its key. */
export interface SourceEvent {
  readonly value: string | Buffer;
  /** Events of one key go to one partition, chosen as Kafka's own clients choose it. Default: spread evenly */
  readonly key?: string | undefined;
  /** The partition, whatever the key. Default: by the key */
  readonly partition?: number | undefined;
  /** The line of the file that it stands in, from 1, for messages. Default: it is of no file */
  readonly line?: number | undefined;
}

/** Where consecutive events of a call of {@link EventProducer.send} are in the log. */
export interface WrittenEvents {
  readonly partition: number;
  /** The offset of the first one. */
  readonly offset: number;
  /** Which of the call's events is the first one, counted from 0. */
  readonly first: number;
  readonly events: number;
}

/** What is written to a topic: an event, or a record without a value, which is none, such as a seal marker. */
export interface ProducedRecord extends Omit<SourceEvent, "value"> {
  readonly value: string | Buffer | null;
}

export interface EventProducerOptions extends KafkaConnection {
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
  readonly #onRetry: EventProducerOptions["onRetry"];
  readonly #producer: Producer;
  #topicFound = false;
  #last: Promise<void> = Promise.resolve();
  #round = 0;

  constructor(options: EventProducerOptions) {
    this.#topic = options.topic;
    this.#onRetry = options.onRetry;
    this.#producer = new Producer({
      clientId: options.clientId ?? "lambda-architecture",
      bootstrapBrokers: [...options.bootstrapServers],
      ...connectionOptions(options),
      idempotent: true,
      acks: -1,
      compression: options.compression ?? "lz4",
      connectTimeout: 3_000,
      requestTimeout: 30_000,
      retries: true,
      retryDelay: (_client, _operation, attempt, _retries, error) => {
        options.onRetry?.(kafkaError(error, `writing to ${options.topic}`), attempt);
        return backOffMilliseconds(attempt);
      },
      partitioner: compatibilityPartitioner,
    });
  }

  /**
   * Writes events, in their order; calls one after the other, also if they are not waited for: then events pile up in
   * memory.
   *
   * @param onWritten told where events without a key are, batch by batch, as they are acknowledged. Default: nobody
   * @returns once every event is acknowledged
   * @throws {Error} if it can never be, e.g. because there is no such topic or an event is too large for the brokers
   */
  send(events: readonly ProducedRecord[], onWritten?: (written: WrittenEvents) => void): Promise<void> {
    // With one request at a time, a failed one that is tried again cannot be overtaken.
    const sending = this.#last.then(() => this.#sendInTurn(events, onWritten));
    this.#last = sending.catch(() => {});
    return sending;
  }

  /** Ends the connections; events that are not acknowledged yet fail. */
  async close(): Promise<void> {
    await this.#producer.close(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #sendInTurn(
    events: readonly ProducedRecord[],
    onWritten: (written: WrittenEvents) => void = () => {},
  ): Promise<void> {
    if (!this.#topicFound) await this.#findTopic();
    this.#topicFound = true;
    let first = 0;
    for (const batch of batchesOf(events)) {
      const place = await this.#sendBatch(batch);
      if (place !== undefined) onWritten({ ...place, first, events: batch.length });
      first += batch.length;
    }
  }

  /** Waits until the brokers know the topic. Without this the library would wait for a topic that nobody makes. */
  async #findTopic(): Promise<void> {
    let unknown = 0;
    await withBackOff(
      async () => {
        try {
          await this.#producer.metadata({ topics: [this.#topic], retries: 0 });
        } catch (error) {
          throw kafkaError(error, `looking for topic ${this.#topic}`);
        }
      },
      {
        // A topic that was made just now may not be known everywhere yet.
        isTransient: ({ message }) => !message.includes("Unknown topic") || ++unknown < 6,
        onRetry: this.#onRetry,
      },
    );
  }

  /** Sends a batch. Returns its place, if all of it is in one. */
  async #sendBatch(
    events: readonly ProducedRecord[],
  ): Promise<Pick<WrittenEvents, "partition" | "offset"> | undefined> {
    // Without a key a whole batch goes to one partition, and the next to the next: few large batches pack best.
    this.#round = (this.#round + 1) % 0x7fffffff;
    const messages = events.map((event) => {
      const { key, value, partition = key === undefined ? this.#round : undefined } = event;
      return {
        topic: this.#topic,
        ...(value === null ? {} : { value: typeof value === "string" ? Buffer.from(value) : value }),
        ...(key === undefined ? {} : { key: Buffer.from(key) }),
        ...(partition === undefined ? {} : { partition }),
      };
    });
    try {
      const { offsets = [] } = await this.#producer.send({ messages });
      const [place] = offsets;
      if (place === undefined || offsets.length > 1 || events.some(({ key }) => key !== undefined)) return undefined;
      return { partition: place.partition, offset: Number(place.offset) };
    } catch (error) {
      throw kafkaError(error, `writing to ${this.#topic}`);
    }
  }
}

/** Brokers take batches of 1 MiB by default; a batch may be larger on the wire than its values are. */
const batchBytes = 512 * 1024;

/** What a record takes in a batch beside its key and value, at most. */
const recordBytes = 32;

function byteLength(text: string | Buffer | null | undefined): number {
  return typeof text === "string" ? Buffer.byteLength(text) : (text?.length ?? 0);
}

/** The events in their order, in batches that brokers take. */
function batchesOf(events: readonly ProducedRecord[]): (readonly ProducedRecord[])[] {
  const batches: ProducedRecord[][] = [];
  let batch: ProducedRecord[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = recordBytes + byteLength(event.value) + byteLength(event.key);
    if (batch.length > 0 && bytes + size > batchBytes) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(event);
    bytes += size;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
