import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Watermarks } from "../../../jobs/kafka/range-reader.ts";
import { LogCheck } from "../../../jobs/log/log-check.ts";
import { count } from "../../../jobs/measures/index.ts";
import { DescriptorSpout } from "../../../jobs/speed/descriptor-spout.ts";
import type { Json } from "../../../jobs/speed/multilang.ts";
import { reportRetries } from "../../../jobs/speed/report-retries.ts";
import { view } from "../../../jobs/views/view.ts";
import { MemoryStore } from "./memory-store.ts";

const byName = view<{ name: string; time: string }>({
  name: "by-name",
  time: (event) => event.time,
  granularity: "minute",
  key: { name: (event) => event.name },
  measures: { events: count() },
});

/** A spout over a log of one partition that ends where the test says; `fails` so often before it can be read. */
function setUp(options: { latest: number; fails?: number; first?: number }) {
  const log = { topicId: "first", leaderEpoch: 0, epochEnds: new Map<number, number>(), ...options };
  const said: string[] = [];
  const store = new MemoryStore();
  const emitted: Json[][] = [];
  let failures = options.fails ?? 0;
  const end = () => ({ latest: log.latest, leaderEpoch: log.leaderEpoch });
  const start = () => {
    const spout = new DescriptorSpout({
      views: [byName],
      configuration: { topic: "events", chunkSize: 10 },
      reader: {
        watermarks: async (): Promise<Readonly<Record<number, Watermarks>>> => {
          if (failures-- > 0) throw new Error("no broker");
          return { 0: { earliest: 0, ...end() } };
        },
        latest: async () => ({ 0: end() }),
      },
      check: new LogCheck({
        topic: "events",
        partitions: 1,
        topicId: async () => "first",
        moment: 5,
        reader: {
          latest: async () => ({ 0: end() }),
          topicId: async () => log.topicId,
          epochEnds: async (_topic, { 0: epoch = -1 }) => ({
            0: { leaderEpoch: epoch, end: log.epochEnds.get(epoch) ?? log.latest },
          }),
        },
      }),
      first: async () => ({ 0: options.first ?? 0 }),
      store,
      reporter: { log: (level, message) => said.push(`${level}: ${message}`), error: (message) => said.push(message) },
      pollMilliseconds: 1,
      seldomMilliseconds: 10,
    });
    return {
      spout,
      async next(times = 20) {
        for (let time = 0; time < times; time++) await spout.next((id, tuple) => emitted.push([id, ...tuple]));
        return emitted.splice(0);
      },
    };
  };
  return { log, said, store, start };
}

test("emits what comes, and again what failed", async () => {
  const { log, said, start } = setUp({ latest: 4 });
  const { spout, next } = start();
  expect(await next()).toEqual([["0/0/4/tables-1", 0, 0, 4, ["by-name"], "tables-1"]]);
  log.latest = 12;
  expect(await next()).toEqual([["0/0/10/tables-1", 0, 0, 10, ["by-name"], "tables-1"]]);
  spout.ack("0/0/4/tables-1");
  expect(await next()).toEqual([["0/1/12/tables-1", 0, 1, 12, ["by-name"], "tables-1"]]);
  spout.fail("0/0/10/tables-1");
  await sleep(60);
  expect(await next()).toEqual([["0/0/10/tables-1", 0, 0, 10, ["by-name"], "tables-1"]]);
  expect(said).toContain("warn: stretch 0/0/10/tables-1 (partition/chunk/end/tables) failed and comes again");
});

test("resumes where its predecessor's rows and the batch view end", async () => {
  const { store, start } = setUp({ latest: 45 });
  store.horizons.set("by-name", { 0: 10 });
  for (const chunk of [1, 2])
    await store.writeProgress(byName, { partition: 0, chunk, end: (chunk + 1) * 10, leaderEpoch: 0 });
  await store.writeProgress(byName, { partition: 0, chunk: 3, end: 37, leaderEpoch: 0 });
  expect(await start().next()).toEqual([
    ["0/3/40/tables-1", 0, 3, 40, ["by-name"], "tables-1"],
    ["0/4/45/tables-1", 0, 4, 45, ["by-name"], "tables-1"],
  ]);
});

test("where the tables were dropped and made again, all they shall hold is due again, also what seems to be there", async () => {
  const { said, store, start } = setUp({ latest: 14 });
  const { spout, next } = start();
  await next();
  for (const id of ["0/0/10/tables-1", "0/1/14/tables-1"]) spout.ack(id);
  expect(await next()).toEqual([]);
  store.makeAgain();
  // A bolt that had read the chunk's beginning before fills it.
  await store.writeProgress(byName, { partition: 0, chunk: 0, end: 10, leaderEpoch: 0 });
  await sleep(30);
  expect(await next()).toEqual([
    ["0/0/10/tables-2", 0, 0, 10, ["by-name"], "tables-2"],
    ["0/1/14/tables-2", 0, 1, 14, ["by-name"], "tables-2"],
  ]);
  expect(said).toContain("tables of the speed views were dropped and made again: what they held is computed again");
});

test("waits for a log that cannot be read yet, and answers meanwhile", async () => {
  const { said, start } = setUp({ latest: 4, fails: 2 });
  const { next } = start();
  expect(await next(1)).toEqual([]);
  await sleep(250);
  expect(await next()).toHaveLength(1);
  expect(said[0]).toContain("the log's end is unknown; trying again (1 failures since the last report): no broker");
});

test("reports retries sparingly", () => {
  const said: string[] = [];
  const report = reportRetries({ log: (_, message) => said.push(message), error: () => {} }, "no rows");
  for (let failures = 1; failures < 100; failures++) report(new Error("busy"), failures);
  expect(said).toEqual(["no rows; trying again (1 failures since the last report): busy"]);
});

describe("of another log than the rows are of nothing is given out, and the reason is told once:", () => {
  const setUpRead = async () => {
    const set = setUp({ latest: 14 });
    const spout = set.start();
    expect((await spout.next()).length).toBe(2);
    spout.spout.ack("0/0/10/tables-1");
    spout.spout.ack("0/1/14/tables-1");
    return { ...set, ...spout };
  };
  const told = (said: readonly string[]) => said.filter((line) => line.startsWith("nothing more is computed"));

  test("a log that ends before what was read", async () => {
    const { log, said, next } = await setUpRead();
    Object.assign(log, { latest: 12, leaderEpoch: 1 });
    await sleep(20);
    expect(await next()).toEqual([]);
    expect(told(said)).toEqual([expect.stringContaining("ends at offset 12, but was read up to 14")]);
  });

  test("a log that lost its tail and has grown past it", async () => {
    const { log, said, next } = await setUpRead();
    log.epochEnds.set(0, 12);
    Object.assign(log, { latest: 300, leaderEpoch: 1 });
    await sleep(20);
    expect(await next()).toEqual([]);
    expect(told(said)).toEqual([expect.stringContaining("up to offset 12 only, but was read up to 14")]);
  });

  test("a log that lost its tail and has grown past it, where only the batch view knows who wrote it", async () => {
    const { log, said, store, start } = setUp({ latest: 300 });
    store.horizons.set("by-name", { 0: 20 });
    store.epochs = { 0: 0 };
    log.epochEnds.set(0, 12);
    log.leaderEpoch = 1;
    expect(await start().next()).toEqual([]);
    expect(told(said)).toEqual([expect.stringContaining("up to offset 12 only, but was read up to 20")]);
  });

  test("a log that lost what another topology has written the rows of, unseen by this one", async () => {
    const { log, said, store, next } = await setUpRead();
    await store.writeProgress(byName, { partition: 0, chunk: 1, end: 18, leaderEpoch: 0 });
    log.epochEnds.set(0, 16);
    Object.assign(log, { latest: 300, leaderEpoch: 1 });
    await sleep(20);
    expect(await next()).toEqual([]);
    expect(told(said)).toEqual([expect.stringContaining("up to offset 16 only, but was read up to 18")]);
  });

  test("a log that ends before this life of it begins", async () => {
    const { said, start } = setUp({ latest: 12, first: 13 });
    expect(await start().next()).toEqual([]);
    expect(told(said)).toEqual([expect.stringContaining("ends at offset 12, but was read up to 13")]);
  });

  test("a topic that was made again", async () => {
    const { log, said, next } = await setUpRead();
    log.topicId = "second";
    await sleep(40);
    log.latest = 300;
    await sleep(20);
    expect(await next()).toEqual([]);
    expect(told(said)).toEqual([expect.stringContaining("its id was first and is second")]);
  });

  test("a predecessor's rows count, and so does the batch view's horizon", async () => {
    for (const kind of ["rows", "horizon"] as const) {
      const { log, said, store, start } = setUp({ latest: 300 });
      if (kind === "horizon") store.horizons.set("by-name", { 0: 310 });
      else await store.writeProgress(byName, { partition: 0, chunk: 1, end: 14, leaderEpoch: 0 });
      log.epochEnds.set(0, 12);
      log.leaderEpoch = 1;
      expect(await start().next()).toEqual([]);
      expect(told(said)).toEqual([expect.stringContaining(kind === "rows" ? "up to 14 under it" : "up to 310")]);
    }
  });

  test("with another leader of the same log it goes on", async () => {
    const { log, said, next } = await setUpRead();
    log.epochEnds.set(0, 14);
    Object.assign(log, { latest: 17, leaderEpoch: 1 });
    await sleep(20);
    expect(await next()).toEqual([["0/1/17/tables-1", 0, 1, 17, ["by-name"], "tables-1"]]);
    expect(told(said)).toEqual([]);
  });
});

test("begins in the middle of a chunk where this life of the log does", async () => {
  const { start } = setUp({ latest: 26, first: 14 });
  expect(await start().next()).toEqual([
    ["0/1/20/tables-1", 0, 1, 20, ["by-name"], "tables-1"],
    ["0/2/26/tables-1", 0, 2, 26, ["by-name"], "tables-1"],
  ]);
});
