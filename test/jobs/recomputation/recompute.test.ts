import { expect, test } from "vitest";
import type { PointerKey } from "../../../jobs/batch/pointer.ts";
import type { Pointer } from "../../../jobs/batch/versions.ts";
import { RecomputationError, type RecomputationStores, recompute } from "../../../jobs/recomputation/recompute.ts";
import type { Progress } from "../../../jobs/serving/coverage.ts";
import type { AnyView } from "../../../jobs/serving/stores.ts";
import { editsByChannel } from "../../../jobs/wikipedia/edits-by-channel.ts";
import { editsByPage } from "../../../jobs/wikipedia/edits-by-page.ts";

const views = [editsByChannel, editsByPage];
const generations = { "edits-by-channel": "0000000a", "edits-by-page": "0000000b" };
const former: PointerKey = { view: "edits-by-page", generation: "0000000f" };
const chunkSize = 100;

function versionAt(horizon: Record<string, number>): Pointer {
  return { version: "20261124T000000000", datasource: "d", horizon, rows: 1, lost: [], retained: [] };
}

/** The servers in memory: what calls themselves change is given by the test. */
class World implements RecomputationStores {
  keys: PointerKey[] = [...Object.entries(generations).map(([view, generation]) => ({ view, generation })), former];
  latest = [250, 120];
  earliest = [0, 0];
  archivedOffsets: Record<string, number> = { 0: 0, 1: 0 };
  readonly pointers = new Map<string, Pointer>();
  readonly rows = new Map<string, Progress[]>();
  readonly reports: string[] = [];
  readonly asked: string[] = [];
  /** Called by each batch run. */
  onBatch: () => Promise<string | undefined> = async () => undefined;
  /** Called before each look at the progress. */
  onProgress: () => void = () => {};

  answering = async () => this.keys;
  watermarks = async () =>
    Object.fromEntries(
      this.latest.map((latest, partition) => [
        partition,
        { earliest: this.earliest[partition] ?? 0, latest, leaderEpoch: 0 },
      ]),
    );
  logBegin = async () => ({ first: {}, hasFormer: false });
  archived = async () => this.archivedOffsets;
  pointer = async ({ name }: AnyView) => this.pointers.get(name);
  progress = async ({ name }: AnyView) => {
    this.asked.push(name);
    this.onProgress();
    return this.rows.get(name) ?? [];
  };
  batch = () => this.onBatch();

  /** The speed view reaches these offsets, by partition, from its first chunk on. */
  reach(view: string, ends: readonly number[]): void {
    const rows = ends.flatMap((end, partition) =>
      Array.from({ length: Math.ceil(end / chunkSize) }, (_, chunk) => ({
        partition,
        chunk,
        end: Math.min(end, (chunk + 1) * chunkSize),
        leaderEpoch: 0,
      })),
    );
    this.rows.set(view, rows);
  }

  run(limit = 5_000, signal = new AbortController().signal) {
    const report = (line: string) => this.reports.push(line);
    return recompute({ stores: this, views, generations, partitions: 2, chunkSize, limit, signal, report, poll: 1 });
  }
}

test("nothing is waited for if no view that answers has other code, or of a view nothing answers yet", async () => {
  const world = new World();
  world.keys = [
    { view: "edits-by-channel", generation: "0000000a" },
    { view: "taken-out", generation: "0000000c" },
  ];
  expect(await world.run()).toEqual([]);
  expect(world.asked).toEqual([]);
  expect(world.reports).toEqual(["of no view that answers the code has changed: nothing to recompute"]);
});

test("the speed view of new code alone is waited for, up to where the log ended at the beginning", async () => {
  const world = new World();
  let looks = 0;
  world.onProgress = () => {
    looks++;
    // The log goes on, and that is not waited for.
    world.latest = [1_000, 1_000];
    world.reach("edits-by-page", looks < 3 ? [looks * 50, 0] : [250, 120]);
  };
  expect(await world.run()).toEqual(["edits-by-page"]);
  expect(new Set(world.asked)).toEqual(new Set(["edits-by-page"]));
  expect(looks).toBe(3);
  expect(world.reports).toEqual([
    "edits-by-page: code 0000000b is computed beside 0000000f, which goes on answering",
    "edits-by-page: 320 events are left (partition 0: 50 of 250, partition 1: 0 of 120)",
    "edits-by-page: has caught up",
  ]);
});

test("a batch is run if something is archived and the new code has no version, and its horizon counts", async () => {
  const world = new World();
  world.archivedOffsets = { 0: 200, 1: 100 };
  // Kafka holds only what comes after the archived files.
  world.earliest = [200, 100];
  let runs = 0;
  world.onBatch = async () => {
    runs++;
    world.pointers.set("edits-by-page", versionAt({ 0: 200, 1: 100 }));
    world.rows.set("edits-by-page", [
      { partition: 0, chunk: 2, end: 250, leaderEpoch: 0 },
      { partition: 1, chunk: 1, end: 120, leaderEpoch: 0 },
    ]);
    return undefined;
  };
  expect(await world.run()).toEqual(["edits-by-page"]);
  expect(runs).toBe(1);
  expect(await world.run()).toEqual(["edits-by-page"]);
  expect(runs).toBe(1);
});

test("what the log lost is brought by another batch run once it is archived, and named until then", async () => {
  const world = new World();
  world.archivedOffsets = { 0: 100, 1: 100 };
  world.earliest = [200, 100];
  world.pointers.set("edits-by-page", versionAt({ 0: 100, 1: 100 }));
  world.rows.set("edits-by-page", [
    { partition: 0, chunk: 2, end: 250, leaderEpoch: 0 },
    { partition: 1, chunk: 1, end: 120, leaderEpoch: 0 },
  ]);
  await expect(world.run(30)).rejects.toThrow(
    "150 events are left (partition 0: 100 of 250), of which Kafka no longer has offsets 100 to 199 of partition 0: they " +
      "come with a batch run once they are archived; if they never will be, `npm run batch -- --accept-loss` goes on",
  );
  let runs = 0;
  world.archivedOffsets = { 0: 200, 1: 100 };
  world.onBatch = async () => {
    runs++;
    world.pointers.set("edits-by-page", versionAt({ 0: 200, 1: 100 }));
    return undefined;
  };
  expect(await world.run()).toEqual(["edits-by-page"]);
  expect(runs).toBe(1);
});

test("another run is waited for, and a run that fails is tried again", async () => {
  const world = new World();
  world.archivedOffsets = { 0: 200, 1: 100 };
  world.reach("edits-by-page", [250, 120]);
  const outcomes: (() => string | undefined)[] = [
    () => "somebody",
    () => "somebody",
    () => {
      throw new Error("YARN is away");
    },
    () => {
      world.pointers.set("edits-by-page", versionAt({ 0: 200, 1: 100 }));
      return undefined;
    },
  ];
  world.onBatch = async () => (outcomes.shift() as () => string | undefined)();
  await world.run();
  expect(outcomes).toEqual([]);
  expect(world.reports.slice(1)).toEqual([
    "waits for another batch run (somebody)",
    "tries again: YARN is away",
    "edits-by-page: has caught up",
  ]);
});

test("batch runs that keep failing fail it, with the reason and the mend", async () => {
  const world = new World();
  world.archivedOffsets = { 0: 200, 1: 100 };
  world.onBatch = async () => {
    throw new Error("the mapper ended with 1");
  };
  const failure = world.run();
  await expect(failure).rejects.toBeInstanceOf(RecomputationError);
  await expect(failure).rejects.toThrow(
    "3 batch runs of the new code failed, the last: the mapper ended with 1\nThe old code goes on answering. Fix the new",
  );
});

test("out of time it names what lags, by partition, and the mend", async () => {
  const world = new World();
  world.reach("edits-by-page", [250, 70]);
  await expect(world.run(30)).rejects.toThrow(
    /within 0 min: edits-by-page: 50 events are left \(partition 1: 70 of 120\)\.\nThe old code goes on answering\. Run `up` again/,
  );
});

test("stores that do not answer yet are asked again; out of time their last failure is named", async () => {
  const world = new World();
  const { answering } = world;
  let failures = 2;
  world.answering = async () => {
    if (failures-- > 0) throw new Error("Cassandra is away");
    return answering();
  };
  world.reach("edits-by-page", [250, 120]);
  expect(await world.run()).toEqual(["edits-by-page"]);
  world.watermarks = async () => {
    throw new Error("Kafka is away");
  };
  await expect(world.run(30)).rejects.toThrow("The last failure: Kafka is away");
});

test("it ends when it is told to stop", async () => {
  const stop = new AbortController();
  const running = new World().run(5_000, stop.signal);
  stop.abort(new Error("stopped by SIGTERM"));
  await expect(running).rejects.toThrow();
});
