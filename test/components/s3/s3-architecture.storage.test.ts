import { mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { GetObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { Client } from "cassandra-driver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadApplication } from "../../../components/application.ts";
import { readPointer, versionsOf } from "../../../jobs/batch/pointer.ts";
import { readBatchRows } from "../../../jobs/batch/query.ts";
import { type Configuration, configurationSchema } from "../../../jobs/configuration.ts";
import { EventProducer } from "../../../jobs/kafka/event-producer.ts";
import { RangeReader } from "../../../jobs/kafka/range-reader.ts";
import { generatorSource } from "../../../jobs/sources/generator.ts";
import { play } from "../../../jobs/sources/play.ts";
import { Aggregate, type Row } from "../../../jobs/views/aggregate.ts";
import type { WikipediaEdit } from "../../../jobs/wikipedia/event.ts";
import application from "../../../jobs/wikipedia/index.ts";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RunningTarget } from "../../support/running-target.ts";
import { S3Server, s3Server } from "../../support/s3-server.ts";

/*
 * Steps and expected results, on a whole architecture without HDFS and without its speed layer (which S3 does not
 * touch), its files as LambdaArchitecture makes them, the master dataset in a bucket of a real S3 server:
 * 1. Events are archived as objects of whole chunks. A batch run reads them through S3A, writes its output to the bucket
 *    and loads it into Druid: every view's rows are exactly one pass in memory over the events up to the horizon, and the
 *    serving layer answers with them and knows how far the archive reaches.
 * 2. More events and a second run: exact again; the first version's output is still there.
 * 3. The secret key is in no file but those that only their owner may read, in no process's arguments, in no object.
 */
const folder = mkdtempSync(join(tmpdir(), "s3-architecture-"));
const target = new RunningTarget("127.29.1", folder);
const chunkSize = 500;
let server: S3Server;
let configuration: Configuration;
let cassandra: Client;
let producer: EventProducer;
let reader: RangeReader;

function address(component: string, role: string, index?: number): string {
  return target.placement({ component, role, ...(index !== undefined && { index }) }).address;
}

/** What the log holds of a partition, up to an offset. */
async function eventsOf(partition: number, end: number): Promise<WikipediaEdit[]> {
  const events: WikipediaEdit[] = [];
  for await (const records of reader.read("edits", partition, 0, end))
    for (const { value } of records) events.push(JSON.parse(String(value)) as WikipediaEdit);
  return events;
}

function texts(view: (typeof application.views)[number], rows: Iterable<Row>): string[] {
  return [...rows].map((row) => JSON.stringify([row.bucket, row.key, view.encode(row.states)])).sort();
}

async function playAndArchive(seed: number, events: number): Promise<Record<string, number>> {
  await play(generatorSource(seed, events), producer, {});
  const watermarks = await reader.watermarks("edits");
  const ends = Object.entries(watermarks).map(([partition, { latest }]) => [
    partition,
    Math.floor(latest / chunkSize) * chunkSize,
  ]);
  const archived = Object.fromEntries(ends) as Record<string, number>;
  const url = `http://${address("lambda", "serving")}:8080/metrics`;
  const expected = Object.entries(archived).map(
    ([partition, end]) => `lambda_archived_offset{partition="${partition}"} ${end}`,
  );
  for (const deadline = Date.now() + 120_000; ; await sleep(250)) {
    const metrics = await (await fetch(url)).text();
    const missing = expected.filter((line) => !metrics.split("\n").includes(line));
    if (missing.length === 0) return archived;
    if (Date.now() > deadline) throw new Error(`the serving layer does not say ${missing.join(", ")}`);
  }
}

/** Every view's rows, of every version kept, against one pass over the log up to the version's horizon. */
async function expectExact(horizon: Record<string, number>, versions: number): Promise<void> {
  for (const view of application.views) {
    const generation = configuration.generations[view.name] as string;
    const pointer = await readPointer(cassandra, { view: view.name, generation });
    if (pointer === undefined) throw new Error(`${view.name} has no version`);
    expect(pointer.horizon).toEqual(horizon);
    expect(versionsOf(pointer)).toHaveLength(versions);
    for (const version of versionsOf(pointer)) {
      const aggregate = new Aggregate(view);
      for (const [partition, end] of Object.entries(version.horizon))
        for (const event of await eventsOf(Number(partition), end)) aggregate.add(event);
      const rows = await readBatchRows({ broker: configuration.druid.broker, view, version });
      expect(rows.length).toBeGreaterThan(100);
      expect(texts(view, rows)).toEqual(texts(view, aggregate.rows()));
    }
  }
}

/** The content of a file; nothing, if it has just gone. */
function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return Buffer.alloc(0);
    throw error;
  }
}

/** Every object of the bucket, by its key. */
async function objects(): Promise<Record<string, Buffer>> {
  const found: Record<string, Buffer> = {};
  for await (const { Contents = [] } of paginateListObjectsV2({ client: server.client }, { Bucket: server.bucket }))
    for (const { Key = "" } of Contents) {
      const { Body } = await server.client.send(new GetObjectCommand({ Bucket: server.bucket, Key }));
      found[Key] = Buffer.from((await Body?.transformToByteArray()) ?? []);
    }
  return found;
}

describe.skipIf(s3Server === undefined)("an architecture whose master dataset is in S3", () => {
  beforeAll(async () => {
    await new RecordedResources().start();
    const { LambdaArchitecture } = await import("../../../components/lambda-architecture.ts");
    server = await S3Server.start("127.29.2.1");
    const bucket = {
      ...{ bucket: server.bucket, region: server.region, endpoint: server.endpoint },
      credentials: server.credentials,
    };
    const { S3Storage } = await import("../../../components/s3/index.ts");
    const architecture = new LambdaArchitecture("lambda", {
      target,
      application: await loadApplication(fileURLToPath(new URL("../../../jobs/wikipedia/index.ts", import.meta.url))),
      chunkSize,
      storage: "s3",
      s3: bucket,
      // As on targets whose servers share no folder; here they would.
      druid: { deepStorage: new S3Storage("deep-storage", { target, ...bucket }) },
    });
    configuration = configurationSchema.parse(JSON.parse(await outputOf(architecture.configuration)));
    while (!target.schedules.has("lambda-batch") || !target.serviceArgs.has("lambda-serving")) await sleep(10);

    await target.start(/zookeeper/);
    // One system after the other: all at once, each takes longer than it may on a busy machine.
    for (const system of [/kafka/, /druid/, /cassandra/, /yarn/]) await target.start(system);
    await target.run("lambda-kafka-topics");
    await target.run("lambda-cassandra-schema");
    await target.start(/^lambda-(archiver|serving)$/);
    cassandra = new Client({ ...configuration.cassandra, socketOptions: { readTimeout: 30_000 } });
    const { bootstrapServers } = configuration.kafka;
    producer = new EventProducer({ bootstrapServers, topic: "edits" });
    reader = new RangeReader({ bootstrapServers });
  });

  afterAll(async () => {
    await Promise.all([cassandra?.shutdown(), producer?.close(), reader?.close()]);
    await target.stop();
    server?.stop();
  });

  test("a batch run over the bucket is exact", async () => {
    const archived = await playAndArchive(1, 4_300);
    await target.run("lambda-batch");
    await expectExact(archived, 1);
    const url = `http://${address("lambda", "serving")}:8080/views/edits-by-channel/top?measure=edits&limit=1&layer=batch`;
    const { version } = (await readPointer(cassandra, {
      view: "edits-by-channel",
      generation: configuration.generations["edits-by-channel"] as string,
    })) as { version: string };
    expect(await (await fetch(url)).json()).toMatchObject({
      rows: [{ key: { channel: "#en.wikipedia" } }],
      contains: { version, horizon: archived },
    });
  });

  test("so is the next, and the first version can still be asked", async () => {
    const archived = await playAndArchive(2, 3_100);
    await target.run("lambda-batch");
    await expectExact(archived, 2);
    const keys = Object.keys(await objects());
    expect(keys.filter((key) => /^batch\/[^/]+\/_SUCCESS$/.test(key))).toHaveLength(2);
    expect(keys.filter((key) => /^druid\/segments\/.*index\.zip$/.test(key)).length).toBeGreaterThanOrEqual(
      2 * application.views.length,
    );
    expect(keys.filter((key) => /^master\/edits\/.*\.jsonl$/.test(key))).toHaveLength(
      Object.values(archived).reduce((sum, end) => sum + end / chunkSize, 0),
    );
  });

  test("the secret key is where its owner alone may read it, and nowhere else", async () => {
    const secret = server.credentials.secretAccessKey;
    const holding = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => contentOf(file).includes(secret));
    expect(holding.length).toBeGreaterThan(4);
    for (const file of holding) expect([file, statSync(file).mode & 0o077]).toEqual([file, 0]);
    for (const [key, content] of Object.entries(await objects()))
      expect([key, content.includes(secret)]).toEqual([key, false]);
    const commands = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => contentOf(`/proc/${pid}/cmdline`).includes(secret));
    expect(commands).toEqual([]);
  });
});
