import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { Client, type types } from "cassandra-driver";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleProgram } from "../../../components/programs.ts";
import { chunkStart } from "../../../jobs/chunks.ts";
import type { Configuration } from "../../../jobs/configuration.ts";
import { decodeEvent } from "../../../jobs/events/decode.ts";
import { EventProducer } from "../../../jobs/kafka/event-producer.ts";
import { RangeReader } from "../../../jobs/kafka/range-reader.ts";
import { createIncarnationTable } from "../../../jobs/log/incarnation.ts";
import { generatorSource } from "../../../jobs/sources/generator.ts";
import { shardOf } from "../../../jobs/speed/shard.ts";
import { CassandraSpeedStore } from "../../../jobs/speed/store.ts";
import { alterPointerTable, createPointerTable, createViewTables, speedTable } from "../../../jobs/speed/tables.ts";
import { Aggregate, keyText, type Row } from "../../../jobs/views/aggregate.ts";
import application from "../../../jobs/wikipedia/index.ts";
import { RecordedResources } from "../../support/recorded-resources.ts";
import { RunningTarget } from "../../support/running-target.ts";

/*
 * Steps and expected results, on a real ZooKeeper, Kafka, Cassandra and Storm:
 * 1. The topology is submitted; worker, spout and bolt run, none of them listens anywhere; events and poison are
 *    played: the rows equal one pass in memory over what Kafka holds.
 * 2. While more events come, the bolt's process is killed with -9, then the worker's: after recovery exact again.
 * 3. While more events come, Nimbus and Cassandra are killed with -9 and started again: exact, by the same worker.
 * 4. The topology is submitted again: it replaces the running one, which goes on where that was. Deleted, it is gone.
 */
class BundlingTarget extends RunningTarget {
  override program(entry: string, application?: string): string {
    return bundleProgram({ entry, ...(application !== undefined && { application }) });
  }
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), "speed-")));
const target = new BundlingTarget("127.25.2", folder);
const topic = "edits";
const chunkSize = 1_000;
const generations = Object.fromEntries(application.views.map(({ name }, index) => [name, `0000000${index}`]));
let configuration: Configuration;
let producer: EventProducer;
let reader: RangeReader;
let store: CassandraSpeedStore;
let seed = 0;

beforeAll(async () => {
  await new RecordedResources().start();
  const { ZooKeeperEnsemble } = await import("../../../components/zookeeper/index.ts");
  const { KafkaCluster } = await import("../../../components/kafka/index.ts");
  const { CassandraCluster } = await import("../../../components/cassandra/index.ts");
  const { StormCluster } = await import("../../../components/storm/index.ts");
  const { createSpeedLayer } = await import("../../../components/jobs/speed.ts");
  const zooKeeper = new ZooKeeperEnsemble("zookeeper", { target });
  const kafka = new KafkaCluster("kafka", { target, topics: [{ name: topic, partitions: 2 }] });
  const tables = [createIncarnationTable, createPointerTable, ...alterPointerTable];
  for (const { name } of application.views) tables.push(...createViewTables(name, generations[name] as string));
  new CassandraCluster("cassandra", { target, keyspaces: [{ name: "lambda", tables }] });
  const storm = new StormCluster("storm", { target, zooKeeper: zooKeeper.connectString });
  const address = (component: string, role: string) => target.placement({ component, role, index: 0 }).address;
  const unused = "http://127.25.2.200:1";
  configuration = {
    topic,
    deadLetterTopic: "edits-dead-letters",
    partitions: 2,
    chunkSize,
    maxEventBytes: 1_000_000,
    kafka: { bootstrapServers: [`${address("kafka", "broker")}:9092`] },
    storage: { kind: "hdfs", webHdfs: unused, user: "nobody" },
    masterDataset: "/",
    openChunks: "/open",
    archiveMinutes: 10,
    sealHours: 24,
    retentionHours: 168,
    incarnation: 1,

    batchViews: "/",
    cassandra: {
      contactPoints: [`${address("cassandra", "node")}:9042`],
      localDataCenter: "datacenter1",
      keyspace: "lambda",
    },
    druid: { broker: unused, coordinator: unused },
    speed: { shards: 4, chunksPerEra: 4 },
    generations,
  };
  createSpeedLayer({
    ...{ name: "test", target, dependsOn: [] },
    parent: kafka,
    application: { module: join(import.meta.dirname, "../../../jobs/wikipedia/index.ts"), application },
    configuration: pulumi.output(JSON.stringify(configuration)),
    nimbusSeeds: storm.nimbusSeeds,
    generations,
  });
  await target.start();
  await target.run("kafka-topics");
  await target.run("cassandra-schema");
  await target.run(submission());

  producer = new EventProducer({ ...configuration.kafka, topic });
  reader = new RangeReader(configuration.kafka);
  store = new CassandraSpeedStore({ configuration });
});

/** The name of the task that submits the topology. */
function submission(): string {
  return [...target.tasks.keys()].find((name) => /^test-speed-[0-9a-f]{8}-submission$/.test(name)) as string;
}

afterAll(async () => {
  await producer?.close();
  await reader?.close();
  await store?.close();
  await target.kill("storm-supervisor-0").catch(() => {});
  for (const pid of processesOf("")) process.kill(pid, "SIGKILL");
  await target.stop();
});

test("rows equal one pass in memory, and no worker listens", async () => {
  await play(8_000);
  await producer.send([{ value: "no JSON" }, { value: '{"time":"yesterday"}' }]);
  await expectExact();
  const workers = processesOf("");
  expect(workers.length).toBeGreaterThanOrEqual(4);
  const listening = listeningSockets();
  for (const pid of workers) expect(socketsOf(pid).filter((socket) => listening.has(socket))).toEqual([]);
});

test("exact after the bolt and then the worker are killed while events come", async () => {
  const playing = play(30_000);
  await sleep(1_000);
  const bolts = processesOf("speed-bolt.mjs");
  expect(bolts).toHaveLength(1);
  for (const pid of bolts) process.kill(pid, "SIGKILL");
  await until(() => processesOf("speed-bolt.mjs").some((pid) => !bolts.includes(pid)), "a new bolt");
  const [worker] = processesOf("org.apache.storm.daemon.worker.Worker", "org.apache.storm.LogWriter");
  process.kill(worker as number, "SIGKILL");
  await until(() => !processesOf("speed-bolt.mjs").some((pid) => bolts.includes(pid)), "the end of the old bolt");
  await playing;
  await expectExact();
});

test("exact after Nimbus and Cassandra are killed while events come, by the same worker", async () => {
  const bolts = processesOf("speed-bolt.mjs");
  const playing = play(10_000);
  await Promise.all(["storm-nimbus-0", "cassandra-node-0"].map((name) => target.kill(name)));
  await playing;
  await target.start(/nimbus|cassandra/);
  await expectExact();
  expect(processesOf("speed-bolt.mjs")).toEqual(bolts);
});

test("a topology that is submitted again replaces the running one; deleted, it is gone", async () => {
  const bolts = processesOf("speed-bolt.mjs");
  await target.run(submission());
  await play(5_000);
  await expectExact();
  const later = processesOf("speed-bolt.mjs");
  expect(later).toHaveLength(1);
  expect(later).not.toEqual(bolts);
  const resumed = globSync(join(folder, "storm-supervisor-0/logs/workers/*/*/worker.log"))
    .map((log) => readFileSync(log, "utf8").match(/resuming at these chunks.*"0":(\d+)/)?.[1])
    .map(Number);
  expect(Math.max(...resumed)).toBeGreaterThan(10);

  const [program, ...rest] = target.tasks.get(submission())?.deleteCommand ?? [];
  expect(spawnSync(program as string, rest, { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  await until(() => processesOf("").length === 0, "the workers' end");
});

/** Plays so many generated edits, other ones each time. */
async function play(events: number): Promise<void> {
  seed++;
  for (const batch of generatorSource(seed, events)) await producer.send(batch);
}

/** Waits until the speed layer holds all that Kafka does, and compares every row. */
async function expectExact(): Promise<void> {
  const watermarks = await reader.watermarks(topic);
  await until(async () => {
    for (const view of application.views) {
      const progress = await store.progress(view);
      for (const [partition, { latest }] of Object.entries(watermarks))
        for (let chunk = 0; chunkStart(chunk, chunkSize) < latest; chunk++) {
          const row = progress.find((each) => each.partition === Number(partition) && each.chunk === chunk);
          if (row === undefined || row.end < Math.min(latest, chunkStart(chunk + 1, chunkSize))) return false;
        }
    }
    return true;
  }, "the speed layer to catch up");
  const expected = application.views.map((view) => new Aggregate(view));
  for (const [partition, { latest }] of Object.entries(watermarks))
    for await (const records of reader.read(topic, Number(partition), 0, latest))
      for (const { value } of records) {
        const { event } = decodeEvent(application, value, configuration.maxEventBytes);
        if (event !== undefined) for (const aggregate of expected) aggregate.add(event);
      }
  const client = new Client({ ...configuration.cassandra, socketOptions: { readTimeout: 30_000 } });
  for (const aggregate of expected) {
    const { view } = aggregate;
    const stored = new Aggregate(view);
    const query = `SELECT shard, key, bucket, state FROM ${speedTable(view.name, generations[view.name] as string)}`;
    const page = { prepare: true, fetchSize: 5_000, autoPage: true };
    await new Promise<void>((resolve, reject) => {
      const take = (_: number, row: types.Row) => {
        if (row.shard !== shardOf(row.key, configuration.speed.shards))
          reject(new Error(`${row.key} in a wrong shard`));
        const states = view.decode(JSON.parse(row.state));
        stored.merge({ key: JSON.parse(row.key), bucket: Number(row.bucket), states });
      };
      client.eachRow(query, [], page, take, (error) => (error ? reject(error) : resolve()));
    });
    const table = (rows: Iterable<Row>) =>
      Object.fromEntries([...rows].map((row) => [`${row.bucket} ${keyText(row.key)}`, view.encode(row.states)]));
    expect(table(stored.rows())).toEqual(table(aggregate.rows()));
  }
  await client.shutdown();
}

/** The processes that Storm's supervisor started, directly or not, whose command line has `text` but not `without`. */
function processesOf(text: string, without?: string): number[] {
  const workers = join(folder, "storm-supervisor-0/data");
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return (
          readlinkSync(`/proc/${pid}/cwd`).startsWith(`${workers}/`) &&
          command.includes(text) &&
          (without === undefined || !command.includes(without))
        );
      } catch {
        return false;
      }
    });
}

/** The inodes of all TCP sockets that listen. */
function listeningSockets(): Set<string> {
  const lines = ["tcp", "tcp6"].flatMap((protocol) => readFileSync(`/proc/net/${protocol}`, "utf8").split("\n"));
  const fields = lines.map((line) => line.trim().split(/\s+/)).filter((columns) => columns[3] === "0A");
  return new Set(fields.map((columns) => columns[9] as string));
}

/** The inodes of the sockets that a process holds. */
function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`).match(/^socket:\[(\d+)\]$/)?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 180_000; !(await condition()); await sleep(100))
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
}
