import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Admin } from "@platformatic/kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { archivedRange } from "../../../jobs/archive/layout.ts";
import type { Configuration } from "../../../jobs/configuration.ts";
import { decodeEvent } from "../../../jobs/events/decode.ts";
import { EventProducer, type SourceEvent } from "../../../jobs/kafka/event-producer.ts";
import { RangeReader } from "../../../jobs/kafka/range-reader.ts";
import { generatorSource } from "../../../jobs/sources/generator.ts";
import { play } from "../../../jobs/sources/play.ts";
import type { FileStorage } from "../../../jobs/storage/file-storage.ts";
import { openStorage } from "../../../jobs/storage/open-storage.ts";
import application from "../../../jobs/wikipedia/index.ts";
import { RecordedResources } from "../../support/recorded-resources.ts";
import { RunningTarget } from "../../support/running-target.ts";

/*
 * Steps and expected results, on a real broker and a real HDFS, with the archiver as a process of its own:
 * 1. Events with poison between them: the files hold exactly the valid events of every full chunk, byte by byte; the
 *    dead letters every poison event once, in order, also those of the open chunk; /metrics counts them.
 * 2. The archiver is killed with -9 and started again three times while events come: exact.
 * 3. The broker, then the NameNode are killed and started while events come: exact, by the same archiver.
 * 4. SIGTERM: it ends at once, with code 0. A topic that was made again: it refuses, with code 1.
 */
const folder = mkdtempSync(join(tmpdir(), "archive-"));
const target = new RunningTarget("127.27.3", folder);
const address = "127.27.3.100";
const port = 9100;
const chunkSize = 500;
const maxEventBytes = 20_000;
let configuration: Configuration;
let admin: Admin;
let producer: EventProducer;
let reader: RangeReader;
let storage: FileStorage;
let archiver: ChildProcess | undefined;
let output = "";
let seed = 0;

beforeAll(async () => {
  await new RecordedResources().start();
  const { KafkaCluster } = await import("../../../components/kafka/index.ts");
  const { HdfsStorage } = await import("../../../components/hdfs/index.ts");
  new KafkaCluster("kafka", { target });
  new HdfsStorage("hdfs", { target });
  while (target.serviceArgs.size < 3) await sleep(10);
  await target.start();
  const kafka = `${target.placement({ component: "kafka", role: "broker", index: 0 }).address}:9092`;
  const nameNode = target.placement({ component: "hdfs", role: "namenode" }).address;
  const unused = "http://127.27.3.200:1";
  configuration = {
    topic: "edits",
    deadLetterTopic: "edits-dead-letters",
    partitions: 2,
    chunkSize,
    maxEventBytes,
    kafka: { bootstrapServers: [kafka] },
    storage: { kind: "hdfs", webHdfs: `http://${nameNode}:9870`, user: "hdfs" },
    masterDataset: "/lambda/master",
    openChunks: "/lambda/open",
    archiveMinutes: 10,
    sealHours: 24,
    retentionHours: 168,
    incarnation: 1,

    batchViews: "/lambda/batch",
    cassandra: { contactPoints: ["127.27.3.200:1"], localDataCenter: "none", keyspace: "none" },
    druid: { broker: unused, coordinator: unused },
    speed: { shards: 1, chunksPerEra: 1 },
    generations: {},
  };
  writeFileSync(join(folder, "configuration.json"), JSON.stringify(configuration));
  admin = new Admin({ clientId: "test", bootstrapBrokers: [kafka] });
  for (const topic of ["edits", "edits-dead-letters"])
    await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
  producer = new EventProducer({ bootstrapServers: [kafka], topic: "edits" });
  reader = new RangeReader({ bootstrapServers: [kafka] });
  storage = openStorage(configuration.storage);
});

afterAll(async () => {
  archiver?.kill("SIGKILL");
  storage?.[Symbol.dispose]();
  await producer?.close();
  await reader?.close();
  await admin?.close();
  await target.stop();
});

function startArchiver(): ChildProcess {
  const main = fileURLToPath(new URL("../../../jobs/archive/main.ts", import.meta.url));
  const options = ["--configuration", join(folder, "configuration.json"), "--address", address, "--port", String(port)];
  const child = spawn(process.execPath, [main, ...options], { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.on("data", (data) => {
    output += data;
  });
  archiver = child;
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.kill(signal);
  return ended;
}

/** Plays generated events with some poison among them. */
async function playPoisoned(events: number, rate?: number): Promise<void> {
  const poison = ["{", '{"time":"yesterday"}', "", JSON.stringify({ text: "x".repeat(maxEventBytes) }), "\u0000"];
  const source = [...generatorSource(++seed, events)].map((batch) =>
    batch.flatMap((event, index): SourceEvent[] =>
      index % 97 === 0 ? [event, { value: poison[index % poison.length] as string }] : [event],
    ),
  );
  await play(source, producer, { rate });
}

/** What the archive must be, by a plain pass over what Kafka holds. */
async function expected() {
  const files: Record<string, string> = {};
  const letters: string[] = [];
  const watermarks = await reader.watermarks("edits");
  for (const [partition, { latest }] of Object.entries(watermarks)) {
    for await (const records of reader.read("edits", Number(partition), 0, latest)) {
      for (const { offset, value } of records) {
        const start = Math.floor(offset / chunkSize) * chunkSize;
        const decoded = decodeEvent(application, value, maxEventBytes);
        if (decoded.event === undefined) letters.push(`edits-${partition}-${offset}: ${decoded.reason}`);
        if (start + chunkSize > latest) continue;
        files[`${partition}/${start}`] ??= "";
        if (decoded.event !== undefined) files[`${partition}/${start}`] += `${value}\n`;
      }
    }
  }
  return { files, letters: letters.sort() };
}

async function found() {
  const files: Record<string, string> = {};
  const letters: string[] = [];
  for (const partition of [0, 1]) {
    const folder = `/lambda/master/edits/${partition}`;
    for (const name of await storage.list(folder)) {
      const range = archivedRange(name);
      if (range !== undefined) files[`${partition}/${range.start}`] = await storage.readText(`${folder}/${name}`);
    }
    const latest = (await reader.watermarks("edits-dead-letters"))[partition]?.latest ?? 0;
    let before = -1;
    for await (const records of reader.read("edits-dead-letters", partition, 0, latest)) {
      for (const { key, value } of records) {
        const letter = JSON.parse(String(value));
        expect(letter.offset).toBeGreaterThan(before);
        before = letter.offset;
        letters.push(`${key}: ${letter.reason}`);
      }
    }
  }
  return { files, letters: letters.sort() };
}

async function expectExact(): Promise<void> {
  const wanted = await expected();
  const deadline = Date.now() + 120_000;
  for (;;) {
    const got = await found().catch(() => ({ files: {}, letters: [] as string[] }));
    const complete = Object.keys(got.files).length >= Object.keys(wanted.files).length;
    if ((complete && got.letters.length >= wanted.letters.length) || Date.now() > deadline) {
      expect(got.letters).toEqual(wanted.letters);
      expect(got).toEqual(wanted);
      return;
    }
    await sleep(250);
  }
}

test("archives exactly the valid events, and sends the others to the dead letters", async () => {
  startArchiver();
  await playPoisoned(5_300);
  await producer.send([{ value: "not JSON, in the open chunk", partition: 1 }]);
  await expectExact();
  const metrics = await (await fetch(`http://${address}:${port}/metrics`)).text();
  const { letters } = await expected();
  const counted = [...metrics.matchAll(/^archive_dead_letters_total\{partition="\d"\} (\d+)$/gm)];
  expect(counted.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(letters.length);
  expect((await fetch(`http://${address}:${port}/healthz`)).status).toBe(200);
});

test("is exact after it was killed with -9 while events came", async () => {
  const playing = playPoisoned(12_000, 2_000);
  for (let kill = 0; kill < 3; kill++) {
    await sleep(1_500);
    await end(archiver as ChildProcess, "SIGKILL");
    startArchiver();
  }
  await playing;
  await expectExact();
});

test("is exact after the broker and the NameNode were killed while events came", async () => {
  const before = archiver;
  const playing = playPoisoned(12_000, 2_000);
  for (const server of ["kafka-broker-0", "hdfs-namenode"]) {
    await sleep(1_000);
    await target.kill(server);
    await sleep(500);
    await target.start();
  }
  await playing;
  await expectExact();
  expect(before?.exitCode).toBeNull();
  expect(output).toMatch(/tries again/);
});

test("ends cleanly, and archives nothing of a topic that was made again, without an end or a loop of restarts", async () => {
  expect(await end(archiver as ChildProcess, "SIGTERM")).toBe(0);
  await admin.deleteTopics({ topics: ["edits"] });
  await sleep(1_000);
  await admin.createTopics({ topics: ["edits"], partitions: 2, replicas: 1 });
  const waiting = startArchiver();
  await expect.poll(() => output, { timeout: 60_000 }).toMatch(/topic edits was deleted and made again/);
  await expect
    .poll(async () => (await fetch(`http://${address}:${port}/metrics`)).text(), { timeout: 60_000 })
    .toMatch(/^archive_diverged\{partition="0"\} 1$/m);
  expect(waiting.exitCode).toBeNull();
  expect(await end(waiting, "SIGTERM")).toBe(0);
});
