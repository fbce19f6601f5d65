import { Client } from "cassandra-driver";
import { archive } from "../../jobs/archive/archiver.ts";
import { connectTrimming } from "../../jobs/archive/connect-trimming.ts";
import { partitionFolder } from "../../jobs/archive/layout.ts";
import { ArchiveMetrics } from "../../jobs/archive/metrics.ts";
import { acceptLosses } from "../../jobs/batch/accept-loss.ts";
import type { BatchConfiguration } from "../../jobs/batch/configuration.ts";
import { archivedHorizon } from "../../jobs/batch/horizon.ts";
import { Lease } from "../../jobs/batch/lease.ts";
import { Mapper } from "../../jobs/batch/map.ts";
import { readPointer } from "../../jobs/batch/pointer.ts";
import type { EncodedRow } from "../../jobs/batch/records.ts";
import { Reducer } from "../../jobs/batch/reduce.ts";
import { type BatchStores, runBatch } from "../../jobs/batch/run.ts";
import { sealOpenChunks } from "../../jobs/batch/seal.ts";
import { connectStores } from "../../jobs/batch/stores.ts";
import type { Configuration } from "../../jobs/configuration.ts";
import {
  createIncarnationTable,
  KnownIncarnation,
  noteIncarnation,
  readIncarnation,
} from "../../jobs/log/incarnation.ts";
import { LogCheck } from "../../jobs/log/log-check.ts";
import type { AnyMeasure } from "../../jobs/measures/measure.ts";
import { BatchSteps, KeptSteps } from "../../jobs/serving/batch-steps.ts";
import { RankedTotals } from "../../jobs/serving/merge.ts";
import type { QueryOptions } from "../../jobs/serving/query.ts";
import { speedSteps } from "../../jobs/serving/speed-steps.ts";
import { speedStore } from "../../jobs/serving/speed-store.ts";
import type { AnyView, Selection, Stores } from "../../jobs/serving/stores.ts";
import { VersionCache } from "../../jobs/serving/version-cache.ts";
import { fromTuple } from "../../jobs/speed/descriptor.ts";
import { DescriptorSpout } from "../../jobs/speed/descriptor-spout.ts";
import { SpeedViews } from "../../jobs/speed/speed-views.ts";
import { CassandraSpeedStore } from "../../jobs/speed/store.ts";
import {
  alterPointerTable,
  createLeaseTable,
  createPointerTable,
  createRetiredTable,
  createViewTables,
} from "../../jobs/speed/tables.ts";
import { keyText } from "../../jobs/views/aggregate.ts";
import { MemoryCassandra } from "../support/memory-cassandra.ts";
import { type Acknowledged, type Event, readings } from "./events.ts";
import { SimulatedDruid } from "./simulated-druid.ts";
import { SimulatedKafka } from "./simulated-log.ts";
import { SimulatedStorage } from "./simulated-storage.ts";
import { type SimulatedProcess, Simulation } from "./simulation.ts";
import { enter } from "./stand-in.ts";

export const topic = "readings";
export const deadLetterTopic = "readings-dead-letters";

/** Milliseconds until Storm takes a tuple that was not acknowledged for failed. */
const tupleTimeout = 30_000;

export interface WorldOptions {
  readonly chunkSize: number;
  readonly chunksPerEra: number;
  readonly partitions: number;
  readonly system: "HDFS" | "S3";
  /** Of the archiver. Default: its own */
  readonly memoryBytes?: number;
}

/** A program that runs, and how it ended, if it did. */
export interface Running {
  readonly process: SimulatedProcess;
  outcome: { readonly error?: Error } | undefined;
}

/** All servers in memory, the programs that run on them, and what Kafka has acknowledged. */
export class World {
  readonly simulation = new Simulation();
  readonly cassandra = new MemoryCassandra("k", () => this.simulation.now);
  readonly kafka = new SimulatedKafka(this.simulation);
  readonly druid = new SimulatedDruid(this.simulation);
  readonly storage: SimulatedStorage;
  readonly options: WorldOptions;
  acknowledged: Acknowledged[] = [];
  /** Events that somebody else deleted from Kafka when no file had them. */
  readonly losable = new Set<Acknowledged>();
  /** How often a log lost its end. */
  cuts = 0;
  /** Whether somebody else deleted anything. */
  wasDeleted = false;
  /** What programs said, for who looks for the reason of a failure. */
  readonly lines: string[] = [];
  /** Partitions of the topic. */
  kafkaPartitions: number;
  /** Partitions in the configuration of programs that start now. */
  partitions: number;
  readonly #generations = { "by-sensor": "0123abcd", "by-region": "4567cdef" };
  #processes = 0;

  constructor(options: WorldOptions) {
    enter(this);
    this.options = options;
    this.kafkaPartitions = options.partitions;
    this.partitions = options.partitions;
    this.storage = new SimulatedStorage(this.simulation, options.system);
    for (const name of [topic, deadLetterTopic]) this.kafka.create(name, options.partitions);
    const statements = [
      createPointerTable,
      ...alterPointerTable,
      createRetiredTable,
      createLeaseTable,
      createIncarnationTable,
    ];
    for (const [name, generation] of Object.entries(this.#generations))
      statements.push(...createViewTables(name, generation));
    for (const statement of statements) this.cassandra.execute(statement);
  }

  /** Appends a record and, if it is an event, notes it. */
  produce(partition: number, value: Event | string | null | "gap"): void {
    if (value === "gap") {
      this.kafka.append(topic, partition, undefined);
      return;
    }
    const text = value === null || typeof value === "string" ? value : JSON.stringify(value);
    const offset = this.kafka.append(topic, partition, { key: null, value: text === null ? null : Buffer.from(text) });
    if (typeof value === "object" && value !== null) this.acknowledged.push({ event: value, partition, offset });
  }

  grow(partitions: number): void {
    this.kafkaPartitions = partitions;
    for (const name of [topic, deadLetterTopic]) this.kafka.grow(name, partitions);
  }

  /**
   * Deletes records before an offset, as retention or a person does. Of what no file holds then, it may be that nobody
   * has it any more.
   */
  deleteRecords(partition: number, before: number): void {
    this.wasDeleted = true;
    const isStored = this.#storedEvents();
    const { earliest = 0 } = this.kafka.watermarks(topic)[partition] ?? {};
    for (const one of this.acknowledged) {
      const { offset } = one;
      if (one.partition === partition && offset >= earliest && offset < before && !isStored(one)) this.losable.add(one);
    }
    this.kafka.deleteRecords(topic, partition, before);
  }

  /** So many records at a partition's end vanish, as in a power failure; its offsets are given out again. */
  cut(partition: number, records: number): void {
    const { latest = 0 } = this.kafka.watermarks(topic)[partition] ?? {};
    const end = Math.max(0, latest - records);
    this.kafka.cut(topic, partition, end);
    const { latest: left = 0 } = this.kafka.watermarks(topic)[partition] ?? {};
    this.acknowledged = this.acknowledged.filter((one) => one.partition !== partition || one.offset < left);
    this.cuts++;
  }

  /** Whether any file has an event, by its text: the same offset may mean another one, before and after a cut. */
  #storedEvents(): (one: Acknowledged) => boolean {
    let stored: string | undefined;
    return ({ event }) => {
      stored ??= [...this.storage.files]
        .flatMap(([path, content]) => (/^[/](?:master|open)[/].*[.]jsonl$/.test(path) ? [String(content)] : []))
        .join("");
      return stored.includes(JSON.stringify(event));
    };
  }

  /** Whether a whole chunk's file has the event, by its text. */
  isArchived({ event, partition }: Acknowledged): boolean {
    const folder = `/master/${topic}/${partition}/`;
    const text = JSON.stringify(event);
    return [...this.storage.files].some(
      ([path, content]) => path.startsWith(folder) && path.endsWith(".jsonl") && content.includes(text),
    );
  }

  /** Every event is in the log or in a file, unless somebody else has deleted it. */
  unsafeEvents(): Acknowledged[] {
    const watermarks = this.kafka.watermarks(topic);
    const isStored = this.#storedEvents();
    return this.acknowledged.filter((one) => {
      const isLogged = one.offset >= (watermarks[one.partition]?.earliest ?? 0);
      return !isLogged && !this.losable.has(one) && !isStored(one);
    });
  }

  /** Programs that start from now on know of all partitions. */
  deploy(): void {
    this.partitions = this.kafkaPartitions;
  }

  startArchiver(): Running {
    return this.#start("archiver", () => {
      const configuration = this.configuration();
      const cassandra = new Client({ contactPoints: [] });
      return archive(
        {
          configuration,
          application: readings,
          reader: this.kafka.reader(),
          deadLetters: this.kafka.producer(deadLetterTopic),
          markers: this.kafka.producer(topic),
          trimming: connectTrimming(configuration, cassandra),
          note: (life) => noteIncarnation(cassandra, topic, configuration.incarnation, life),
          storage: this.storage.client(),
          metrics: new ArchiveMetrics(),
          log: (line) => this.lines.push(line),
          now: () => this.simulation.now,
          ...(this.options.memoryBytes !== undefined && { memoryBytes: this.options.memoryBytes }),
        },
        new AbortController().signal,
      );
    });
  }

  /** A spout with its bolt. */
  startSpeedLayer(): Running {
    return this.#start("speed", async () => {
      const configuration = this.configuration();
      const { partitions, incarnation } = configuration;
      const store = new CassandraSpeedStore({ configuration });
      const reader = this.kafka.reader();
      const lives = [0, 1].map(() => new KnownIncarnation(incarnation, () => store.incarnation()));
      const [ofBolt, ofSpout] = lives as [KnownIncarnation, KnownIncarnation];
      const bolt = new SpeedViews({
        application: readings,
        configuration,
        reader: this.kafka.reader(),
        store,
        first: () => ofBolt.first(),
      });
      const spout = new DescriptorSpout({
        views: readings.views,
        configuration,
        reader,
        store,
        check: new LogCheck({ topic, partitions, reader, topicId: () => ofSpout.topicId() }),
        first: () => ofSpout.first(),
        reporter: { log: (_, line) => this.lines.push(line), error: (line) => this.lines.push(line) },
        pollMilliseconds: 500,
        seldomMilliseconds: 5_000,
      });
      for (;;)
        await spout.next((id, tuple) => {
          const timer = setTimeout(() => spout.fail(id), tupleTimeout);
          bolt.execute(fromTuple(tuple)).then(
            () => {
              clearTimeout(timer);
              spout.ack(id);
            },
            () => {
              clearTimeout(timer);
              spout.fail(id);
            },
          );
        });
    });
  }

  /** Closes the open chunks, as `npm run batch -- --seal` does before its run. */
  startSealer(): Running {
    return this.#start("sealer", () =>
      sealOpenChunks({
        configuration: this.configuration(),
        application: readings,
        reader: this.kafka.reader(),
        markers: this.kafka.producer(topic),
        report: (message) => this.lines.push(message),
      }),
    );
  }

  /** Accepts what is lost, as `npm run batch -- --accept-loss` does before its run. */
  startAcceptance(): Running {
    return this.#start("acceptance", () =>
      acceptLosses({
        configuration: this.configuration(),
        reader: this.kafka.reader(),
        storage: this.storage.client(),
        markers: this.kafka.producer(topic),
        report: (message) => this.lines.push(message),
      }),
    );
  }

  /** Asks a question; its answer comes while other programs go on. */
  startQuestion(question: () => Promise<void>): Running {
    return this.#start("question", question);
  }

  /** A batch run as jobs/batch/leased-run.ts makes it. */
  startBatch(force = false): Running {
    return this.#start("batch", async () => {
      const cassandra = new Client({ contactPoints: [] });
      const lease = await Lease.acquire(cassandra, `batch-${topic}`, `run ${this.#processes}`);
      if (!(lease instanceof Lease)) return;
      await using held = lease;
      const configuration = this.configuration();
      const report = (message: string) => this.lines.push(message);
      const { views } = readings;
      const { generations, partitions, chunkSize } = configuration;
      const stores = this.#batchStores(configuration, cassandra, held.signal);
      const now = () => this.simulation.now;
      await runBatch({ stores, views, generations, partitions, chunkSize, force, report, now });
    });
  }

  #batchStores(configuration: Configuration, cassandra: Client, signal: AbortSignal): BatchStores {
    const storage = this.storage.client();
    const { batchViews } = configuration;
    const connected = connectStores({
      configuration: configuration as BatchConfiguration,
      views: readings.views,
      cassandra,
      storage,
      signal,
      report: (message) => this.lines.push(message),
    });
    return {
      ...connected,
      mapReduce: async (version, archived, former) => {
        const mapper = new Mapper(readings);
        const records: string[] = [];
        const paths = former.map(({ path }) => path);
        for (const [partition, files] of Object.entries(archived.files)) {
          const folder = partitionFolder("/master", { ...configuration, partition: Number(partition) });
          paths.push(...files.map(({ name }) => `${folder}/${name}`));
        }
        for (const path of paths)
          for (const line of (await storage.readText(path)).split("\n"))
            if (line !== "") records.push(...mapper.add(Buffer.from(line)));
        records.push(...mapper.flush());
        const reducer = new Reducer(readings);
        const lines = [
          ...records.sort().flatMap((record) => [...reducer.add(Buffer.from(record))]),
          ...reducer.flush(),
        ];
        const output = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        await storage.publish(`${batchViews}/${version}/part-00000`, [output], { length: output.length });
        await storage.publish(`${batchViews}/${version}/_SUCCESS`, [], { length: 0 });
        return { applicationId: "none", ...mapper.counts, outputRecords: reducer.counts.output };
      },
      load: async (view, version) => {
        if (version.rows === 0) return;
        const names = await storage.list(`${batchViews}/${version.version}`);
        if (!names.includes("_SUCCESS")) throw new Error("no complete output");
        const text = await storage.readText(`${batchViews}/${version.version}/part-00000`);
        await this.druid.load(version.datasource, rowsOfOutput(view, text));
      },
      datasources: () => this.druid.names(),
      removeDatasource: (name) => this.druid.remove(name),
    };
  }

  /** What the serving layer is made of, as jobs/serving/open-stores.ts makes it. */
  serving(): QueryOptions {
    const configuration = this.configuration();
    const { generations, incarnation, partitions, chunkSize, speed } = configuration;
    const client = new Client({ contactPoints: [] });
    const reader = this.kafka.reader();
    const storage = this.storage.client();
    const inCassandra = speedStore({ client, generations, partitions, shards: speed.shards });
    const forAll = new AbortController().signal;
    const kept = new KeptSteps();
    const life = new KnownIncarnation(incarnation, () => readIncarnation(client, topic, incarnation));
    const logCheck = new LogCheck({ topic, partitions, reader, topicId: () => life.topicId() });
    const totals = new VersionCache<RankedTotals>(1_000_000, ({ size }) => size);
    const isSelected = (selection: Selection, key: readonly string[], bucket: number) =>
      (selection.key === undefined || keyText(selection.key) === keyText(key)) &&
      bucket >= (selection.from ?? Number.NEGATIVE_INFINITY) &&
      bucket < (selection.to ?? Number.POSITIVE_INFINITY);
    const steps = new Map(
      readings.views.map((view) => [
        view.name,
        new BatchSteps(
          view,
          async ({ version, keys, from, to }) =>
            version.rows === 0
              ? []
              : (await this.druid.rows(version.datasource)).filter(({ key, bucket }) =>
                  keys.some((wanted) => isSelected({ key: wanted, from, to }, key, bucket)),
                ),
          kept,
        ),
      ]),
    );
    const generationOf = (view: AnyView) => generations[view.name] as string;
    const stores: Stores = {
      ...inCassandra,
      pointer: (view) => readPointer(client, { view: view.name, generation: generationOf(view) }),
      speedSteps: (view, version, era, selection) =>
        speedSteps((...rows) => inCassandra.speedRows(...rows, forAll), kept.spans, view, version, era, selection),
      batchSteps: (view, version, selection) => (steps.get(view.name) as BatchSteps).get(version, selection),
      batchTotals: (view, version, measure, selection) =>
        totals.get(JSON.stringify([version.datasource, measure, selection]), async () => {
          const rows = version.rows === 0 ? [] : await this.druid.rows(version.datasource);
          const index = Object.keys(view.measures).indexOf(measure);
          const found = rows.filter(({ key, bucket }) => isSelected(selection, key, bucket));
          return new RankedTotals(
            view.measures[measure] as AnyMeasure<never>,
            found.map(({ key, columns }) => ({ key, state: view.decode(columns)[index] })),
          );
        }),
      batchReady: async () => {},
      watermarks: () => reader.watermarks(topic),
      checkLog: (known, ends) => logCheck.check(known, ends),
      logBegin: () => life.begin(),
      deadLetters: async () => ({}),
      archived: async () => {
        const all = Array.from({ length: partitions }, (_, partition) =>
          storage.list(partitionFolder("/master", { ...configuration, partition })),
        );
        return archivedHorizon(Object.fromEntries((await Promise.all(all)).entries()), partitions, chunkSize).horizon;
      },
    };
    return { stores, partitions, chunkSize, chunksPerEra: speed.chunksPerEra, storeTimeout: 5_000 };
  }

  configuration(): Configuration {
    const { chunkSize, chunksPerEra } = this.options;
    return {
      topic,
      deadLetterTopic,
      partitions: this.partitions,
      chunkSize,
      maxEventBytes: 200,
      kafka: { bootstrapServers: ["memory:1"] },
      storage: { kind: "hdfs", webHdfs: "http://memory", user: "u" },
      masterDataset: "/master",
      openChunks: "/open",
      archiveMinutes: 10,
      sealHours: 24,
      retentionHours: 168,
      incarnation: 1,
      batchViews: "/batch",
      cassandra: { contactPoints: ["memory:1"], localDataCenter: "d", keyspace: "k" },
      druid: { broker: "http://memory", coordinator: "http://memory" },
      speed: { shards: 2, chunksPerEra },
      generations: this.#generations,
    };
  }

  #start(name: string, main: () => Promise<unknown>): Running {
    const process = this.simulation.process(`${name} ${++this.#processes}`);
    const running: Running = { process, outcome: undefined };
    process.start(() =>
      main().then(
        () => {
          running.outcome = {};
        },
        (error: Error) => {
          running.outcome = { error };
          this.lines.push(`${process.name}: ${error.message}`);
        },
      ),
    );
    return running;
  }
}

/** The rows of a view in the output of a batch run. */
function rowsOfOutput(view: AnyView, text: string): EncodedRow[] {
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    const row = JSON.parse(line);
    if (row.view !== view.name) return [];
    return [
      {
        bucket: row.__time,
        key: view.keyFields.map((field) => row[field]),
        columns: view.columns.map(({ name }) => row[name]),
      },
    ];
  });
}
