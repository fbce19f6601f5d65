import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "cassandra-driver";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BatchConfiguration } from "../../../jobs/batch/configuration.ts";
import { DruidCoordinator } from "../../../jobs/batch/druid-coordinator.ts";
import { Lease } from "../../../jobs/batch/lease.ts";
import { claimPointer, movePointer, type PointerKey, readPointer, versionsOf } from "../../../jobs/batch/pointer.ts";
import { BatchQueryError, readBatchRows, readBatchTotals } from "../../../jobs/batch/query.ts";
import type { Pointer } from "../../../jobs/batch/versions.ts";
import { chunkEnd, chunkOf, chunkStart, eraOf } from "../../../jobs/chunks.ts";
import {
  answeringGenerations,
  claimGeneration,
  removeGeneration,
  retiredGenerations,
  retireGeneration,
} from "../../../jobs/generations/generations.ts";
import {
  alterPointerTable,
  createLeaseTable,
  createPointerTable,
  createRetiredTable,
  createViewTables,
  progressTable,
  speedTable,
} from "../../../jobs/speed/tables.ts";
import { Aggregate, type Row } from "../../../jobs/views/aggregate.ts";
import { editsByChannel } from "../../../jobs/wikipedia/edits-by-channel.ts";
import type { WikipediaEdit } from "../../../jobs/wikipedia/event.ts";
import application from "../../../jobs/wikipedia/index.ts";
import { RecordedResources } from "../../support/recorded-resources.ts";
import { RunningTarget } from "../../support/running-target.ts";
import { FakeHdfs } from "./fake-hdfs.ts";

/*
 * Steps and expected results, on a real Druid and Cassandra (HDFS and MapReduce are in memory):
 * 1. A run over the first chunks: every view's rows are exactly one pass's; queries of a time range, a key, totals too.
 * 2. A second run while queries go on: each answer is exactly the old version's or the new one's.
 * 3. Runs killed with -9 while they load and between two views' swaps: pointers stay valid, and the next run ends with
 *    exact views; nothing of the killed runs is left.
 * 4. What of the speed views lies below the smallest retained horizon is gone, and nothing else.
 * 5. A generation that was given up is gone after the next run, one in use stays, and one that comes back begins anew.
 * 6. A historical killed: queries fail, they do not answer less.
 */
const target = new RunningTarget("127.26.0", mkdtempSync(join(tmpdir(), "batch-")));
const chunkSize = 500;
const chunksPerEra = 2;
const topic = "edits";
let hdfs: FakeHdfs;
let client: Client;
let configuration: BatchConfiguration;
const running: ChildProcess[] = [];

beforeAll(async () => {
  await new RecordedResources().start();
  const { ZooKeeperEnsemble } = await import("../../../components/zookeeper/index.ts");
  const { DruidCluster } = await import("../../../components/druid/index.ts");
  const { CassandraCluster } = await import("../../../components/cassandra/index.ts");
  const generations = Object.fromEntries(application.views.map(({ name }, index) => [name, `0000000${index}`]));
  const zooKeeper = new ZooKeeperEnsemble("zookeeper", { target });
  new DruidCluster("druid", { target, zooKeeper: zooKeeper.connectString });
  const tables = [
    ...[createPointerTable, ...alterPointerTable, createLeaseTable, createRetiredTable],
    ...application.views.flatMap(({ name }) => createViewTables(name, generations[name] as string)),
  ];
  new CassandraCluster("cassandra", { target, keyspaces: [{ name: "lambda", tables }] });
  // The services are asked for once the inputs are known.
  while (target.tasks.size === 0 || target.serviceArgs.size < 6) await sleep(10);
  hdfs = await FakeHdfs.start("127.26.0.200");
  await target.start();
  await target.run("cassandra-schema");

  const address = (component: string, role: string, index?: number) =>
    target.placement({ component, role, ...(index === undefined ? {} : { index }) }).address;
  configuration = {
    topic,
    deadLetterTopic: "edits-dead-letters",
    partitions: 2,
    chunkSize,
    maxEventBytes: 1_000_000,
    kafka: { bootstrapServers: ["127.26.0.201:9092"] },
    storage: { kind: "hdfs", webHdfs: hdfs.url, user: "lambda" },
    masterDataset: "/master",
    openChunks: "/open",
    archiveMinutes: 10,
    sealHours: 24,
    retentionHours: 168,
    incarnation: 1,

    batchViews: "/batch",
    cassandra: {
      contactPoints: [`${address("cassandra", "node", 0)}:9042`],
      localDataCenter: "datacenter1",
      keyspace: "lambda",
    },
    druid: {
      broker: `http://${address("druid", "broker", 0)}:8082`,
      coordinator: `http://${address("druid", "coordinator")}:8081`,
    },
    speed: { shards: 2, chunksPerEra },
    generations,
    hadoop: {
      ...{ java: "java", classPath: ["none"], configurationDirectory: "/none" },
      ...{ resourceManager: "http://127.26.0.202:8088", historyServer: "http://127.26.0.202:19888" },
      ...{ node: "node", mapper: "none", reducer: "none", reducers: 1, user: "lambda", environment: {} },
    },
  };
  client = new Client({ ...configuration.cassandra, socketOptions: { readTimeout: 30_000 } });
});

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await client?.shutdown();
  hdfs?.stop();
  await target.stop();
});

/** The event at an offset of a partition; some keys have quotes and other scripts. */
function event(partition: number, offset: number): WikipediaEdit {
  const place = offset * 2 + partition;
  return {
    time: new Date(Date.UTC(2015, 8, 12) + ((place * 7_919) % 86_400) * 1_000).toISOString(),
    channel: `#${["en", "de", `o"'k`, "日本"][place % 4]}.wikipedia`,
    page: `Page ${place % 97}`,
    user: `user ${place % 61}`,
    added: place % 13,
    deleted: place % 5,
  };
}

/** Archives the next chunks of a partition. */
function archive(partition: number, chunks: number): void {
  for (let left = chunks; left > 0; left--) {
    const start = archivedEnd(partition);
    const lines = Array.from({ length: chunkSize }, (_, index) => JSON.stringify(event(partition, start + index)));
    const digits = (offset: number) => String(offset).padStart(19, "0");
    const name = `${digits(start)}-${digits(start + chunkSize)}.jsonl`;
    hdfs.files.set(`/master/${topic}/${partition}/${name}`, `${lines.join("\n")}\n`);
  }
}

function archivedEnd(partition: number): number {
  return hdfs.list(`/master/${topic}/${partition}`).length * chunkSize;
}

/** What one pass over the events up to a horizon makes of a view. */
function oracle(view: (typeof application.views)[number], horizon: Readonly<Record<string, number>>): string[] {
  const aggregate = new Aggregate(view);
  for (const [partition, end] of Object.entries(horizon))
    for (let offset = 0; offset < end; offset++) aggregate.add(event(Number(partition), offset));
  return texts(view, [...aggregate.rows()]);
}

function texts(view: (typeof application.views)[number], rows: readonly Row[]): string[] {
  return rows.map((row) => JSON.stringify([row.bucket, row.key, view.encode(row.states)])).sort();
}

/** Starts a run, as a process of its own. */
function start(): { child: ChildProcess; lines: string[]; ended: Promise<number | null> } {
  const program = fileURLToPath(new URL("./killable-run.ts", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(configuration)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => lines.push(line));
  return { child, lines, ended: new Promise((resolve) => child.once("exit", resolve)) };
}

/** A run to its end; one that was killed just before holds the lease for a while. */
async function run(): Promise<string[]> {
  for (;;) {
    const { lines, ended } = start();
    const code = await ended;
    if (code === 0) return lines;
    expect(code).toBe(3);
    await sleep(1_000);
  }
}

/** Starts a run and kills it as soon as it says something. */
async function runUntil(pattern: RegExp): Promise<void> {
  for (;;) {
    const { child, lines, ended } = start();
    let code: number | null | undefined;
    ended.then((ended) => {
      code = ended;
    });
    while (code === undefined && !lines.some((line) => pattern.test(line))) await sleep(5);
    child.kill("SIGKILL");
    await ended;
    if (lines.some((line) => pattern.test(line))) return;
    expect(code).toBe(3);
    await sleep(1_000);
  }
}

async function pointer(view: string): Promise<Pointer> {
  const found = await readPointer(client, { view, generation: configuration.generations[view] as string });
  if (found === undefined) throw new Error(`${view} has no version`);
  return found;
}

async function expectExact(): Promise<void> {
  for (const view of application.views) {
    const version = await pointer(view.name);
    const rows = await readBatchRows({ broker: configuration.druid.broker, view, version });
    expect(texts(view, rows)).toEqual(oracle(view, version.horizon));
  }
}

test("a run makes exact views, which can be asked for times, keys and totals", async () => {
  archive(0, 3);
  archive(1, 2);
  await run();
  await expectExact();

  const version = await pointer("edits-by-channel");
  expect(version.horizon).toEqual({ 0: 1500, 1: 1000 });
  const query = { broker: configuration.druid.broker, view: editsByChannel, version };
  const all = await readBatchRows(query);
  const [from, to] = [Date.UTC(2015, 8, 12, 6), Date.UTC(2015, 8, 12, 7, 30)];
  const keys = [[`#o"'k.wikipedia`]];
  const some = all.filter((row) => row.bucket >= from && row.bucket < to && row.key[0] === keys[0]?.[0]);
  expect(some.length).toBeGreaterThan(0);
  expect(texts(editsByChannel, await readBatchRows({ ...query, from, to, keys }))).toEqual(texts(editsByChannel, some));
  for (const measure of Object.keys(editsByChannel.measures)) {
    const totals = [...(await readBatchTotals({ ...query, measure }))];
    expect(totals).toHaveLength(4);
    for (const total of totals) {
      const one = editsByChannel.zero();
      for (const row of all.filter((row) => row.key[0] === total.key[0])) editsByChannel.merge(one, row.states);
      const extracted = editsByChannel.measures[measure]?.extract(total.state);
      expect(extracted).toBe(editsByChannel.extract(one)[measure]);
    }
  }
  expect(await run()).toEqual([expect.stringContaining("nothing new is archived")]);
});

test("queries throughout a swap are answered by one version or the other, whole", async () => {
  archive(0, 2);
  const { ended } = start();
  let over = false;
  ended.then(() => {
    over = true;
  });
  const answers = new Map<string, number>();
  while (!over) {
    const version = await pointer("edits-by-channel");
    const rows = await readBatchRows({ broker: configuration.druid.broker, view: editsByChannel, version });
    expect(texts(editsByChannel, rows)).toEqual(oracle(editsByChannel, version.horizon));
    answers.set(version.version, (answers.get(version.version) ?? 0) + 1);
  }
  expect(await ended).toBe(0);
  expect(answers.size).toBe(2);
  await expectExact();
});

test("runs killed with -9 leave valid pointers, and nothing that the next run does not remove", async () => {
  archive(1, 2);
  await runUntil(/^computed/);
  await expectExact();
  // Its lease ends by itself after half a minute, as that of the next one does; one such wait is enough.
  await client.execute("DELETE FROM batch_lease WHERE name = ?", [topic], { prepare: true });
  await runUntil(/answers$/);
  await expectExact();
  await run();
  await expectExact();

  const pointers = await Promise.all(application.views.map(({ name }) => pointer(name)));
  for (const { horizon } of pointers) expect(horizon).toEqual({ 0: 2500, 1: 2000 });
  const versions = pointers.flatMap(versionsOf);
  expect(await new DruidCoordinator(configuration.druid.coordinator).datasources()).toEqual(
    versions.map(({ datasource }) => datasource).sort(),
  );
  expect(hdfs.list("/batch")).toEqual([...new Set(versions.map(({ version }) => version))].sort());
});

test("what of the speed views no retained version needs is deleted", async () => {
  const key = { view: "edits-by-channel", generation: configuration.generations["edits-by-channel"] as string };
  const table = speedTable(key.view, key.generation);
  const progress = progressTable(key.view, key.generation);
  const write = async (partition: number, offset: number) => {
    const chunk = chunkOf(offset, chunkSize);
    const end = Math.min(offset + 1, chunkEnd(chunk, chunkSize));
    await client.execute(
      `INSERT INTO ${table} (shard, era, partition, key, bucket, chunk, state) VALUES (0, ?, ?, 'k', 0, ?, 's') USING TIMESTAMP ${end}`,
      [eraOf(chunk, chunksPerEra), partition, chunk],
      { prepare: true },
    );
    await client.execute(
      `INSERT INTO ${progress} (partition, chunk, end_offset) VALUES (?, ?, ${end}) USING TIMESTAMP ${end}`,
      [partition, chunk],
      { prepare: true },
    );
  };
  for (const partition of [0, 1])
    for (let chunk = 0; chunk < 12; chunk++) await write(partition, chunkStart(chunk, chunkSize) + chunkSize - 1);
  archive(0, 1);
  archive(1, 1);
  await run();

  const horizons = versionsOf(await pointer(key.view)).map(({ horizon }) => horizon);
  const smallest = [0, 1].map((partition) => Math.min(...horizons.map((horizon) => horizon[partition] as number)));
  const firstEras = smallest.map((offset) => eraOf(chunkOf(offset, chunkSize), chunksPerEra));
  expect(Math.max(...firstEras)).toBeGreaterThan(0);
  const rows = (await client.execute(`SELECT partition, chunk, era FROM ${table}`)).rows;
  for (const [partition, firstEra] of firstEras.entries())
    expect(
      rows
        .filter((row) => row.partition === partition)
        .map((row) => row.chunk)
        .sort((a, b) => a - b),
    ).toEqual(
      Array.from({ length: 12 }, (_, chunk) => chunk).filter((chunk) => eraOf(chunk, chunksPerEra) >= firstEra),
    );
  const reached = (await client.execute(`SELECT partition, chunk FROM ${progress}`)).rows;
  for (const partition of [0, 1])
    expect(reached.filter((row) => row.partition === partition).map((row) => row.chunk)).toEqual(
      Array.from({ length: 12 }, (_, chunk) => chunk).filter(
        (chunk) => chunkEnd(chunk, chunkSize) >= (smallest[partition] as number),
      ),
    );
});

test("a generation that was given up goes with the next run; one that comes back begins anew", async () => {
  const [own] = application.views.map(({ name }) => ({
    view: name,
    generation: configuration.generations[name] as string,
  }));
  const former = { view: editsByChannel.name, generation: "ffffffff" };
  const { keyspace } = configuration.cassandra;
  const progress = progressTable(former.view, former.generation);
  const write = `INSERT INTO ${progress} (partition, chunk, end_offset) VALUES (0, 0, 7) USING TIMESTAMP 7`;
  await claimGeneration(client, former);
  expect(await answeringGenerations(client, keyspace)).not.toContainEqual(former);
  await client.execute(write);
  await claimPointer(client, former, "20200101T000000000");
  const version = {
    version: "20200101T000000000",
    datasource: "none",
    horizon: { 0: 0, 1: 0 },
    rows: 0,
    lost: [],
    retained: [],
  };
  await movePointer(client, former, "20200101T000000000", version);
  await run();
  expect(await answeringGenerations(client, keyspace)).toContainEqual(former);

  await retireGeneration(client, former);
  // What was noted before its code came back.
  await retireGeneration(client, own as PointerKey);
  expect(await answeringGenerations(client, keyspace)).not.toContainEqual(former);
  expect(await run()).toContainEqual(expect.stringContaining("removed generation ffffffff of edits-by-channel"));
  await expect(client.execute(write)).rejects.toThrow(/does not exist|unconfigured table/);
  expect(await readPointer(client, former)).toBeUndefined();
  expect(await retiredGenerations(client)).toEqual([own]);
  await claimGeneration(client, own as PointerKey);
  expect(await retiredGenerations(client)).toEqual([]);
  expect(await removeGeneration(client, own as PointerKey)).toBe(false);
  await expectExact();

  await claimGeneration(client, former);
  await client.execute(write);
  expect((await client.execute(`SELECT chunk FROM ${progress}`)).rows).toHaveLength(1);
  // A run that was killed while it removed it: nobody ends that, so it is not waited for longer than a while.
  await retireGeneration(client, former);
  await client.execute(
    `UPDATE retired_generation SET removing = true WHERE "view" = '${former.view}' AND generation = 'ffffffff' IF EXISTS`,
  );
  await claimGeneration(client, former, 1_000);
  expect(await retiredGenerations(client)).toEqual([]);
  await retireGeneration(client, former);
  await run();
  expect(await answeringGenerations(client, keyspace)).not.toContainEqual(former);
});

test("the lease keeps two runs apart and is given back", async () => {
  const first = await Lease.acquire(client, "test", "one");
  expect(first).toBeInstanceOf(Lease);
  expect(await Lease.acquire(client, "test", "two")).toEqual({ heldBy: "one" });
  await (first as Lease)[Symbol.asyncDispose]();
  const second = await Lease.acquire(client, "test", "two");
  expect(second).toBeInstanceOf(Lease);
  await (second as Lease)[Symbol.asyncDispose]();
});

test("a lost historical makes queries fail, not answer less", async () => {
  const version = await pointer("edits-by-channel");
  const queries = { broker: configuration.druid.broker, view: editsByChannel, version };
  const expected = oracle(editsByChannel, version.horizon);
  await target.kill("druid-historical-0", "SIGTERM");
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      expect(texts(editsByChannel, await readBatchRows(queries))).toEqual(expected);
      expect([...(await readBatchTotals({ ...queries, measure: "edits" }))]).toHaveLength(4);
    } catch (error) {
      if (!(error instanceof BatchQueryError)) throw error;
    }
    await sleep(50);
  }
  await expect(readBatchRows(queries)).rejects.toBeInstanceOf(BatchQueryError);
  await target.start(/historical/);
  for (;;) {
    const rows = await readBatchRows(queries).catch(() => undefined);
    if (rows !== undefined) {
      expect(texts(editsByChannel, rows)).toEqual(expected);
      break;
    }
    await sleep(250);
  }
});
