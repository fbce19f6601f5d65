import { Readable } from "node:stream";
import * as z from "zod";
import { application } from "../../../jobs/application.ts";
import { ArchiveMetrics } from "../../../jobs/archive/metrics.ts";
import type { ArchiveServices } from "../../../jobs/archive/partition-archiver.ts";
import type { TrimServices } from "../../../jobs/archive/trim.ts";
import type { Offsets } from "../../../jobs/chunks.ts";
import type { Configuration } from "../../../jobs/configuration.ts";
import { HdfsError } from "../../../jobs/hdfs/hdfs-error.ts";
import { HdfsFileStorage } from "../../../jobs/hdfs/hdfs-file-storage.ts";
import { LogDivergedError, OffsetOutOfRangeError } from "../../../jobs/kafka/errors.ts";
import type { ProducedRecord } from "../../../jobs/kafka/event-producer.ts";
import type { LogRecord } from "../../../jobs/kafka/log-record.ts";
import type { Fetched, FetchOptions } from "../../../jobs/kafka/range-reader.ts";
import type { Incarnation } from "../../../jobs/log/incarnation.ts";
import { sum } from "../../../jobs/measures/index.ts";
import { view } from "../../../jobs/views/view.ts";

const event = z.object({ time: z.string(), size: z.number() });

/** An application whose view cannot take sizes that are no whole numbers. */
export const sizes = application({
  event,
  views: [
    view<z.infer<typeof event>>({
      name: "sizes",
      time: (one) => one.time,
      granularity: "hour",
      key: { all: () => "all" },
      measures: { size: sum((one) => one.size) },
    }),
  ],
});

export const topic = "sizes";
export const deadLetterTopic = "sizes-dead-letters";

/** An operation of a system: its effect, or what of it happens if it fails half-way. */
type Act = <Result>(effect: () => Result, partly?: () => void) => Promise<Result>;

/** Milliseconds of the world's own time after which events are in the storage, chunks are closed, and records may go. */
export const times = { archive: 20, seal: 100, retention: 400 } as const;
const [minute, hour] = [60_000, 3_600_000];

/** What an archiver works with in the world. */
export type WorldServices = ArchiveServices<z.infer<typeof event>> & {
  readonly trimming: TrimServices;
  readonly note: (life: Incarnation) => Promise<void>;
  /** None of its operations has an effect or an end from now on. */
  readonly kill: () => void;
};

/** Kafka and HDFS, or S3, in memory; they fail, and kill who uses them, when they are told to. */
export class SimulatedWorld {
  readonly chunkSize: number;
  system: "HDFS" | "S3" = "HDFS";
  topicId = "first";
  /** The epoch of every partition's leader. */
  leaderEpoch = 0;
  /** The time of what is appended from now on, in milliseconds since 1970. */
  time = 0;
  /** By topic and partition. */
  readonly logs = new Map<string, LogRecord[]>();
  /** Which life of the log the archivers are told to read, and what they noted of it. */
  incarnation = 1;
  readonly noted: Incarnation[] = [];
  /** The epoch of the leader that wrote a record. */
  readonly #epochs = new WeakMap<LogRecord, number>();
  /** The first offset that retention left, by topic and partition. */
  readonly earliest = new Map<string, number>();
  readonly files = new Map<string, Buffer>();
  readonly lines: string[] = [];
  /** The horizons of the views' batch views. */
  horizons: Offsets[] = [{}];
  memoryBytes = 1_000_000;
  /** What becomes of the next operation: it may fail before or after its effect, or its caller may die then. */
  fate: () => "fine" | "fails before" | "fails after" | "dies before" | "dies after" = () => "fine";

  constructor(chunkSize: number, partitions: number) {
    this.chunkSize = chunkSize;
    for (let partition = 0; partition < partitions; partition++)
      for (const name of [topic, deadLetterTopic]) this.logs.set(`${name}-${partition}`, []);
  }

  append(partition: number, value: string | null): void {
    this.#push(topic, partition, null, value === null ? null : Buffer.from(value));
  }

  #push(name: string, partition: number, key: Buffer | null, value: Buffer | null): void {
    const log = this.log(name, partition);
    const record = { offset: log.length, timestamp: this.time, key, value };
    log.push(record);
    this.#epochs.set(record, this.leaderEpoch);
  }

  /** The partition loses all past an offset, and every one gets another leader, as after a power failure. */
  cut(partition: number, length: number): void {
    this.log(topic, partition).splice(length);
    this.leaderEpoch++;
  }

  /** The first offset that the log holds. */
  begin(name: string, partition: number): number {
    return this.earliest.get(`${name}-${partition}`) ?? 0;
  }

  log(name: string, partition: number): LogRecord[] {
    return this.logs.get(`${name}-${partition}`) as LogRecord[];
  }

  /** What an archiver works with. `died` is called when it is killed: none of its operations ever ends from then on. */
  services(died: () => void): WorldServices {
    let dead = false;
    const appended = (name: string, { key, value, partition }: ProducedRecord) => {
      this.#push(
        name,
        partition as number,
        key === undefined ? null : Buffer.from(key),
        value === null ? null : Buffer.from(value),
      );
    };
    const forever = new Promise<never>(() => {});
    const act = async <Result>(effect: () => Result, partly?: () => void, isPatient = false): Promise<Result> => {
      await new Promise((resolve) => setImmediate(resolve));
      if (dead) return forever;
      let fate = this.fate();
      if (isPatient && fate.startsWith("fails")) fate = "fine";
      if (fate.startsWith("dies")) {
        dead = true;
        if (fate === "dies after") effect();
        else partly?.();
        died();
        return forever;
      }
      const failure = new HdfsError({ operation: "OPEN", path: "/", address: "memory", reason: "away" });
      if (fate === "fails before") {
        partly?.();
        throw failure;
      }
      const result = effect();
      if (fate === "fails after") throw failure;
      return result;
    };
    const fetch = async (
      name: string,
      partition: number,
      start: number,
      options: FetchOptions = {},
    ): Promise<Fetched> => {
      options.signal?.throwIfAborted();
      const log = this.log(name, partition);
      // At one moment, as a broker does.
      const records = await patient(() => {
        const earliest = this.begin(name, partition);
        if (start < earliest || start > log.length)
          throw new OffsetOutOfRangeError({ topic: name, partition, offset: start, earliest, latest: log.length });
        const { lastEpoch = -1 } = options;
        const before = log[start - 1];
        if (lastEpoch >= 0 && before !== undefined && this.#epochs.get(before) !== lastEpoch)
          throw new LogDivergedError({ topic: name, partition, offset: start, leaderEpoch: lastEpoch, end: start - 1 });
        // Whatever the sizes of fetches, the outcome is the same.
        const most = start + 1 + ((start * 7) % 5);
        return log.slice(start, Math.min(most, options.end ?? most, log.length));
      });
      if (records.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      return {
        records,
        next: start + records.length,
        latest: log.length,
        leaderEpoch: this.#epochs.get(records.at(-1) as LogRecord) ?? -1,
      };
    };
    // The reader and the producer are patient themselves: their callers see no failure that passes.
    const patient = <Result>(effect: () => Result) => act(effect, undefined, true);
    return {
      configuration: this.#configuration(),
      application: sizes,
      metrics: new ArchiveMetrics(),
      log: (line) => this.lines.push(line),
      memoryBytes: this.memoryBytes,
      reader: {
        fetch,
        read: async function* (name, partition, start, end, signal) {
          for (let offset = start; offset < end; ) {
            const { records, next } = await fetch(name, partition, offset, { end, signal });
            yield records;
            offset = next;
          }
        },
        topicId: () => act(() => this.topicId),
        latest: (name) =>
          act(() => this.#byPartition(name, (log) => ({ latest: log.length, leaderEpoch: this.leaderEpoch }))),
        offsetsAt: (name, timestamp) =>
          act(() =>
            this.#byPartition(name, (log, partition) => {
              const found = log.slice(this.begin(name, partition)).find((record) => record.timestamp >= timestamp);
              return found?.offset ?? log.length;
            }),
          ),
        watermarks: (name) =>
          act(() =>
            this.#byPartition(name, (log, partition) => ({
              earliest: this.begin(name, partition),
              latest: log.length,
              leaderEpoch: this.leaderEpoch,
            })),
          ),
      },
      note: (life) => act(() => void this.noted.push(life)),
      deadLetters: {
        send: (records) => patient(() => void records.map((record) => appended(deadLetterTopic, record))),
      },
      markers: { send: (records) => patient(() => void records.map((record) => appended(topic, record))) },
      trimming: {
        horizons: () => act(() => this.horizons),
        deleteRecords: (name, before) =>
          act(() => {
            for (const [partition, offset] of Object.entries(before))
              this.earliest.set(`${name}-${partition}`, Math.max(this.begin(name, Number(partition)), offset));
          }),
      },
      now: () => this.time,
      kill: () => {
        dead = true;
      },
      storage: this.system === "HDFS" ? new HdfsFileStorage(this.#hdfs(act)) : this.#bucket(act),
    };
  }

  #byPartition<Value>(name: string, value: (log: readonly LogRecord[], partition: number) => Value) {
    const found: Record<number, Value> = {};
    for (const [key, log] of this.logs) {
      const partition = key.startsWith(`${name}-`) ? key.slice(name.length + 1) : "";
      if (/^\d+$/.test(partition)) found[Number(partition)] = value(log, Number(partition));
    }
    return found;
  }

  #hdfs(act: Act): ConstructorParameters<typeof HdfsFileStorage>[0] {
    return {
      status: (path) =>
        act(() => {
          const file = this.files.get(path);
          return file && { name: "", path, type: "FILE", length: file.length, modified: 0 };
        }),
      list: (path) =>
        act(() =>
          this.#names(path).map((name) => {
            const length = this.files.get(`${path}/${name}`)?.length ?? 0;
            return { name, path: `${path}/${name}`, type: "FILE" as const, length, modified: 0 };
          }),
        ),
      readText: (path) => act(() => (this.files.get(path) as Buffer).toString()),
      read: (path) => act(() => Readable.from([this.#file(path)])),
      create: async (path, body) => {
        const whole = await collect(body);
        const half = whole.subarray(0, whole.length / 2);
        await act(
          () => void this.files.set(path, whole),
          () => void this.files.set(path, half),
        );
      },
      rename: (from, to) =>
        act(() => {
          const file = this.files.get(from);
          if (file === undefined || this.files.has(to)) return false;
          this.files.delete(from);
          this.files.set(to, file);
          return true;
        }),
      delete: (path) =>
        act(() => {
          for (const file of this.files.keys())
            if (file === path || file.startsWith(`${path}/`)) this.files.delete(file);
          return true;
        }),
      openUrl: (path) => path,
      [Symbol.dispose]: () => {},
    };
  }

  /** A bucket: an object appears whole, and only if there is none. */
  #bucket(act: Act): ArchiveServices<unknown>["storage"] {
    const file = (path: string) => this.#file(path);
    return {
      system: "S3",
      list: (folder) => act(() => this.#names(folder)),
      readText: (path) => act(() => (this.files.get(path) as Buffer).toString()),
      publish: async (path, body, { length }) => {
        const whole = await collect(body);
        if (whole.length !== length) throw new Error(`the body has ${whole.length} bytes instead of ${length}`);
        return act(() => {
          if (this.files.has(path)) return false;
          this.files.set(path, whole);
          return true;
        });
      },
      read: async function* (this: void, path) {
        yield await act(() => file(path));
      },
      delete: (path) => act(() => void this.files.delete(path)),
      discardUnfinished: () => act(() => {}),
    };
  }

  #file(path: string): Buffer {
    const file = this.files.get(path);
    if (file === undefined) throw new Error(`${path} is not there`);
    return file;
  }

  #names(folder: string): string[] {
    const names = [...this.files.keys()]
      .filter((file) => file.startsWith(`${folder}/`))
      .map((file) => file.slice(folder.length + 1).split("/")[0] as string);
    return [...new Set(names)].sort();
  }

  #configuration(): Configuration {
    return {
      topic,
      deadLetterTopic,
      partitions: this.logs.size / 2,
      chunkSize: this.chunkSize,
      maxEventBytes: 200,
      kafka: { bootstrapServers: ["memory:1"] },
      storage: { kind: "hdfs", webHdfs: "http://memory", user: "u" },
      masterDataset: "/master",
      openChunks: "/open",
      archiveMinutes: times.archive / minute,
      sealHours: times.seal / hour,
      retentionHours: times.retention / hour,
      incarnation: this.incarnation,

      batchViews: "/batch",
      cassandra: { contactPoints: ["memory:1"], localDataCenter: "d", keyspace: "k" },
      druid: { broker: "http://memory", coordinator: "http://memory" },
      speed: { shards: 1, chunksPerEra: 1 },
      generations: {},
    };
  }
}

async function collect(body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
