import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { contentOf } from "../../../jobs/archive/content.ts";
import { fileName, partitionFolder, partName } from "../../../jobs/archive/layout.ts";
import { type Incarnation, parseIncarnation } from "../../../jobs/log/incarnation.ts";
import { beginNextIncarnation } from "../../../jobs/log/next-incarnation.ts";

const chunkSize = 10;
const configuration = {
  ...{ topic: "events", partitions: 1, chunkSize, incarnation: 1 },
  ...{ masterDataset: "/master", openChunks: "/open" },
};
const ofPartition = { topic: "events", partition: 0, incarnation: 1 };
const [whole, open] = [partitionFolder("/master", ofPartition), partitionFolder("/open", ofPartition)];

/** A partition of a topic, and what is archived of it; each event is a line, and knows the leader that wrote it. */
class World {
  topicId = "first";
  epoch = 0;
  incarnation = 1;
  log: { readonly event: number; readonly epoch: number }[] = [];
  readonly files = new Map<string, string>();
  readonly reports: string[] = [];
  #next = 0;

  append(count: number): void {
    for (let left = count; left > 0; left--) this.log.push({ event: this.#next++, epoch: this.epoch });
  }

  /** The log up to there is in the storage: whole chunks as files, the rest as a part. */
  archive(end: number): void {
    this.files.set("/master/events/_topic-id", this.topicId);
    const lines = (from: number, to: number) =>
      this.log
        .slice(from, to)
        .map(({ event }) => `${event}\n`)
        .join("");
    let start = 0;
    for (; start + chunkSize <= end; start += chunkSize)
      this.files.set(`${whole}/${fileName({ start, end: start + chunkSize })}`, lines(start, start + chunkSize));
    if (start < end) {
      const epoch = this.log[end - 1]?.epoch ?? -1;
      this.files.set(`${open}/${partName({ start, end }, epoch)}`, lines(start, end));
    }
  }

  /** The storage has none of the events of some offsets: of their chunk, only what is behind them is there, in a part. */
  lose(start: number, end: number): void {
    const chunk = { start: Math.floor(start / chunkSize) * chunkSize, end: Math.ceil(end / chunkSize) * chunkSize };
    const left = { start: end, end: Math.min(chunk.end, this.log.length) };
    for (const path of [
      `${whole}/${fileName(chunk)}`,
      ...[...this.files.keys()].filter((name) => name.startsWith(open)),
    ])
      this.files.delete(path);
    const lines = this.log.slice(left.start, left.end).map(({ event }) => `${event}\n`);
    this.files.set(`${open}/${partName(left, 0)}`, lines.join(""));
  }

  begin(known: number): ReturnType<typeof beginNextIncarnation> {
    const end = () => ({ latest: this.log.length, leaderEpoch: this.epoch });
    return beginNextIncarnation({
      configuration: { ...configuration, incarnation: this.incarnation },
      report: (line) => this.reports.push(line),
      known: known === 0 ? [] : [{ partition: 0, end: known, leaderEpoch: 0 }],
      reader: {
        topicId: async () => this.topicId,
        latest: async () => ({ 0: end() }),
        watermarks: async () => ({ 0: { earliest: 0, ...end() } }),
        epochEnds: async (_topic, { 0: epoch = -1 }) => {
          const next = this.log.findIndex((record) => record.epoch > epoch);
          return { 0: { leaderEpoch: epoch, end: next < 0 ? this.log.length : next } };
        },
      },
      storage: {
        list: async (folder) =>
          [...this.files.keys()]
            .filter((path) => path.startsWith(`${folder}/`))
            .map((path) => path.slice(folder.length + 1).split("/")[0] as string),
        readText: async (path) => this.files.get(path) as string,
        read: (path) => read(this.files.get(path) as string),
        publish: async (path, body) => {
          if (this.files.has(path)) return false;
          const parts: Uint8Array[] = [];
          for await (const part of body) parts.push(part);
          this.files.set(path, Buffer.concat(parts).toString());
          return true;
        },
      },
    });
  }

  /** The events that a view of the life has: those of the files that count on, and of the log from its begin on. */
  events({ first, former }: Incarnation): number[] {
    const archived = former.flatMap(({ path }) => (this.files.get(path) as string).trim().split("\n").map(Number));
    return [...archived, ...this.log.slice(first[0] ?? 0).map(({ event }) => event)].sort((a, b) => a - b);
  }
}

async function* read(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

describe("beginNextIncarnation", () => {
  it("does nothing as long as the log is the one that is known", async () => {
    const world = new World();
    world.append(25);
    world.archive(23);
    world.epoch = 1;
    world.append(5);
    expect(await world.begin(25)).toBeUndefined();
    expect([...world.files.keys()].filter((path) => path.includes("incarnation"))).toEqual([]);
  });

  it("of what is archived and what the log still has, every event counts once, wherever the log was cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          events: fc.integer({ min: 1, max: 40 }),
          archived: fc.nat(40),
          cut: fc.nat(40),
          later: fc.nat(30),
        }),
        fc.boolean(),
        async ({ events, archived, cut, later }, isMadeAgain) => {
          const world = new World();
          world.append(events);
          const end = Math.min(archived, events);
          world.archive(end);
          const kept = isMadeAgain ? 0 : Math.min(cut, events - 1);
          world.log.splice(kept);
          if (isMadeAgain) world.topicId = "second";
          world.epoch = 1;
          world.append(later);
          const next = await world.begin(events);
          expect(next?.number).toBe(2);
          // Lost is what the log lost before it was archived, and nothing else.
          const all = Array.from({ length: events + later }, (_, event) => event);
          const expected = all.filter((event) => event < Math.max(end, kept) || event >= events);
          expect(world.events(next?.life as Incarnation)).toEqual(expected);
          for (const { path, ...content } of next?.life.former ?? [])
            expect(content).toEqual(await contentOf(read(world.files.get(path) as string)));
          // Done again, it changes nothing.
          expect(await world.begin(events)).toEqual(next);
        },
      ),
    );
  });

  it("accepts a log that ends before this life of it begins, although nothing of this life is archived", async () => {
    const world = new World();
    const life = { topicId: "first", first: { 0: 14 }, former: [] };
    world.files.set("/master/events/incarnation-2.json", JSON.stringify(life));
    world.incarnation = 2;
    world.append(14);
    expect(await world.begin(0)).toBeUndefined();
    world.log.splice(12);
    expect(await world.begin(0)).toMatchObject({ number: 3, life: { first: { 0: 12 } } });
  });

  it.each([
    ["before the last whole chunk", 30],
    ["in the open one", 18],
  ])("what is archived behind a loss %s counts on, where nobody has accepted the loss yet", async (_where, events) => {
    const world = new World();
    world.append(events);
    world.archive(events);
    world.lose(10, 14);
    world.log = [];
    world.topicId = "second";
    world.append(5);
    const next = await world.begin(events);
    const lost = [10, 11, 12, 13];
    const all = Array.from({ length: events + 5 }, (_, event) => event);
    expect(world.events(next?.life as Incarnation)).toEqual(all.filter((event) => !lost.includes(event)));
  });
});

test("what is archived of the log as it is now counts once, although views had read more of a former one", async () => {
  const world = new World();
  world.append(9);
  world.log = [];
  world.epoch = 1;
  world.append(8);
  world.archive(6);
  const next = await world.begin(9);
  expect(world.events(next?.life as Incarnation)).toEqual([9, 10, 11, 12, 13, 14, 15, 16]);
});

test("a file that describes no incarnation is named", () => {
  expect(() => parseIncarnation("{}", "/master/events/incarnation-2.json")).toThrow(
    "/master/events/incarnation-2.json describes no incarnation of a log",
  );
});
