import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "cassandra-driver";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chunkEnd, chunkOf } from "../../../jobs/chunks.ts";
import { checkAnswers } from "../../../jobs/oracle/check.ts";
import { createServingLayer } from "../../../jobs/serving/serving-layer.ts";
import { speedStore } from "../../../jobs/serving/speed-store.ts";
import type { Stores } from "../../../jobs/serving/stores.ts";
import { generatorSource } from "../../../jobs/sources/generator.ts";
import { ChunkRows } from "../../../jobs/speed/chunk-rows.ts";
import { CassandraSpeedStore } from "../../../jobs/speed/store.ts";
import { alterPointerTable, createPointerTable, createViewTables } from "../../../jobs/speed/tables.ts";
import type { WikipediaEdit } from "../../../jobs/wikipedia/event.ts";
import application from "../../../jobs/wikipedia/index.ts";
import { RecordedResources } from "../../support/recorded-resources.ts";
import { RunningTarget } from "../../support/running-target.ts";
import { SimulatedStores } from "./simulated-stores.ts";

/*
 * Steps and expected results, with the speed views in a real Cassandra, written by the speed layer's own store (the
 * batch views and the log are in memory):
 * 1. Events flow in while a second worker replays chunks, late and in part, and a batch view takes over: every answer is
 *    one pass over exactly the events that it says it contains.
 * 2. Everything is in: every answer holds all of it, read in pages smaller than an era.
 * 3. Cassandra stands still: 503 that names it, in the time set; it goes on: answers.
 */
const target = new RunningTarget("127.28.0", mkdtempSync(join(tmpdir(), "serving-")));
const chunkSize = 400;
const chunksPerEra = 2;
const shards = 4;
const generations = Object.fromEntries(application.views.map(({ name }, index) => [name, `0000000${index}`]));
const logs: WikipediaEdit[][] = [[], []];
let client: Client;
let writer: CassandraSpeedStore;
let stores: SimulatedStores<WikipediaEdit>;
let app: Awaited<ReturnType<typeof createServingLayer>>;
let queryUrl: string;

beforeAll(async () => {
  await new RecordedResources().start();
  const { CassandraCluster } = await import("../../../components/cassandra/index.ts");
  const tables = [
    createPointerTable,
    ...alterPointerTable,
    ...application.views.flatMap(({ name }) => createViewTables(name, generations[name] as string)),
  ];
  new CassandraCluster("cassandra", { target, keyspaces: [{ name: "lambda", tables }] });
  while (target.tasks.size === 0 || target.serviceArgs.size === 0)
    await new Promise((resolve) => setTimeout(resolve, 10));
  await target.start();
  await target.run("cassandra-schema");

  let events = 0;
  for await (const batch of generatorSource(8, 5_000))
    for (const { value } of batch) logs[events++ % 2]?.push(application.event.parse(JSON.parse(String(value))));
  const contactPoints = [`${target.placement({ component: "cassandra", role: "node", index: 0 }).address}:9042`];
  const cassandra = { contactPoints, localDataCenter: "datacenter1", keyspace: "lambda" };
  client = new Client({ ...cassandra, queryOptions: { prepare: true, isIdempotent: true } });
  writer = new CassandraSpeedStore({
    configuration: { cassandra, speed: { shards, chunksPerEra }, generations, topic: "edits", incarnation: 1 },
  });
  stores = new SimulatedStores(logs, application.views, chunkSize, chunksPerEra);
  const real: Pick<Stores, "progress" | "speedRows"> = speedStore({
    ...{ client, generations, partitions: 2, shards },
    pageRows: 50,
  });
  Object.assign(stores, real);
  app = await createServingLayer({
    ...{ views: application.views, stores, partitions: 2, chunkSize, chunksPerEra },
    storeTimeout: 5_000,
  });
  queryUrl = await app.listen({ host: "127.28.0.200", port: 0 });
});

afterAll(async () => {
  await app?.close();
  await Promise.all([client?.shutdown(), writer?.close()]);
  await target.stop();
});

/** Writes stretches as a worker does that begins each chunk from its first event. */
class Worker {
  readonly #open = new Map<string, ChunkRows[]>();

  /** Writes the events `[from, to)`, which continue what this worker wrote of the chunk; without progress if it dies. */
  async write(partition: number, from: number, to: number, dies = false): Promise<void> {
    for (let start = from; start < to; ) {
      const chunk = chunkOf(start, chunkSize);
      const end = Math.min(to, chunkEnd(chunk, chunkSize));
      const id = `${partition}/${chunk}`;
      const all = this.#open.get(id) ?? application.views.map((view) => new ChunkRows(view));
      this.#open.set(id, all);
      for (const event of logs[partition]?.slice(start, end) ?? []) for (const rows of all) rows.add(event);
      for (const rows of all) {
        const changed = rows.takeChanged(end);
        const stretch = { partition, chunk, end, leaderEpoch: 0 };
        await writer.writeRows(rows.view, stretch, dies ? changed.filter((_, index) => index % 3 === 0) : changed);
        if (!dies) await writer.writeProgress(rows.view, stretch);
      }
      start = end;
    }
  }
}

/** The log as it grows, and the speed layer behind it. */
async function* flow() {
  stores.latest = { 0: 0, 1: 0 };
  const worker = new Worker();
  const step = 130;
  for (let from = 0; from < 2_500; from += step)
    for (const partition of [0, 1]) {
      const to = Math.min(from + step, 2_500);
      for (let offset = from; offset < to; offset++)
        yield { partition, offset, event: logs[partition]?.[offset] as WikipediaEdit };
      stores.latest[partition] = to;
      // Another worker that got further than this one before it died, and one that replays what is long written.
      const edge = chunkOf(from, chunkSize) * chunkSize;
      if (from % 3 === 0) await new Worker().write(partition, edge, Math.min(to, edge + chunkSize), true);
      if (from % 5 === 0) await new Worker().write(partition, 0, 100);
      await worker.write(partition, from, to);
      if (from === 10 * step && partition === 1)
        for (const view of application.views) stores.publish(view, "20150912T000000000", { 0: 800, 1: 400 });
    }
}

describe("the serving layer on a real Cassandra", () => {
  it("is exact while events flow, workers die and replay, and a batch view takes over", async () => {
    const result = await checkAnswers({ queryUrl, application, events: flow(), queries: 300, parallel: 2 });
    expect(result.differ).toEqual([]);
    expect(result).toMatchObject({ answers: 300, unavailable: 0 });
  });

  it("is exact and complete when everything is in", async () => {
    const worker = new Worker();
    for (const [partition, log] of logs.entries()) {
      await worker.write(partition, 0, log.length);
      stores.latest[partition] = log.length;
    }
    for (const view of application.views) stores.publish(view, "20150913T000000000", { 0: 1_200, 1: 800 });
    const events = logs.flatMap((log, partition) => log.map((event, offset) => ({ partition, offset, event })));
    const result = await checkAnswers({ queryUrl, application, events, queries: 300, settled: true, seed: 2 });
    expect(result.differ).toEqual([]);
    expect(result).toMatchObject({ answers: 300, events: 5_000, unavailable: 0 });
  });

  it("says 503 while Cassandra stands still, and answers when it goes on", async () => {
    const url = `${queryUrl}/views/edits-by-channel?channel=x`;
    const [name] = [...target.serviceArgs.keys()] as [string];
    target.process(name).kill("SIGSTOP");
    try {
      const began = performance.now();
      const response = await fetch(url);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ store: "Cassandra" });
      expect(performance.now() - began).toBeLessThan(10_000);
    } finally {
      target.process(name).kill("SIGCONT");
    }
    await expect.poll(async () => (await fetch(url)).status, { timeout: 30_000 }).toBe(200);
  });
});
