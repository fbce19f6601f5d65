import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Content, together } from "../../../jobs/archive/content.ts";
import { fileName, lostName, manifestName } from "../../../jobs/archive/layout.ts";
import type { Archived } from "../../../jobs/batch/horizon.ts";
import type { MapReduceResult } from "../../../jobs/batch/map-reduce.ts";
import { type PointerKey, SupersededError, versionsOf } from "../../../jobs/batch/pointer.ts";
import { type BatchStores, runBatch } from "../../../jobs/batch/run.ts";
import { datasource, type Pointer, type Version } from "../../../jobs/batch/versions.ts";
import type { Offsets } from "../../../jobs/chunks.ts";
import type { FormerFile } from "../../../jobs/log/incarnation.ts";
import { editsByChannel } from "../../../jobs/wikipedia/edits-by-channel.ts";
import { editsByPage } from "../../../jobs/wikipedia/edits-by-page.ts";

const views = [editsByChannel, editsByPage];
const generations = { "edits-by-channel": "0123abcd", "edits-by-page": "4567cdef" };
const chunkSize = 100;

/** What every file holds. */
const fileContent: Content = { events: 98, bytes: 1_234, digest: 2 ** 47 + 1 };

class Killed extends Error {}

/** The servers in memory. Each call counts as two steps: one before and one after its effect. */
class World implements BatchStores {
  readonly files: string[][] = [[], []];
  /** Where this life of the log begins, and what of former ones counts on. */
  begin: Awaited<ReturnType<BatchStores["life"]>> = { first: {}, former: [] };
  life = async () => this.begin;
  formerContent = async (path: string) => this.damaged.get(path) ?? fileContent;
  readonly manifests: string[][] = [[], []];
  readonly lost: string[][] = [[], []];
  /** What files that were damaged hold, by their path. */
  readonly damaged = new Map<string, Content>();
  readonly rows: Record<string, number> = { "edits-by-channel": 3, "edits-by-page": 5 };
  readonly pointersByView = new Map<string, { run: string; pointer: Pointer | undefined }>();
  readonly outputFolders = new Set<string>();
  /** Complete datasources and, as false, those that were being loaded when their run was killed. */
  readonly loaded = new Map<string, boolean>();
  readonly expired: Record<string, Offsets> = {};
  /** Generations beside the deployed ones, by their name. */
  readonly formerGenerations = new Map<string, { key: PointerKey; pointer: Pointer; retired: boolean }>();
  readonly reports: string[] = [];
  /** The step at which the run is killed. */
  killAt = Number.POSITIVE_INFINITY;
  /** Called before each call. */
  before: (call: string) => Promise<void> = async () => {};
  #clock = Date.UTC(2026, 10, 23);

  archive(partition: number, chunks: number): void {
    const files = this.files[partition] as string[];
    for (let left = chunks; left > 0; left--) {
      const start = files.length * chunkSize;
      const range = { start, end: start + chunkSize };
      files.push(fileName(range));
      this.manifests[partition]?.push(manifestName({ range, content: fileContent, leaderEpoch: 0 }));
    }
  }

  run(options: { force?: boolean } = {}) {
    return runBatch({
      stores: this,
      views,
      generations,
      partitions: 2,
      chunkSize,
      sealHours: 24,
      force: options.force ?? false,
      report: (message) => this.reports.push(message),
      now: () => this.#clock++,
    });
  }

  pointer(view: string): Pointer | undefined {
    return this.pointersByView.get(view)?.pointer;
  }

  /** What must hold at any time: every version that can be asked for is there. */
  checkReadable(): void {
    for (const { pointer } of this.pointersByView.values())
      for (const version of versionsOf(pointer))
        if (version.rows > 0) expect(this.loaded.get(version.datasource)).toBe(true);
    for (const { pointer, retired } of this.formerGenerations.values())
      if (!retired) for (const version of versionsOf(pointer)) expect(this.loaded.get(version.datasource)).toBe(true);
  }

  /** Gives a view a generation of former code, with a version. */
  addFormer(key: PointerKey, retired: boolean): void {
    const version = "20261122T000000000";
    const name = datasource(key.view, key.generation, version);
    const pointer = { version, datasource: name, horizon: { 0: 100, 1: 0 }, rows: 1, lost: [], retained: [] };
    this.formerGenerations.set(key.generation, { key, pointer, retired });
    this.loaded.set(name, true);
    this.outputFolders.add(version);
  }

  archivedFiles = () =>
    this.#call("archivedFiles", () =>
      Object.fromEntries(
        this.files.map((names, index) => [
          index,
          [...names, ...(this.manifests[index] ?? []), ...(this.lost[index] ?? [])],
        ]),
      ),
    );
  filePath = (partition: number, name: string) => `/master/edits/${partition}/${name}`;
  fileContent = (partition: number, name: string) =>
    this.#call("fileContent", () => this.damaged.get(this.filePath(partition, name)) ?? fileContent);
  runs = () => this.#call("runs", () => [...this.pointersByView.values()].map(({ run }) => run));
  claimOthers = () => this.#call("claimOthers", () => {});
  checkClaim = ({ view }: PointerKey, run: string) =>
    this.#call("checkClaim", () => {
      if (this.pointersByView.get(view)?.run !== run) throw new SupersededError("superseded");
    });
  pointers = () =>
    this.#call("pointers", () => [
      ...[...this.pointersByView].flatMap(([view, { pointer }]) =>
        pointer === undefined ? [] : [{ view, generation: generations[view as keyof typeof generations], pointer }],
      ),
      ...[...this.formerGenerations.values()].map(({ key, pointer }) => ({ ...key, pointer })),
    ]);
  retiredGenerations = () =>
    this.#call("retiredGenerations", () => [
      ...[...this.formerGenerations.values()].filter(({ retired }) => retired).map(({ key }) => key),
      // Noted before its code came back.
      { view: "edits-by-page", generation: generations["edits-by-page"] },
    ]);
  removeGeneration = ({ generation }: PointerKey, _checkClaim: () => Promise<void>) =>
    this.#call("removeGeneration", () => {
      expect(Object.values(generations)).not.toContain(generation);
      return this.formerGenerations.delete(generation);
    });
  claimPointer = ({ view }: PointerKey, run: string) =>
    this.#call("claimPointer", () => {
      const before = this.pointersByView.get(view)?.run ?? "";
      if (before >= run) throw new SupersededError("superseded");
      const pointer = this.pointer(view);
      this.pointersByView.set(view, { run, pointer });
      return pointer;
    });
  movePointer = ({ view }: PointerKey, run: string, pointer: Pointer) =>
    this.#call("movePointer", () => {
      if (this.pointersByView.get(view)?.run !== run) throw new SupersededError("superseded");
      this.pointersByView.set(view, { run, pointer });
      this.checkReadable();
    });
  mapReduce = (version: string, { files }: Archived, former: readonly FormerFile[]) =>
    this.#call("mapReduce", (): MapReduceResult => {
      this.outputFolders.add(version);
      const paths = Object.entries(files).flatMap(([partition, some]) =>
        some.map(({ name }) => this.filePath(Number(partition), name)),
      );
      const read = [...paths, ...former.map(({ path }) => path)];
      const content = together(read.map((path) => this.damaged.get(path) ?? fileContent));
      return { applicationId: "a", content, invalid: 0, skipped: {}, outputRecords: this.rows };
    });
  outputs = () => this.#call("outputs", () => [...this.outputFolders, "_temporary"]);
  removeOutput = (version: string) => this.#call("removeOutput", () => void this.outputFolders.delete(version));
  load = async (_view: unknown, version: Version) => {
    if (version.rows === 0) return;
    await this.#call("load", () => void this.loaded.set(version.datasource, false));
    await this.#call("load", () => void this.loaded.set(version.datasource, true));
  };
  datasources = () => this.#call("datasources", () => [...this.loaded.keys(), "somebody_elses"]);
  removeDatasource = (name: string) =>
    this.#call("removeDatasource", () => {
      expect(name).not.toBe("somebody_elses");
      this.loaded.delete(name);
      this.checkReadable();
    });
  expireSpeedView = ({ view }: PointerKey, horizon: Offsets) =>
    this.#call("expireSpeedView", () => {
      this.expired[view] = horizon;
      return 0;
    });

  async #call<Result>(name: string, effect: () => Result): Promise<Result> {
    await this.before(name);
    this.#step();
    const result = effect();
    this.#step();
    return result;
  }

  #step(): void {
    // A killed process does nothing more, also not in its other tasks.
    if (--this.killAt < 0) throw new Killed();
  }
}

describe("a batch run", () => {
  test("makes a version of every view up to the horizon", async () => {
    const world = new World();
    world.archive(0, 2);
    world.archive(1, 1);
    expect(await world.run()).toEqual({ version: "20261123T000000000", horizon: { 0: 200, 1: 100 } });
    expect(world.pointer("edits-by-channel")).toEqual({
      version: "20261123T000000000",
      datasource: "edits_by_channel_0123abcd_20261123T000000000",
      horizon: { 0: 200, 1: 100 },
      epochs: { 0: 0, 1: 0 },
      rows: 3,
      lost: [],
      retained: [],
    });
    expect(world.pointer("edits-by-page")?.rows).toBe(5);
    expect(world.expired).toEqual({ "edits-by-channel": { 0: 200, 1: 100 }, "edits-by-page": { 0: 200, 1: 100 } });
  });

  test("does nothing as long as nothing is archived", async () => {
    const world = new World();
    expect(await world.run()).toEqual({ version: undefined, horizon: { 0: 0, 1: 0 } });
    expect(world.reports).toEqual([
      "no whole chunk is archived yet: batch views cover whole chunks of 100 events of a partition, and none is full. " +
        "Until then the speed layer alone answers, with all events. To close the open chunks now: npm run batch -- --seal, " +
        "or wait: a chunk is closed 24 hours after its first event",
    ]);
  });

  test("does nothing if nothing new is archived, unless forced", async () => {
    const world = new World();
    world.archive(0, 1);
    await world.run();
    expect((await world.run()).version).toBeUndefined();
    expect(world.reports.at(-1)).toBe("nothing new is archived since version 20261123T000000000");
    expect((await world.run({ force: true })).version).toBe("20261123T000000002");
  });

  test("makes the first version of a view that has none", async () => {
    const world = new World();
    world.archive(0, 1);
    await world.run();
    world.pointersByView.delete("edits-by-page");
    expect((await world.run()).version).toBe("20261123T000000001");
    expect(world.pointer("edits-by-page")?.retained).toEqual([]);
  });

  test("keeps the two versions before, and expires below the oldest", async () => {
    const world = new World();
    for (let index = 0; index < 5; index++) {
      world.archive(0, 1);
      await world.run();
    }
    expect(world.pointer("edits-by-page")?.horizon).toEqual({ 0: 500, 1: 0 });
    expect(world.pointer("edits-by-page")?.retained.map(({ horizon }) => horizon[0])).toEqual([400, 300]);
    expect(world.loaded.size).toBe(6);
    expect(world.outputFolders.size).toBe(3);
    expect(world.expired["edits-by-page"]).toEqual({ 0: 300, 1: 0 });
  });

  test("a view without rows gets a version without a datasource", async () => {
    const world = new World();
    world.rows["edits-by-page"] = 0;
    world.archive(0, 1);
    await world.run();
    expect(world.pointer("edits-by-page")?.rows).toBe(0);
    expect([...world.loaded.keys()]).toEqual(["edits_by_channel_0123abcd_20261123T000000000"]);
  });

  test("removes all that there is of generations that nobody asks any more, and nothing of others", async () => {
    const world = new World();
    world.archive(0, 1);
    world.addFormer({ view: "edits-by-page", generation: "aaaaaaaa" }, true);
    world.addFormer({ view: "edits-by-page", generation: "bbbbbbbb" }, false);
    world.addFormer({ view: "taken-out", generation: "cccccccc" }, true);
    await world.run();
    expect([...world.formerGenerations.keys()]).toEqual(["bbbbbbbb"]);
    expect([...world.loaded.keys()].sort()).toEqual([
      "edits_by_channel_0123abcd_20261123T000000000",
      "edits_by_page_4567cdef_20261123T000000000",
      "edits_by_page_bbbbbbbb_20261122T000000000",
    ]);
    expect([...world.outputFolders].sort()).toEqual(["20261122T000000000", "20261123T000000000"]);
    expect(world.reports).toContain("removed generation aaaaaaaa of edits-by-page, which answers no more");
    expect(Object.keys(world.expired).sort()).toEqual(["edits-by-channel", "edits-by-page"]);
  });

  test("leaves a generation that comes back to use while it would be removed", async () => {
    const world = new World();
    world.addFormer({ view: "edits-by-page", generation: "aaaaaaaa" }, true);
    world.removeGeneration = async () => false;
    await world.run();
    expect([...world.loaded.keys()]).toEqual(["edits_by_page_aaaaaaaa_20261122T000000000"]);
  });

  test("does not go back if archived files have vanished", async () => {
    const world = new World();
    world.archive(0, 2);
    await world.run();
    world.files[0]?.pop();
    await expect(world.run({ force: true })).rejects.toThrow("archived files are missing");
  });

  test("that was believed dead cannot move a pointer", async () => {
    const world = new World();
    world.archive(0, 1);
    world.before = async (call) => {
      if (call !== "movePointer") return;
      world.before = async () => {};
      await world.run();
    };
    await expect(world.run()).rejects.toBeInstanceOf(SupersededError);
    world.checkReadable();
    expect(world.pointer("edits-by-page")?.version).toBe("20261123T000000001");
  });

  test("names the files that are damaged, and swaps nothing in", async () => {
    const world = new World();
    world.archive(0, 2);
    world.archive(1, 1);
    await world.run();
    world.archive(1, 1);
    world.damaged.set("/master/edits/0/0000000000000000100-0000000000000000200.jsonl", { ...fileContent, digest: 5 });
    await expect(world.run()).rejects.toThrow(
      "1 files of the master dataset are damaged, so that nothing was swapped in; put back what they were from a copy:\n" +
        "/master/edits/0/0000000000000000100-0000000000000000200.jsonl: 98 events of 1234 bytes with digest 800000000001 when it was written, " +
        "98 events of 1234 bytes with digest 000000000005 now",
    );
    expect(world.pointer("edits-by-page")?.version).toBe("20261123T000000000");
  });

  test("reads what is archived of the former lives of the log, and begins where this one does", async () => {
    const world = new World();
    const path = "/open/edits/0/part";
    world.begin = { first: { 0: 130 }, former: [{ path, ...fileContent }] };
    const { version, horizon } = await world.run();
    expect(horizon).toEqual({ 0: 130, 1: 0 });
    expect(world.pointer("edits-by-page")).toMatchObject({ version, horizon });
    expect(world.reports).toContain(`computed from ${fileContent.events} events`);
    world.damaged.set(path, { ...fileContent, events: 97 });
    await expect(world.run({ force: true })).rejects.toThrow(`${path}: 98 events of 1234 bytes`);
  });

  test("reads files of which nothing was noted, as in former times", async () => {
    const world = new World();
    world.archive(0, 2);
    for (const names of world.manifests) names.length = 0;
    await world.run();
    expect(world.pointer("edits-by-page")?.horizon).toEqual({ 0: 200, 1: 0 });
  });

  test("says of a version what it lacks", async () => {
    const world = new World();
    world.archive(0, 2);
    world.files[0]?.shift();
    world.manifests[0]?.shift();
    expect((await world.run()).version).toBeUndefined();
    world.lost[0]?.push(lostName({ start: 0, end: 130 }));
    await world.run();
    expect(world.pointer("edits-by-page")).toMatchObject({
      horizon: { 0: 200, 1: 0 },
      lost: [{ partition: 0, from: 0, to: 130 }],
    });
  });

  test("that sleeps anywhere and wakes after its successors deletes nothing of theirs", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(60), fc.integer({ min: 1, max: 4 }), async (sleepsAt, successors) => {
        const world = new World();
        world.addFormer({ view: "edits-by-page", generation: "aaaaaaaa" }, true);
        world.archive(0, 1);
        await world.run();
        world.archive(0, 1);
        let calls = 0;
        let kept: string[] = [];
        world.before = async () => {
          if (calls++ !== sleepsAt) return;
          world.before = async () => {};
          for (let left = successors; left > 0; left--) {
            world.archive(1, 1);
            await world.run();
          }
          kept = [...world.loaded.keys(), ...world.outputFolders].filter((name) =>
            views.some((view) =>
              versionsOf(world.pointer(view.name)).some((version) => name.endsWith(version.version)),
            ),
          );
        };
        await world.run().catch((error) => expect(error).toBeInstanceOf(SupersededError));
        world.checkReadable();
        expect([...world.loaded.keys(), ...world.outputFolders]).toEqual(expect.arrayContaining(kept));
      }),
      { numRuns: 300 },
    );
  });

  test("gets a version after all that were claimed, also if the clock was set back", async () => {
    const world = new World();
    world.archive(0, 1);
    world.pointersByView.set("edits-by-page", { run: "20300101T000000000", pointer: undefined });
    expect((await world.run()).version).toBe("20300101T000000001");
  });

  test("killed anywhere, any number of times, leaves only what the next one removes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ partition: fc.nat(1), chunks: fc.integer({ min: 1, max: 3 }), killAt: fc.nat(80) }), {
          minLength: 1,
          maxLength: 6,
        }),
        async (attempts) => {
          const world = new World();
          world.addFormer({ view: "edits-by-page", generation: "aaaaaaaa" }, true);
          for (const { partition, chunks, killAt } of attempts) {
            world.archive(partition, chunks);
            world.killAt = killAt;
            await world.run().catch((error) => expect(error).toBeInstanceOf(Killed));
            world.checkReadable();
          }
          world.killAt = Number.POSITIVE_INFINITY;
          await world.run();
          const horizon = Object.fromEntries(world.files.map((files, index) => [index, files.length * chunkSize]));
          const kept = views.flatMap((view) => versionsOf(world.pointer(view.name)));
          for (const view of views) expect(world.pointer(view.name)?.horizon).toEqual(horizon);
          expect([...world.loaded.keys()].sort()).toEqual(kept.map(({ datasource }) => datasource).sort());
          expect([...world.outputFolders].sort()).toEqual([...new Set(kept.map(({ version }) => version))].sort());
        },
      ),
      { numRuns: 300 },
    );
  });
});
