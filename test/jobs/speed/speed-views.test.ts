import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { application } from "../../../jobs/application.ts";
import { chunkOf, chunkStart, type Offsets } from "../../../jobs/chunks.ts";
import { OffsetOutOfRangeError } from "../../../jobs/kafka/errors.ts";
import type { LogRecord } from "../../../jobs/kafka/log-record.ts";
import type { Fetched, FetchOptions } from "../../../jobs/kafka/range-reader.ts";
import { count, distinct, sum } from "../../../jobs/measures/index.ts";
import { ChunkSchedule } from "../../../jobs/speed/chunk-schedule.ts";
import { descriptorId } from "../../../jobs/speed/descriptor.ts";
import { parsePrevious } from "../../../jobs/speed/previous-state.ts";
import { resumeChunk } from "../../../jobs/speed/resume.ts";
import { SpeedViews } from "../../../jobs/speed/speed-views.ts";
import type { AnyView, SpeedStore } from "../../../jobs/speed/store.ts";
import { Aggregate, keyText } from "../../../jobs/views/aggregate.ts";
import { view } from "../../../jobs/views/view.ts";
import { MemoryStore } from "./memory-store.ts";

const event = z.object({ time: z.string(), key: z.string(), value: z.int(), user: z.string() });
type Event = z.infer<typeof event>;
const common = { time: (each: Event) => each.time, granularity: "minute" as const };
const app = application<Event>({
  event,
  views: [
    view<Event>({
      ...common,
      name: "by-key",
      key: { name: (each) => each.key },
      measures: { events: count(), total: sum((each) => each.value), users: distinct((each) => each.user) },
    }),
    view<Event>({ ...common, name: "by-user", key: { user: (each) => each.user }, measures: { events: count() } }),
  ],
});

const chunkSize = 5;
const configuration = { topic: "events", chunkSize, maxEventBytes: 1_000 };

/** A log of events, some of which are none. */
const logs = fc.array(
  fc.array(
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc
          .record({
            minute: fc.nat(2),
            key: fc.constantFrom("a", "b"),
            value: fc.integer({ min: -9, max: 9 }),
            user: fc.constantFrom("x", "y", "z"),
          })
          .map(({ minute, ...rest }) => JSON.stringify({ ...rest, time: `2015-09-12T00:0${minute}:00Z` })),
      },
      { weight: 1, arbitrary: fc.constant("poison") },
    ),
    { maxLength: 18 },
  ),
  { minLength: 1, maxLength: 2 },
);

function reader(log: readonly (readonly string[])[], pause: () => Promise<void>) {
  return {
    async fetch(
      _topic: string,
      partition: number,
      start: number,
      { end = Number.POSITIVE_INFINITY }: FetchOptions = {},
    ): Promise<Fetched> {
      await pause();
      const values = log[partition]?.slice(start, Math.min(start + 3, end)) ?? [];
      const records = values.map(
        (value, index): LogRecord => ({ offset: start + index, timestamp: 0, key: null, value: Buffer.from(value) }),
      );
      return { records, next: start + records.length, latest: log[partition]?.length ?? 0, leaderEpoch: 0 };
    },
  };
}

/** The rows of `[chunk's start, end)`: one pass in memory. */
function oracle(of: AnyView, values: readonly string[], chunk: number, end: number): Map<string, string> {
  const aggregate = new Aggregate(of);
  for (const value of values.slice(chunkStart(chunk, chunkSize), end))
    if (value !== "poison") aggregate.add(JSON.parse(value));
  return new Map(
    [...aggregate.rows()].map((row) => [`${keyText(row.key)}|${row.bucket}`, JSON.stringify(of.encode(row.states))]),
  );
}

/**
 * What a reader of the store may rely on: rows not younger than the chunk's progress are exactly its events' rows, and
 * what any row says that it was before, it was.
 */
async function checkStore(store: MemoryStore, log: readonly (readonly string[])[]): Promise<void> {
  for (const of of app.views)
    for (const { partition, chunk, end } of await store.progress(of)) {
      const cells = store.rows.get(`${of.name}|${partition}|${chunk}`) ?? new Map();
      const expected = oracle(of, log[partition] ?? [], chunk, end);
      for (const [id, value] of expected) {
        const cell = cells.get(id);
        expect(cell, `${of.name} ${partition}/${chunk} up to ${end}: row ${id}`).toBeDefined();
        if (cell && cell.state.timestamp <= end) expect(cell.state.value).toBe(value);
      }
      for (const [id, { state, previous }] of cells) {
        if (state.timestamp <= end) expect(expected.has(id)).toBe(true);
        if (previous === undefined) continue;
        const before = parsePrevious(previous.value);
        expect(oracle(of, log[partition] ?? [], chunk, before.end).get(id) ?? "").toBe(before.state);
      }
    }
}

/** A store whose every row lands when the scheduler says, and whose writes fail when `fails` does, landed or not. */
function slowly(store: MemoryStore, pause: () => Promise<void>, fails: () => boolean): SpeedStore {
  return {
    covered: (of) => store.covered(of),
    tablesId: () => store.tablesId(),
    progress: (of) => store.progress(of),
    async writeRows(of, stretch, rows) {
      await Promise.all(
        rows.map(async (row) => {
          await pause();
          const failing = fails();
          if (!failing || stretch.end % 2 === 0) store.writeRow(of, stretch, row);
          if (failing) throw new Error("write timeout");
        }),
      );
    },
    async writeProgress(of, stretch) {
      await pause();
      await store.writeProgress(of, stretch);
    },
  };
}

describe("rows equal one pass in memory", () => {
  test("whatever stretches come, how often, in what order, to however many processes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        logs,
        fc.array(fc.record({ process: fc.nat(2), partition: fc.nat(1), end: fc.nat(17) }), { maxLength: 20 }),
        async (scheduler, log, stretches) => {
          const store = new MemoryStore();
          const pause = () => scheduler.schedule(Promise.resolve());
          const processes = [0, 1, 2].map(
            () =>
              new SpeedViews({
                application: app,
                configuration,
                reader: reader(log, pause),
                store: slowly(store, pause, () => false),
              }),
          );
          const views = app.views.map(({ name }) => name);
          const done = stretches
            .filter(({ partition, end }) => end < (log[partition]?.length ?? 0))
            .map(({ process, partition, end }) =>
              processes[process]?.execute({
                partition,
                chunk: chunkOf(end, chunkSize),
                end: end + 1,
                views,
                tables: "t",
              }),
            );
          let settled = false;
          void Promise.all(done).then(() => {
            settled = true;
          });
          while (!settled) {
            if (scheduler.count() > 0) await scheduler.waitOne();
            else await new Promise(setImmediate);
            await checkStore(store, log);
          }
        },
      ),
    );
  });

  test("through growth, failures, and kills of spout and bolt, whose zombies go on writing", async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant("take" as const) },
      { weight: 3, arbitrary: fc.constant("grow" as const) },
      { weight: 6, arbitrary: fc.constant("run" as const) },
      { weight: 1, arbitrary: fc.constant("kill bolt" as const) },
      { weight: 1, arbitrary: fc.constant("kill spout" as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        logs,
        fc.array(step, { maxLength: 60 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
        async (scheduler, log, steps, luck) => {
          const store = new MemoryStore();
          const pause = () => scheduler.schedule(Promise.resolve());
          let unlucky = true;
          const fails = () => unlucky && luck.next().value === 0;
          let written = log.map(() => 0);
          let now = 0;
          const watermarks = () =>
            Object.fromEntries(
              written.map((latest, partition) => [partition, { earliest: 0, latest, leaderEpoch: 0 }]),
            );
          const newBolt = () =>
            new SpeedViews({
              application: app,
              configuration,
              reader: reader(log, pause),
              store: slowly(store, pause, fails),
            });
          const newSpout = async () => {
            const starts = app.views.map(async (of) => {
              const progress = await store.progress(of);
              const chunks = log.map((_, partition) => [partition, resumeChunk(progress, partition, 0, 0, chunkSize)]);
              return [of.name, Object.fromEntries(chunks)];
            });
            return new ChunkSchedule({ chunkSize, start: Object.fromEntries(await Promise.all(starts)), tables: "t" });
          };
          let bolt = newBolt();
          let spout = await newSpout();
          const take = () => {
            now += 5_000;
            spout.observe(watermarks());
            const asked = spout;
            const due = asked.take(now);
            for (const descriptor of due)
              bolt.execute(descriptor).then(
                () => asked.ack(descriptorId(descriptor)),
                () => asked.fail(descriptorId(descriptor), now),
              );
            return due.length;
          };
          for (const each of steps) {
            if (each === "take") take();
            else if (each === "grow")
              written = written.map((length, partition) => Math.min(length + 3, log[partition]?.length ?? 0));
            else if (each === "kill bolt") bolt = newBolt();
            else if (each === "kill spout") spout = await newSpout();
            else if (scheduler.count() > 0) await scheduler.waitOne();
            await checkStore(store, log);
          }
          // Peace: everything is written, and nothing fails any more.
          unlucky = false;
          written = log.map((values) => values.length);
          let idle: boolean;
          do {
            idle = !spout.busy && take() === 0;
            await scheduler.waitIdle();
            await new Promise(setImmediate);
            await checkStore(store, log);
          } while (!idle);
          for (const of of app.views) {
            const progress = await store.progress(of);
            for (const [partition, values] of log.entries())
              for (let chunk = 0; chunkStart(chunk, chunkSize) < values.length; chunk++) {
                const end = Math.min(values.length, chunkStart(chunk + 1, chunkSize));
                expect(progress).toContainEqual({ view: of.name, partition, chunk, end, leaderEpoch: 0 });
              }
          }
        },
      ),
    );
  });
});

/** Bolts that read a log of so many events, and what they read and wrote; `hold` is waited for before each read. */
function watched({
  events = 3,
  partitions = 1,
  hold = async () => {},
  ...more
}: {
  events?: number;
  partitions?: number;
  hold?: () => Promise<void>;
  mostRows?: number;
  first?: () => Promise<Offsets>;
} = {}) {
  const event = (key: string) => JSON.stringify({ time: "2015-09-12T00:00:00Z", key, value: 1, user: key });
  const log = Array(partitions).fill(Array.from({ length: events }, (_, index) => event(index === 1 ? "b" : "a")));
  const read: string[] = [];
  const wrote: string[] = [];
  const store = new MemoryStore();
  const views = new SpeedViews({
    ...more,
    application: app,
    configuration,
    reader: {
      fetch: (topic, partition, start, options) => {
        read.push(`${topic} ${partition} ${start}-${options?.end}`);
        return reader(log, hold).fetch(topic, partition, start, options);
      },
    },
    store: {
      writeProgress: (of, stretch) => store.writeProgress(of, stretch),
      writeRows: async (of, { end }, rows) => {
        for (const row of rows) wrote.push(`${of.name} ${JSON.parse(row.key)} ${end}`);
      },
    },
  });
  const execute = (end: number, tables = "t", names = ["by-key"], partition = 0) =>
    views.execute({ partition, chunk: chunkOf(end - 1, chunkSize), end, views: names, tables });
  return { execute, read, wrote };
}

test("reads an open chunk's new events only, and writes the rows that changed only", async () => {
  const { execute, read, wrote } = watched();
  await execute(2);
  await execute(3);
  await execute(2);
  expect(read).toEqual(["events 0 0-2", "events 0 2-3"]);
  expect(wrote).toEqual(["by-key a 2", "by-key b 2", "by-key a 3"]);
});

test("begins an open chunk again where the tables were made again", async () => {
  const { execute, read, wrote } = watched();
  await execute(2);
  await execute(3, "new tables");
  expect(read).toEqual(["events 0 0-2", "events 0 0-3"]);
  expect(wrote).toEqual(["by-key a 2", "by-key b 2", "by-key a 3", "by-key b 3"]);
});

test("a descriptor that comes after its chunk was finished is acknowledged without reading", async () => {
  const { execute, read, wrote } = watched({ events: 10 });
  await execute(5);
  await execute(10);
  const before = [read.length, wrote.length];
  for (const end of [3, 5, 10]) await execute(end);
  expect([read.length, wrote.length]).toEqual(before);
  // Other tables hold nothing of it, nor does a view that it was not for.
  await execute(5, "new tables");
  await execute(5, "new tables", ["by-key", "by-user"]);
  expect(read.slice(before[0])).toEqual(["events 0 0-5", "events 0 3-5", "events 0 0-5", "events 0 3-5"]);
});

test("what is finished is remembered of so many chunks only", async () => {
  const chunks = 1_100;
  const { execute, read } = watched({ events: chunks * chunkSize });
  for (let chunk = 1; chunk <= chunks; chunk++) await execute(chunk * chunkSize);
  const before = read.length;
  await execute(chunks * chunkSize);
  expect(read).toHaveLength(before);
  await execute(chunkSize);
  expect(read.length).toBeGreaterThan(before);
});

test("a descriptor that comes again while it is worked off is worked off once", async () => {
  const gate = Promise.withResolvers<void>();
  const { execute, read, wrote } = watched({ events: 5, hold: () => gate.promise });
  const all = [execute(5), execute(5), execute(5)];
  gate.resolve();
  await Promise.all(all);
  expect(read).toEqual(["events 0 0-5", "events 0 3-5"]);
  expect(wrote).toEqual(["by-key a 5", "by-key b 5"]);
});

test("a stretch that Kafka does not give is given up with the reason, and its place is free", async () => {
  const outOfRange = new OffsetOutOfRangeError({
    ...{ topic: "events", partition: 0, offset: 0, earliest: 7_000, latest: 7_100 },
  });
  const answers: Record<string, (signal: AbortSignal | undefined) => Promise<Fetched>> = {
    lost: () => Promise.reject(outOfRange),
    // The log ends before the descriptor's end, for good.
    shorter: async () => {
      await sleep(5);
      return { records: [], next: 0, latest: 0, leaderEpoch: -1 };
    },
    // No broker answers.
    away: (signal) => new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
  };
  for (const [kind, reason] of [
    ["lost", "offset 0 of events-0 is not in [7000, 7100)"],
    ["shorter", "partition 0 gives nothing from offset 0 on for 50 ms, of 5 that the log was seen to reach"],
    ["away", "partition 0 gives nothing from offset 0 on for 50 ms, of 5 that the log was seen to reach"],
  ] as const) {
    const views = new SpeedViews({
      ...{ application: app, configuration, store: new MemoryStore(), patience: 50 },
      reader: {
        fetch: async (_topic, _partition, _start, options) => (await answers[kind]?.(options?.signal)) as Fetched,
      },
    });
    const descriptor = { partition: 0, chunk: 0, end: 5, views: ["by-key"], tables: "t" };
    await expect(views.execute(descriptor), kind).rejects.toThrow(reason);
  }
});

test("rows of open chunks are bounded over all partitions: the one worked on the longest ago is read again", async () => {
  const { execute, read, wrote } = watched({ partitions: 3, mostRows: 4 });
  const of = (partition: number, end: number) => execute(end, "t", ["by-key"], partition);
  // Two rows each.
  for (const partition of [0, 1]) await of(partition, 2);
  await of(0, 3);
  await of(2, 2);
  expect(read.splice(0)).toEqual(["events 0 0-2", "events 1 0-2", "events 0 2-3", "events 2 0-2"]);
  await of(2, 3);
  await of(0, 3);
  await of(1, 3);
  expect(read).toEqual(["events 2 2-3", "events 1 0-3"]);
  expect(wrote.slice(-2)).toEqual(["by-key a 3", "by-key b 3"]);
});

test("work that takes longer than Storm waits is done once, and no more of it comes", async () => {
  const gate = Promise.withResolvers<void>();
  const { execute, read } = watched({ events: 20, hold: () => gate.promise });
  const schedule = new ChunkSchedule({ chunkSize, start: { "by-key": { 0: 0 } }, tables: "t" });
  schedule.observe({ 0: { earliest: 0, latest: 20, leaderEpoch: 0 } });
  const tuples: Promise<void>[] = [];
  let acknowledged = 0;
  // Storm takes every tuple for lost after 30 s, five times, and the spout gives it again.
  for (let time = 0; time < 6; time++) {
    const now = time * 33_000;
    const due = schedule.take(now);
    expect(due.map(descriptorId)).toEqual(["0/0/5/t", "0/1/10/t"]);
    for (const descriptor of due) {
      const id = descriptorId(descriptor);
      tuples.push(execute(descriptor.end).then(() => void acknowledged++));
      if (time < 5) schedule.fail(id, now + 30_000);
    }
  }
  gate.resolve();
  await Promise.all(tuples);
  expect(acknowledged).toBe(12);
  for (const id of ["0/0/5/t", "0/1/10/t"]) schedule.ack(id);
  expect(read).toEqual(["events 0 0-5", "events 0 5-10", "events 0 3-5", "events 0 8-10"]);
  expect(schedule.take(300_000).map(descriptorId)).toEqual(["0/2/15/t", "0/3/20/t"]);
});

test("of a chunk in whose middle this life of the log begins, nothing before is read", async () => {
  const { execute, read, wrote } = watched({ events: 4, first: async () => ({ 0: 2 }) });
  await execute(4);
  // Its event of another key is before.
  expect({ read, wrote }).toEqual({ read: ["events 0 2-4"], wrote: ["by-key a 4"] });
});
