import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { application } from "../../../jobs/application.ts";
import { count, distinct, sum } from "../../../jobs/measures/index.ts";
import { checkAnswers } from "../../../jobs/oracle/check.ts";
import type { LoggedEvent } from "../../../jobs/oracle/oracle.ts";
import { createServingLayer } from "../../../jobs/serving/serving-layer.ts";
import { view } from "../../../jobs/views/view.ts";
import { SimulatedStores } from "../serving/simulated-stores.ts";

interface Visit {
  readonly time: number;
  readonly page: string;
  readonly bytes: number;
}

const minute = 60_000;
const visits = view<Visit>({
  name: "visits",
  time: (visit) => visit.time,
  granularity: "minute",
  key: { page: (visit) => visit.page },
  measures: { visits: count(), bytes: sum((visit) => visit.bytes), sizes: distinct((visit) => String(visit.bytes)) },
});
const site = application<Visit>({
  event: z.object({ time: z.number(), page: z.string(), bytes: z.number() }),
  views: [visits],
});
const logs: Visit[][] = [0, 1].map((partition) =>
  Array.from({ length: 600 }, (_, index) => ({
    time: ((index * 7919 + partition) % 400) * 10_000 + (index % 97 === 0 ? -90_000 * minute : 0),
    page: `#page ${(index * 31) % 23}`,
    bytes: index % 11,
  })),
);
const events: LoggedEvent<Visit>[] = logs.flatMap((log, partition) =>
  log.map((event, offset) => ({ partition, offset, event })),
);

let stores: SimulatedStores<Visit>;
let app: FastifyInstance;
let queryUrl: string;

beforeEach(async () => {
  stores = new SimulatedStores(logs, [visits], 50, 3);
  app = await createServingLayer({ views: [visits], stores, partitions: 2, chunkSize: 50, chunksPerEra: 3 });
  queryUrl = await app.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(() => app.close());

function writeAll() {
  for (const partition of [0, 1]) stores.views.get("visits")?.writeTo(partition, 600);
}

describe("checkAnswers", () => {
  it("finds exact answers exact", async () => {
    writeAll();
    stores.publish(visits, "20150914T000000000", { 0: 250, 1: 400 });
    const result = await checkAnswers({ queryUrl, application: site, events, queries: 150, settled: true });
    expect(result.differ).toEqual([]);
    expect(result).toMatchObject({ answers: 150, events: 1_200, differing: 0, unavailable: 0 });
    expect(result.versions).toEqual(["20150914T000000000"]);
    expect(result.numbers).toBeGreaterThan(1_000);
  });

  it("finds a single event missing", async () => {
    writeAll();
    for (const [id, row] of stores.views.get("visits")?.rows ?? [])
      if (row.chunk === 3 && row.partition === 1 && row.key === '["#page 0"]') {
        stores.views.get("visits")?.rows.set(id, { ...row, state: row.state.replace(/^\[\d+/, "[0") });
        break;
      }
    const result = await checkAnswers({ queryUrl, application: site, events, queries: 300, settled: true });
    expect(result.differing).toBeGreaterThan(0);
    expect(result.differ[0]?.url).toContain("/views/visits");
  });

  it("compares at exactly what each answer contains while events flow", async () => {
    stores.latest = { 0: 0, 1: 0 };
    async function* flow() {
      for (let offset = 0; offset < 600; offset++) {
        for (const partition of [0, 1]) {
          stores.latest[partition] = offset + 1;
          if (offset % 7 === 0) stores.views.get("visits")?.writeTo(partition, offset + 1);
          yield { partition, offset, event: logs[partition]?.[offset] as Visit };
        }
        if (offset === 500) stores.publish(visits, "20150914T000000000", { 0: 250, 1: 400 });
        if (offset % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    const result = await checkAnswers({ queryUrl, application: site, events: flow(), queries: 150, seed: 2 });
    expect(result.differ).toEqual([]);
    expect(result.answers).toBe(150);
  });

  it("does not wait for events where the log has none", async () => {
    stores.latest = { 0: 100, 1: 0 };
    stores.views.get("visits")?.writeTo(0, 100);
    async function* flow() {
      for (let offset = 0; offset < 1_100; offset++)
        yield { partition: 0, offset, event: offset < 100 ? logs[0]?.[offset] : undefined };
      await new Promise(() => {});
    }
    const result = await checkAnswers({ queryUrl, application: site, events: flow(), queries: 20, patience: 2 });
    expect(result).toMatchObject({ answers: 20, events: 100, differing: 0 });
  });

  it("fails if the layers do not come as far as the log", async () => {
    stores.views.get("visits")?.writeTo(0, 600);
    const check = checkAnswers({ queryUrl, application: site, events, queries: 1, settled: true, patience: 0.2 });
    await expect(check).rejects.toThrow(/waited 0\.2 s for visits to hold the whole log; it holds .*"lag":600/);
  });

  it("counts what is not available apart from what is wrong", async () => {
    writeAll();
    stores.publish(visits, "20150914T000000000", { 0: 250, 1: 400 });
    stores.batchTotals = () => Promise.reject(new Error("down"));
    const result = await checkAnswers({ queryUrl, application: site, events, queries: 60, settled: true, patience: 1 });
    expect(result).toMatchObject({ differing: 0 });
    expect(result.unavailable).toBeGreaterThan(0);
    expect(result.answers + result.unavailable).toBe(60);
  });

  it("waits, once settled, for a store that comes back", async () => {
    writeAll();
    stores.publish(visits, "20150914T000000000", { 0: 250, 1: 400 });
    const batchTotals = stores.batchTotals.bind(stores);
    let failures = 3;
    stores.batchTotals = (...args) => (failures-- > 0 ? Promise.reject(new Error("down")) : batchTotals(...args));
    const result = await checkAnswers({ queryUrl, application: site, events, queries: 60, settled: true });
    expect(result).toMatchObject({ answers: 60, differing: 0, unavailable: 0 });
    expect(failures).toBeLessThan(0);
  });
});
