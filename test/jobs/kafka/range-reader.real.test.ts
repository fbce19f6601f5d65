import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OffsetOutOfRangeError, TopicRecreatedError } from "../../../jobs/kafka/errors.ts";
import { EventProducer } from "../../../jobs/kafka/event-producer.ts";
import type { LogRecord } from "../../../jobs/kafka/log-record.ts";
import { RangeReader } from "../../../jobs/kafka/range-reader.ts";
import { generatorSource } from "../../../jobs/sources/generator.ts";
import { play } from "../../../jobs/sources/play.ts";
import { RecordedResources } from "../../support/recorded-resources.ts";
import { RunningTarget } from "../../support/running-target.ts";

/*
 * Steps and expected results, on a real broker:
 * 1. Ranges of topics written with every codec: exactly their records, from the middle of batches too.
 * 2. A long poll: returns when an event comes, or empty when the time is over.
 * 3. The broker is killed with -9, started, ended and started while events are written and read: each is in the log
 *    once, and read once.
 * 4. Offsets that Kafka does not hold, and a topic that was made again: an error that says so.
 */
const target = new RunningTarget("127.27.2", mkdtempSync(join(tmpdir(), "kafka-")));
let bootstrapServers: string[];
let admin: Admin;
let reader: RangeReader;

beforeAll(async () => {
  await new RecordedResources().start();
  const { KafkaCluster } = await import("../../../components/kafka/index.ts");
  new KafkaCluster("kafka", { target });
  while (target.serviceArgs.size === 0) await sleep(10);
  await target.start();
  bootstrapServers = [`${target.placement({ component: "kafka", role: "broker", index: 0 }).address}:9092`];
  admin = new Admin({ clientId: "test", bootstrapBrokers: bootstrapServers });
  reader = new RangeReader({ bootstrapServers });
});

afterAll(async () => {
  await reader?.close();
  await admin?.close();
  await target.stop();
});

async function createTopic(topic: string): Promise<void> {
  await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
}

async function read(topic: string, partition: number, start: number, end: number): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const records of reader.read(topic, partition, start, end)) found.push(...records);
  return found;
}

test.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)(
  "reads exactly the records of a range: %s",
  async (compression) => {
    const topic = `codec-${compression}`;
    await createTopic(topic);
    await using producer = new EventProducer({ bootstrapServers, topic, compression });
    const values = Array.from({ length: 3_000 }, (_, index) => `${index} ${"ü".repeat(index % 200)}`);
    for (let from = 0; from < values.length; from += 250)
      await producer.send(values.slice(from, from + 250).map((value) => ({ value, partition: 1, key: "k" })));
    expect(await reader.watermarks(topic)).toEqual({
      0: { earliest: 0, latest: 0, leaderEpoch: 0 },
      1: { earliest: 0, latest: 3_000, leaderEpoch: 0 },
    });
    for (const [start, end] of [
      [0, 3_000],
      [249, 251],
      [1_000, 1_000],
      [123, 2_877],
    ] as const) {
      const records = await read(topic, 1, start, end);
      expect(records.map(({ offset }) => offset)).toEqual(
        Array.from({ length: end - start }, (_, index) => start + index),
      );
      expect(records.map(({ value }) => String(value))).toEqual(values.slice(start, end));
      expect(records.every(({ key }) => String(key) === "k")).toBe(true);
    }
  },
);

test("spreads events without a key evenly, and keeps those of a key together", async () => {
  await createTopic("spread");
  await using producer = new EventProducer({ bootstrapServers, topic: "spread" });
  for (let batch = 0; batch < 4; batch++) await producer.send(Array.from({ length: 10 }, () => ({ value: "x" })));
  expect(await reader.watermarks("spread")).toMatchObject({ 0: { latest: 20 }, 1: { latest: 20 } });
  await producer.send(Array.from({ length: 50 }, (_, index) => ({ value: "y", key: `key ${index % 5}` })));
  const keys = [await read("spread", 0, 20, 0), await read("spread", 1, 20, 0)];
  const latest = await reader.watermarks("spread");
  for (const partition of [0, 1]) keys[partition] = await read("spread", partition, 20, latest[partition]?.latest ?? 0);
  const [left, right] = keys.map((records) => new Set(records.map(({ key }) => String(key))));
  expect((left?.size ?? 0) + (right?.size ?? 0)).toBe(5);
});

test("a long poll returns when an event comes, or empty when its time is over", async () => {
  await createTopic("poll");
  await using producer = new EventProducer({ bootstrapServers, topic: "poll" });
  expect(await reader.fetch("poll", 0, 0, { maxWaitMilliseconds: 50 })).toEqual({
    records: [],
    next: 0,
    latest: 0,
    leaderEpoch: -1,
  });
  const started = performance.now();
  const polling = reader.fetch("poll", 0, 0, { maxWaitMilliseconds: 20_000 });
  await sleep(300);
  await producer.send([{ value: "now", partition: 0 }]);
  expect(await polling).toMatchObject({ records: [{ offset: 0 }], next: 1, latest: 1 });
  expect(performance.now() - started).toBeLessThan(10_000);
  const signal = AbortSignal.timeout(100);
  await expect(reader.fetch("poll", 0, 1, { maxWaitMilliseconds: 20_000, signal })).rejects.toThrow("timeout");
});

test("loses and doubles nothing while the broker is killed, ended and started", async () => {
  await createTopic("restarts");
  const retries: number[] = [];
  const onRetry = (_error: Error, failures: number) => retries.push(failures);
  await using producer = new EventProducer({ bootstrapServers, topic: "restarts", onRetry });
  const found: string[] = [];
  const reading = [0, 1].map(async (partition) => {
    for await (const records of reader.read("restarts", partition, 0, 10_000))
      found.push(...records.map(({ value }) => String(value)));
  });
  const playing = play(generatorSource(5, 20_000), producer, { rate: 2_000 });
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    await sleep(2_000);
    await target.kill("kafka-broker-0", signal);
    await sleep(500);
    await target.start();
  }
  expect(await playing).toMatchObject({ events: 20_000 });
  expect(retries.length).toBeGreaterThan(0);
  expect(await reader.watermarks("restarts")).toMatchObject({ 0: { latest: 10_000 }, 1: { latest: 10_000 } });
  await Promise.all(reading);
  const played = [...generatorSource(5, 20_000)].flat().map(({ value }) => String(value));
  expect(found.sort()).toEqual(played.sort());
});

test("says what Kafka does not hold, and that a topic was made again", async () => {
  await createTopic("gone");
  await using producer = new EventProducer({ bootstrapServers, topic: "gone" });
  await producer.send(Array.from({ length: 10 }, () => ({ value: "x", partition: 0 })));
  await expect(reader.fetch("gone", 0, 11)).rejects.toThrow(OffsetOutOfRangeError);
  await admin.deleteRecords({ topics: [{ name: "gone", partitions: [{ partition: 0, offset: 4n }] }] });
  await expect(reader.fetch("gone", 0, 3)).rejects.toThrow(
    "offset 3 of gone-0 is not in [4, 10), what Kafka holds; the topic's retention deleted it",
  );
  expect((await read("gone", 0, 4, 10)).length).toBe(6);
  const id = await reader.topicId("gone");
  await admin.deleteTopics({ topics: ["gone"] });
  await sleep(1_000);
  await createTopic("gone");
  expect(await reader.topicId("gone")).not.toBe(id);
  await expect(reader.fetch("gone", 0, 0)).rejects.toThrow(TopicRecreatedError);
});

test("tells the log's epochs, and which offset a time has", async () => {
  await createTopic("epochs");
  await using producer = new EventProducer({ bootstrapServers, topic: "epochs" });
  const send = () => producer.send([{ value: "x", partition: 0 }]);
  await send();
  await send();
  const before = await reader.watermarks("epochs");
  const epoch = before[0]?.leaderEpoch as number;
  expect(await reader.fetch("epochs", 0, 0, { end: 1 })).toMatchObject({ next: 1, leaderEpoch: epoch });
  await target.kill("kafka-broker-0", "SIGKILL");
  await target.start();
  await send();
  await sleep(10);
  const time = Date.now();
  await send();
  const after = await reader.watermarks("epochs");
  expect(after[0]).toMatchObject({ latest: 4 });
  const later = after[0]?.leaderEpoch as number;
  expect(later).toBeGreaterThan(epoch);
  expect(await reader.epochEnds("epochs", { 0: epoch, 9: epoch })).toEqual({ 0: { leaderEpoch: epoch, end: 2 } });
  expect(await reader.epochEnds("epochs", { 0: later })).toEqual({ 0: { leaderEpoch: later, end: 4 } });
  expect(await reader.epochEnds("epochs", { 0: later + 1 })).toEqual({ 0: { leaderEpoch: -1, end: -1 } });
  // What a former leader wrote is the same, and nothing of it is past its end.
  for (const [start, lastEpoch] of [
    [1, epoch],
    [2, epoch],
    [3, later],
    [4, later],
  ] as const)
    expect((await reader.fetch("epochs", 0, start, { lastEpoch, maxWaitMilliseconds: 10 })).next).toBe(4);
  await expect(reader.fetch("epochs", 0, 3, { lastEpoch: epoch })).rejects.toThrow(
    `epochs-0 was read up to offset 3 under leader epoch ${epoch}, but is the same up to 2 only`,
  );
  await expect(reader.fetch("epochs", 0, 3, { lastEpoch: later + 1 })).rejects.toThrow("has nothing of that epoch now");
  const records = await read("epochs", 0, 0, 4);
  expect(records.map(({ timestamp }) => timestamp >= time)).toEqual([false, false, false, true]);
  expect(await reader.offsetsAt("epochs", time)).toEqual({ 0: 3, 1: 0 });
  expect(await reader.offsetsAt("epochs", 0)).toEqual({ 0: 0, 1: 0 });
  expect(await reader.offsetsAt("epochs", Date.now() + 60_000)).toEqual({ 0: 4, 1: 0 });
});

test("takes many large events at once; an event too large for the brokers, or a topic not there, fails", async () => {
  await createTopic("large");
  await using producer = new EventProducer({ bootstrapServers, topic: "large", compression: "none" });
  await producer.send(Array.from({ length: 20 }, () => ({ value: Buffer.alloc(300_000, "x"), partition: 0 })));
  expect(await reader.watermarks("large")).toMatchObject({ 0: { latest: 20 } });
  await expect(producer.send([{ value: Buffer.alloc(3_000_000) }])).rejects.toThrow(
    "Kafka, writing to large: MESSAGE_TOO_LARGE",
  );
  await producer.send([{ value: "fine", partition: 1 }]);
  expect(await read("large", 1, 0, 1)).toMatchObject([{ offset: 0 }]);
  await using nowhere = new EventProducer({ bootstrapServers, topic: "no-such-topic" });
  await expect(nowhere.send([{ value: "x" }])).rejects.toThrow(
    "Kafka, looking for topic no-such-topic: Unknown topic no-such-topic.",
  );
  await expect(reader.watermarks("no-such-topic")).rejects.toThrow("no-such-topic");
});
