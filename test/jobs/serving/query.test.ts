import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pointer } from "../../../jobs/batch/versions.ts";
import { chunkEnd, chunkOf, chunkStart, type Offsets } from "../../../jobs/chunks.ts";
import { count, sum } from "../../../jobs/measures/index.ts";
import { answerGranularities, answerOf, mergeToSteps, Ranking, withTotal } from "../../../jobs/serving/merge.ts";
import { type Layer, layers, queryKey, queryTop } from "../../../jobs/serving/query.ts";
import { Aggregate, keyText } from "../../../jobs/views/aggregate.ts";
import { view } from "../../../jobs/views/view.ts";
import { SimulatedSpeedView, SimulatedStores } from "./simulated-stores.ts";

interface Visit {
  readonly time: number;
  readonly site: string;
  readonly page: string;
  readonly bytes: number;
}

const visits = view<Visit>({
  name: "visits",
  time: (visit) => visit.time,
  granularity: "minute",
  key: { site: (visit) => visit.site, page: (visit) => visit.page },
  measures: { visits: count(), bytes: sum((visit) => visit.bytes) },
});

const minute = 60_000;
/** Times out of order, over three days, with many in the same minutes. */
const visit: fc.Arbitrary<Visit> = fc.record({
  time: fc.oneof(fc.integer({ min: 0, max: 5 * minute }), fc.integer({ min: -86_400_000, max: 2 * 86_400_000 })),
  site: fc.constantFrom("a", "b"),
  page: fc.constantFrom("", "x", 'y"', "ü"),
  bytes: fc.integer({ min: -5, max: 1_000 }),
});

/** Not fc.double, most of whose values are next to 0. */
const share = fc.nat({ max: 100 }).map((percent) => percent / 100);

/** A worker's life in a chunk, as shares of the chunk's events that are in the log. */
const worker = fc.record({
  ends: fc.array(share, { minLength: 1, maxLength: 3 }),
  broken: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
});

const scenario = fc
  .record({
    logs: fc.array(fc.array(visit, { maxLength: 24, size: "max" }), { minLength: 1, maxLength: 3 }),
    chunkSize: fc.integer({ min: 2, max: 7 }),
    chunksPerEra: fc.integer({ min: 1, max: 3 }),
    horizons: fc.array(share, { minLength: 3, maxLength: 3 }),
    batch: fc.boolean(),
    /** How far the speed layer surely wrote, in one go. */
    reached: fc.array(share, { minLength: 3, maxLength: 3 }),
    /** Replays, zombies and writes under way, in any chunk at all. */
    workers: fc.array(fc.record({ partition: fc.nat({ max: 2 }), chunk: fc.nat({ max: 7 }), worker }), {
      maxLength: 8,
      size: "max",
    }),
    from: fc.option(fc.integer({ min: -2, max: 8 }), { nil: undefined }),
    length: fc.option(fc.integer({ min: 0, max: 2_000 }), { nil: undefined }),
    granularity: fc.constantFrom(...answerGranularities(visits)),
    layer: fc.constantFrom(...layers),
    key: fc.record({ site: fc.constantFrom("a", "b"), page: fc.constantFrom("", "x", 'y"', "ü") }),
  })
  .map((given) => {
    const stores = new SimulatedStores(given.logs, [visits], given.chunkSize, given.chunksPerEra);
    const written = stores.views.get("visits");
    const edge = (offset: number) => chunkStart(chunkOf(offset, given.chunkSize), given.chunkSize);
    if (given.batch) {
      const horizon = given.logs.map((log, partition) => edge(log.length * (given.horizons[partition] ?? 0)));
      stores.publish(visits, "20150912T000000000", Object.fromEntries(horizon.entries()));
    }
    const reached = given.logs.map((log, partition) => Math.floor(log.length * (given.reached[partition] ?? 0)));
    for (const [partition, end] of reached.entries()) written?.writeTo(partition, end);
    for (const { partition, chunk, worker } of given.workers) {
      const start = chunkStart(chunk, given.chunkSize);
      const length = Math.min(given.logs[partition]?.length ?? 0, chunkEnd(chunk, given.chunkSize)) - start;
      if (length <= 0) continue;
      const ends = [...new Set(worker.ends.map((part) => start + Math.ceil(part * length)))].sort((a, b) => a - b);
      written?.write(
        partition,
        chunk,
        ends.filter((end) => end > start),
        worker.broken,
      );
    }
    const from = given.from === undefined ? undefined : given.from * minute;
    const to = given.length === undefined ? undefined : (from ?? 0) + given.length * minute;
    const options = {
      stores,
      partitions: given.logs.length,
      chunkSize: given.chunkSize,
      chunksPerEra: given.chunksPerEra,
    };
    return { ...given, stores, options, reached, range: { from, to } };
  });

/** One pass over exactly the events of the offsets. */
function onePass(
  logs: readonly (readonly Visit[])[],
  start: Offsets,
  end: Offsets,
  range: { from?: number | undefined; to?: number | undefined },
): Aggregate<Visit> {
  const aggregate = new Aggregate(visits);
  for (const [partition, log] of logs.entries())
    for (const event of log.slice(start[partition] ?? 0, end[partition] ?? 0)) {
      const bucket = visits.bucket(event);
      if (bucket >= (range.from ?? Number.NEGATIVE_INFINITY) && bucket < (range.to ?? Number.POSITIVE_INFINITY))
        aggregate.add(event);
    }
  return aggregate;
}

describe("an answer", () => {
  it("is one pass over exactly the events that it says it contains", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ logs, options, range, layer, granularity, key }) => {
        const answer = await queryKey(options, visits, { ...range, key: [key.site, key.page], layer, granularity });
        const { contains } = answer;
        const expected = onePass(logs, layer === "speed" ? contains.horizon : {}, contains.speed, range);
        const rows = [...expected.rows()].filter((row) => row.key[0] === key.site && row.key[1] === key.page);
        const { contains: _, ...said } = answer;
        expect(said).toEqual(answerOf(visits, withTotal(visits, mergeToSteps(visits, rows, granularity))));

        const top = await queryTop(options, visits, { ...range, layer, measure: "bytes", limit: 3 });
        const ranking = new Ranking(visits.measures.bytes as never);
        const all = onePass(logs, layer === "speed" ? top.contains.horizon : {}, top.contains.speed, range);
        for (const row of all.rows()) ranking.add(keyText(row.key), row.states[1]);
        expect(top.rows).toEqual(ranking.top(3));
      }),
      { numRuns: 500 },
    );
  });

  it("contains everything that was surely written and nothing that is not in the log", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ logs, options, reached, key, chunkSize }) => {
        const { contains } = await queryKey(options, visits, {
          key: [key.site, key.page],
          layer: "merged",
          granularity: "all",
        });
        for (const [partition, log] of logs.entries()) {
          const end = contains.speed[partition] ?? -1;
          const sure = Math.max(reached[partition] ?? 0, contains.horizon[partition] ?? 0);
          expect(end).toBeLessThanOrEqual(log.length);
          expect(end).toBeGreaterThanOrEqual(chunkStart(chunkOf(sure, chunkSize), chunkSize));
          expect(contains.log[partition]).toBe(log.length);
        }
        const lag = logs.reduce((sum, log, partition) => sum + log.length - (contains.speed[partition] ?? 0), 0);
        expect(contains.lag).toBe(lag);
        expect(contains.complete).toBe(lag === 0 && contains.holes.length === 0);
      }),
    );
  });
});

describe("consistency", () => {
  const log = Array.from({ length: 25 }, (_, index) => ({ time: index, site: "a", page: "x", bytes: 1 }));
  const options = (stores: SimulatedStores<Visit>) => ({ stores, partitions: 1, chunkSize: 10, chunksPerEra: 2 });
  const request = { key: ["a", "x"], layer: "merged", granularity: "all" } as const;

  it("takes a row that is being written as it was", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    const written = stores.views.get("visits");
    written?.writeTo(0, 20);
    written?.write(0, 2, [22, 24], 1);
    expect([...(written?.rows.values() ?? [])].at(-1)).toMatchObject({ written: 24 });
    const answer = await queryKey(options(stores), visits, request);
    expect(answer.total).toEqual({ visits: 22, bytes: 22 });
    expect(answer.contains).toMatchObject({ speed: { 0: 22 }, lag: 3 });
  });

  it("reads again while what a row of the open chunk was is not known", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    const written = stores.views.get("visits");
    written?.writeTo(0, 22);
    written?.write(0, 2, [24], 1);
    const read = stores.speedRows.bind(stores);
    stores.speedRows = async (...args) => {
      await read(...args);
      written?.write(0, 2, [24]);
    };
    const answer = await queryKey(options(stores), visits, request);
    expect(answer.total).toEqual({ visits: 24, bytes: 24 });
    expect(answer.contains).toMatchObject({ speed: { 0: 24 }, log: { 0: 25 }, lag: 1, complete: false });
  });

  it("ends at the open chunk's edge if the writing does not end", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    const written = stores.views.get("visits");
    written?.writeTo(0, 22);
    written?.write(0, 2, [24], 1);
    const answer = await queryKey(options(stores), visits, request);
    expect(answer.total).toEqual({ visits: 20, bytes: 20 });
    expect(answer.contains).toMatchObject({ speed: { 0: 20 }, lag: 5, complete: false, holes: [] });
  });

  it("reads again if its version is dropped, or the first one appears, while it reads", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    const written = stores.views.get("visits");
    written?.writeTo(0, 25);
    let swaps = 0;
    const read = stores.speedRows.bind(stores);
    stores.speedRows = async (...question) => {
      if (swaps < 2) {
        swaps++;
        stores.publish(visits, `v${swaps}`, { 0: swaps * 10 });
        // What the batch run deletes below its horizon.
        for (const [id, row] of written?.rows ?? []) if (row.chunk < swaps) written?.rows.delete(id);
        for (const [id, row] of written?.progress ?? []) if (row.chunk < swaps) written?.progress.delete(id);
      }
      await read(...question);
    };
    const answer = await queryKey(options(stores), visits, request);
    expect(answer.contains).toMatchObject({ version: "v2", horizon: { 0: 20 }, speed: { 0: 25 }, complete: true });
    expect(answer.total).toEqual({ visits: 25, bytes: 25 });
  });

  it("lets a version that is still kept finish its answer", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    stores.views.get("visits")?.writeTo(0, 25);
    stores.publish(visits, "v1", { 0: 10 });
    const old = stores.pointers.get("visits");
    const read = stores.batchSteps.bind(stores);
    stores.batchSteps = async (...args) => {
      stores.publish(visits, "v2", { 0: 20 }, old === undefined ? [] : [old]);
      return read(...args);
    };
    const answer = await queryKey(options(stores), visits, request);
    expect(answer.contains).toMatchObject({ version: "v1", speed: { 0: 25 } });
    expect(answer.total).toEqual({ visits: 25, bytes: 25 });
  });

  it("leaves out what is behind a gap, which is a hole once the log has lost it", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    stores.views.get("visits")?.write(0, 0, [10]);
    stores.views.get("visits")?.write(0, 2, [25]);
    for (const earliest of [0, 20]) {
      stores.earliest = { 0: earliest };
      const answer = await queryKey(options(stores), visits, request);
      expect(answer.total).toEqual({ visits: 10, bytes: 10 });
      expect(answer.contains).toMatchObject({
        speed: { 0: 10 },
        holes: earliest === 0 ? [] : [{ partition: 0, from: 10, to: 20, accepted: false }],
        complete: false,
      });
    }
  });

  it("names what the log lost before it was read, also before the first chunk and where nothing follows", async () => {
    const stores = new SimulatedStores([log, log, log], [visits], 10, 2);
    const written = stores.views.get("visits");
    // Partition 0 lost its begin before anything was read, partition 1 what follows its first chunk, partition 2 nothing.
    stores.earliest = { 0: 13, 1: 24, 2: 0 };
    written?.write(0, 2, [25]);
    written?.write(1, 0, [10]);
    written?.writeTo(2, 25);
    const asked = { ...options(stores), partitions: 3 };
    const { contains, total } = await queryKey(asked, visits, request);
    const hole = (partition: number, from: number, to: number) => ({ partition, from, to, accepted: false });
    expect(contains).toMatchObject({
      ...{ horizon: { 0: 0, 1: 0, 2: 0 }, speed: { 0: 0, 1: 10, 2: 25 }, complete: false },
      holes: [hole(0, 0, 20), hole(1, 10, 24)],
    });
    expect(total).toEqual({ visits: 35, bytes: 35 });
    // The batch layer alone says nothing of what the speed layer holds.
    expect((await queryKey(asked, visits, { ...request, layer: "batch" })).contains.holes).toEqual([]);
  });

  it("names what its version lacks as accepted, and is complete with it", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    stores.publish(visits, "v1", { 0: 20 });
    const pointer = stores.pointers.get("visits") as Pointer;
    stores.pointers.set("visits", { ...pointer, lost: [{ partition: 0, from: 3, to: 7 }] });
    stores.earliest = { 0: 20 };
    stores.views.get("visits")?.write(0, 2, [25]);
    for (const layer of layers)
      expect((await queryKey(options(stores), visits, { ...request, layer })).contains).toMatchObject({
        holes: [{ partition: 0, from: 3, to: 7, accepted: true }],
        complete: layer !== "batch",
      });
  });

  it("gives up, with the reason, if its version is dropped again and again", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    let swaps = 0;
    const read = stores.batchSteps.bind(stores);
    stores.publish(visits, "v0", { 0: 10 });
    stores.batchSteps = async (...args) => {
      stores.publish(visits, `v${++swaps}`, { 0: 10 });
      return read(...args);
    };
    await expect(queryKey(options(stores), visits, request)).rejects.toThrow("changed 5 times while reading");
    expect(swaps).toBe(5);
  });

  describe("is not complete, and says why,", () => {
    const setUp = async () => {
      const stores = new SimulatedStores([log], [visits], 10, 2);
      stores.views.get("visits")?.writeTo(0, 25);
      const ask = async (layer: Layer = "merged") =>
        (await queryKey(options(stores), visits, { ...request, layer })).contains;
      expect(await ask()).toMatchObject({ complete: true, problems: [] });
      return { stores, ask };
    };

    it("where the log ends before the speed view's rows", async () => {
      const { stores, ask } = await setUp();
      stores.latest = { 0: 17 };
      expect(await ask()).toMatchObject({
        speed: { 0: 25 },
        log: { 0: 17 },
        lag: 0,
        complete: false,
        problems: [expect.stringContaining("ends at offset 17, but was read up to 25")],
      });
    });

    it("where it ends before the batch view's, whatever layer answers", async () => {
      const { stores, ask } = await setUp();
      stores.publish(visits, "v1", { 0: 20 });
      stores.latest = { 0: 17 };
      for (const layer of ["merged", "batch", "speed"] as const)
        expect(await ask(layer)).toMatchObject({ complete: false, problems: [expect.stringContaining("offset 17")] });
    });

    it("where it lost its tail below the horizon, and nothing was read behind it before", async () => {
      const { stores, ask } = await setUp();
      stores.publish(visits, "v1", { 0: 20 });
      const view = stores.views.get("visits");
      for (const [id, { chunk }] of view?.progress ?? []) if (chunk !== 1) view?.progress.delete(id);
      stores.leaderEpoch = 1;
      stores.epochEnds = { 0: { 0: 17 } };
      stores.latest = { 0: 400 };
      expect(await ask()).toMatchObject({
        complete: false,
        problems: [expect.stringContaining("up to offset 17 only, but was read up to 20")],
      });
    });

    it("where it lost its tail below the horizon, of which the batch view alone still knows", async () => {
      const { stores, ask } = await setUp();
      stores.publish(visits, "v1", { 0: 20 });
      stores.pointers.set("visits", { ...(stores.pointers.get("visits") as Pointer), epochs: { 0: 0 } });
      stores.views.get("visits")?.progress.clear();
      stores.leaderEpoch = 1;
      stores.epochEnds = { 0: { 0: 17 } };
      stores.latest = { 0: 400 };
      for (const layer of ["merged", "batch"] as const)
        expect(await ask(layer)).toMatchObject({
          complete: false,
          problems: [expect.stringContaining("up to offset 17 only, but was read up to 20")],
        });
    });

    it("where it ends before this life of it begins", async () => {
      const { stores, ask } = await setUp();
      stores.views.get("visits")?.progress.clear();
      stores.first = { 0: 14 };
      stores.latest = { 0: 12 };
      expect(await ask()).toMatchObject({
        complete: false,
        problems: [expect.stringContaining("ends at offset 12, but was read up to 14")],
      });
    });

    it("where it lost its tail and has grown past the rows since", async () => {
      const { stores, ask } = await setUp();
      stores.leaderEpoch = 1;
      expect(await ask()).toMatchObject({ complete: true });
      stores.leaderEpoch = 2;
      stores.epochEnds = { 0: { 0: 17 } };
      stores.latest = { 0: 400 };
      expect(await ask()).toMatchObject({
        log: { 0: 400 },
        complete: false,
        problems: [expect.stringContaining("up to offset 17 only, but was read up to 25")],
      });
    });

    it("where the topic was made again", async () => {
      const { stores, ask } = await setUp();
      stores.topicId = "second";
      stores.latest = { 0: 3 };
      expect(await ask()).toMatchObject({ complete: false, problems: [expect.stringContaining("made again")] });
    });

    it("where a partition has events that the configuration does not know", async () => {
      const { stores, ask } = await setUp();
      stores.latest = { 0: 25, 1: 777 };
      expect(await ask()).toMatchObject({
        complete: false,
        problems: [expect.stringContaining("partition 1 of topic events has 777 offsets")],
      });
    });
  });

  it("asks Kafka for nothing but the log's end as long as the leader is the same, and for the topic's id seldom", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    stores.views.get("visits")?.writeTo(0, 25);
    for (let time = 0; time < 20; time++) await queryKey(options(stores), visits, request);
    expect(stores.asked.epochs).toBe(0);
    expect(stores.asked.topicId).toBeLessThan(20);
  });

  it("begins in the middle of a chunk where this life of the log does", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    stores.first = { 0: 14 };
    const rows = new SimulatedSpeedView(visits, [[...Array(14), ...log.slice(14)]], 10, 2);
    expect((await queryKey(options(stores), visits, request)).contains).toMatchObject({ horizon: { 0: 14 }, lag: 11 });
    rows.write(0, 1, [20], undefined, 14);
    rows.write(0, 2, [23]);
    stores.views.set("visits", rows as SimulatedSpeedView<Visit>);
    const { contains, total } = await queryKey(options(stores), visits, request);
    expect(contains).toMatchObject({ horizon: { 0: 14 }, speed: { 0: 23 }, holes: [], lag: 2, problems: [] });
    expect(total).toEqual({ visits: 9, bytes: 9 });
  });

  it("says that it lacks the former lives of the log as long as no batch view has them", async () => {
    const stores = new SimulatedStores([log], [visits], 10, 2);
    stores.views.get("visits")?.writeTo(0, 25);
    stores.hasFormer = true;
    expect((await queryKey(options(stores), visits, request)).contains).toMatchObject({
      ...{ complete: false, problems: [expect.stringContaining("the former lives of the log")] },
    });
    stores.publish(visits, "v1", { 0: 10 });
    expect((await queryKey(options(stores), visits, request)).contains).toMatchObject({ complete: true, problems: [] });
  });
});
