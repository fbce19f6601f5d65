import { LogDivergedError, OffsetOutOfRangeError, TopicRecreatedError } from "../../jobs/kafka/errors.ts";
import type { ProducedRecord } from "../../jobs/kafka/event-producer.ts";
import type { LogRecord } from "../../jobs/kafka/log-record.ts";
import type { EpochEnd } from "../../jobs/kafka/partition-leaders.ts";
import type { Fetched, FetchOptions, LogEnd, RangeReader, Watermarks } from "../../jobs/kafka/range-reader.ts";
import type { Simulation } from "./simulation.ts";

/** What is at an offset: a record, or nothing that readers see, as where a transaction ended. */
interface Entry {
  readonly record: LogRecord | undefined;
  readonly leaderEpoch: number;
}

interface Partition {
  readonly entries: Entry[];
  earliest: number;
}

/** Kafka's topics in memory, with what happens to them. */
export class SimulatedKafka {
  readonly #simulation: Simulation;
  readonly #topics = new Map<string, { id: string; leaderEpoch: number; partitions: Partition[] }>();
  #ids = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** Makes a topic, or makes it again, empty and under another id. */
  create(topic: string, partitions: number): void {
    this.#topics.set(topic, { id: `id-${++this.#ids}`, leaderEpoch: 0, partitions: [] });
    this.grow(topic, partitions);
  }

  grow(topic: string, partitions: number): void {
    const held = this.#topic(topic).partitions;
    while (held.length < partitions) held.push({ entries: [], earliest: 0 });
  }

  /** Appends a record, or a gap; its offset. */
  append(topic: string, partition: number, record: Pick<LogRecord, "key" | "value"> | undefined): number {
    const { leaderEpoch } = this.#topic(topic);
    const { entries } = this.#partition(topic, partition);
    const offset = entries.length;
    const timestamp = this.#simulation.now;
    entries.push({ record: record && { offset, timestamp, ...record }, leaderEpoch });
    return offset;
  }

  /** Deletes the records before the offset. */
  deleteRecords(topic: string, partition: number, before: number): void {
    const held = this.#partition(topic, partition);
    held.earliest = Math.max(held.earliest, Math.min(before, held.entries.length));
  }

  /** Takes the records from the offset on away, as a power failure does; another leader comes after it. */
  cut(topic: string, partition: number, end: number): void {
    const { entries, earliest } = this.#partition(topic, partition);
    entries.length = Math.max(earliest, Math.min(end, entries.length));
    this.#topic(topic).leaderEpoch++;
  }

  /** Another leader comes, which holds the same records. */
  changeLeader(topic: string): void {
    this.#topic(topic).leaderEpoch++;
  }

  topicId(topic: string): string {
    return this.#topic(topic).id;
  }

  watermarks(topic: string): Record<number, Watermarks> {
    const { leaderEpoch, partitions } = this.#topic(topic);
    return Object.fromEntries(
      partitions.map(({ earliest, entries }, partition) => [
        partition,
        { earliest, latest: entries.length, leaderEpoch },
      ]),
    );
  }

  /** A client that reads, in the process that calls it. */
  reader(): Pick<
    RangeReader,
    "fetch" | "read" | "watermarks" | "latest" | "topicId" | "offsetsAt" | "epochEnds" | "close"
  > {
    const away = new Error("Kafka is away");
    const operate = <Result>(effect: () => Result, isPatient = false) =>
      this.#simulation.current.operate(effect, isPatient ? undefined : away);
    const pinned = new Map<string, string>();
    const fetch = async (topic: string, partition: number, start: number, options: FetchOptions = {}) => {
      const fetched = await operate(() => {
        options.signal?.throwIfAborted();
        const id = this.topicId(topic);
        const known = pinned.get(topic) ?? id;
        pinned.set(topic, known);
        if (known !== id) throw new TopicRecreatedError(topic, known, id);
        return this.#fetched(topic, partition, start, options);
      }, true);
      if (fetched.next === start) await this.#simulation.sleep(options.maxWaitMilliseconds ?? 500, undefined, options);
      return fetched;
    };
    return {
      fetch,
      read: async function* (topic, partition, start, end, signal) {
        let lastEpoch = -1;
        for (let offset = start; offset < end; ) {
          const { records, next, leaderEpoch } = await fetch(topic, partition, offset, { end, lastEpoch, signal });
          if (records.length > 0) yield records;
          offset = next;
          if (leaderEpoch >= 0) lastEpoch = leaderEpoch;
        }
      },
      watermarks: (topic) => operate(() => this.watermarks(topic)),
      latest: (topic) => operate((): Record<number, LogEnd> => this.watermarks(topic)),
      topicId: (topic) => operate(() => this.topicId(topic)),
      offsetsAt: (topic, timestamp) => operate(() => this.#offsetsAt(topic, timestamp)),
      epochEnds: (topic, epochs) => operate(() => this.#epochEnds(topic, epochs)),
      close: async () => {},
    };
  }

  /** A client that writes to a topic, patient as the real one, in the process that calls it. */
  producer(topic: string): { send(events: readonly ProducedRecord[]): Promise<void> } {
    return {
      send: (events) =>
        this.#simulation.current.operate(() => {
          for (const { key, value, partition } of events)
            this.append(topic, partition as number, {
              key: key === undefined ? null : Buffer.from(key),
              value: value === null ? null : Buffer.from(value),
            });
        }, undefined),
    };
  }

  /** The first record at or past the offset, and some more: whatever the sizes of fetches, the outcome is the same. */
  #fetched(topic: string, partition: number, start: number, options: FetchOptions): Fetched {
    const { end = Number.POSITIVE_INFINITY, lastEpoch = -1 } = options;
    const { entries, earliest } = this.#partition(topic, partition);
    const latest = entries.length;
    const epochEnd = lastEpoch < 0 ? undefined : this.#epochEnds(topic, { [partition]: lastEpoch })[partition]?.end;
    if (epochEnd !== undefined && epochEnd < start && start <= latest)
      throw new LogDivergedError({ topic, partition, offset: start, leaderEpoch: lastEpoch, end: epochEnd });
    if (start < earliest || start > latest)
      throw new OffsetOutOfRangeError({ topic, partition, offset: start, earliest, latest });
    const next = Math.min(end, latest, start + 1 + ((start * 7) % 5));
    const taken = entries.slice(start, next);
    const records = taken.flatMap(({ record }) => record ?? []);
    return { records, next, latest, leaderEpoch: taken.at(-1)?.leaderEpoch ?? -1 };
  }

  #offsetsAt(topic: string, timestamp: number): Record<number, number> {
    return Object.fromEntries(
      this.#topic(topic).partitions.map(({ entries, earliest }, partition) => {
        const found = entries.findIndex(
          ({ record }, offset) => offset >= earliest && record !== undefined && record.timestamp >= timestamp,
        );
        return [partition, found < 0 ? entries.length : found];
      }),
    );
  }

  #epochEnds(topic: string, epochs: Readonly<Record<number, number>>): Record<number, EpochEnd> {
    return Object.fromEntries(
      Object.entries(epochs).flatMap(([partition, epoch]) => {
        const held = this.#topic(topic).partitions[Number(partition)];
        if (held === undefined) return [];
        const after = held.entries.findIndex(({ leaderEpoch }) => leaderEpoch > epoch);
        const end = after < 0 ? held.entries.length : after;
        return [[partition, { leaderEpoch: held.entries[end - 1]?.leaderEpoch ?? -1, end }] as const];
      }),
    );
  }

  #topic(topic: string) {
    const found = this.#topics.get(topic);
    if (found === undefined) throw new Error(`there is no topic ${topic}`);
    return found;
  }

  #partition(topic: string, partition: number): Partition {
    const found = this.#topic(topic).partitions[partition];
    if (found === undefined) throw new Error(`topic ${topic} has no partition ${partition}`);
    return found;
  }
}
