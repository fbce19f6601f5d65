import { expect, test } from "vitest";
import { ChunkSchedule, type ChunkScheduleOptions } from "../../../jobs/speed/chunk-schedule.ts";
import { descriptorId } from "../../../jobs/speed/descriptor.ts";

const options = { chunkSize: 10, start: { a: { 0: 0 } }, tables: "t" };
const log = (latest: number, earliest = 0) => ({ 0: { earliest, latest, leaderEpoch: 0 } });
const stretch = (chunk: number, end: number, views = ["a"]) => ({ partition: 0, chunk, end, views, tables: "t" });

test("gives out a back-log chunk by chunk, no more at once than the window", () => {
  const schedule = new ChunkSchedule({ ...options, window: 2 });
  expect(schedule.take(0)).toEqual([]);
  schedule.observe(log(34));
  expect(schedule.take(0)).toEqual([stretch(0, 10), stretch(1, 20)]);
  expect(schedule.take(0)).toEqual([]);
  expect(schedule.busy).toBe(true);
  schedule.ack("0/0/10/t");
  expect(schedule.take(0)).toEqual([stretch(2, 30)]);
  schedule.ack("0/1/20/t");
  schedule.ack("0/2/30/t");
  expect(schedule.take(0)).toEqual([stretch(3, 34)]);
  schedule.ack("0/3/34/t");
  expect(schedule.busy).toBe(false);
});

test("follows the log's end within the open chunk, and stops at its edge", () => {
  const schedule = new ChunkSchedule(options);
  schedule.observe(log(4));
  expect(schedule.take(0)).toEqual([stretch(0, 4)]);
  schedule.ack("0/0/4/t");
  schedule.observe(log(12));
  expect(schedule.take(0)).toEqual([stretch(0, 10), stretch(1, 12)]);
});

test("gives out again what failed, later each time, and nothing new before it succeeds", () => {
  const schedule = new ChunkSchedule({ ...options, window: 1 });
  schedule.observe(log(20));
  schedule.take(0);
  schedule.fail("0/0/10/t", 0);
  expect(schedule.take(49)).toEqual([]);
  expect(schedule.take(50)).toEqual([stretch(0, 10)]);
  schedule.fail("0/0/10/t", 50);
  expect(schedule.take(149)).toEqual([]);
  expect(schedule.take(150)).toEqual([stretch(0, 10)]);
  schedule.ack("0/0/10/t");
  expect(schedule.take(151)).toEqual([stretch(1, 20)]);
});

test("drops a failure of a stretch that a longer one of the same chunk covers", () => {
  const schedule = new ChunkSchedule(options);
  schedule.observe(log(4));
  schedule.take(0);
  schedule.observe(log(6));
  schedule.take(0);
  schedule.fail("0/0/4/t", 0);
  expect(schedule.take(1_000)).toEqual([]);
  schedule.fail("0/0/6/t", 1_000);
  expect(schedule.take(2_000)).toEqual([stretch(0, 6)]);
});

test("ignores what it does not know, e.g. a worker's message about another life", () => {
  const schedule = new ChunkSchedule(options);
  schedule.observe(log(4));
  schedule.ack("7/7/7/t");
  schedule.fail("7/7/7/t", 0);
  expect(schedule.take(0).map(descriptorId)).toEqual(["0/0/4/t"]);
});

test("starts where the first view needs it, and names the views that do", () => {
  const schedule = new ChunkSchedule({ chunkSize: 10, start: { a: { 0: 2 }, b: { 0: 1 } }, tables: "t" });
  schedule.observe(log(25));
  expect(schedule.take(0)).toEqual([stretch(1, 20, ["b"]), stretch(2, 25, ["a", "b"])]);
});

/** A schedule, and what it says. */
function warned(more: Partial<ChunkScheduleOptions> = {}) {
  const warnings: string[] = [];
  return { warnings, schedule: new ChunkSchedule({ ...options, ...more, warn: (message) => warnings.push(message) }) };
}

test("goes on at a chunk's edge, and names what is lost, if the log lost what was never given out", () => {
  const { warnings, schedule } = warned();
  schedule.observe(log(20));
  schedule.observe(log(38, 34));
  expect(warnings).toEqual([expect.stringContaining("begins at offset 34 now, and the speed layer had read up to 0")]);
  expect(schedule.take(0)).toEqual([]);
  schedule.observe(log(50, 34));
  expect(schedule.take(0)).toEqual([stretch(4, 50)]);
  expect(warnings).toHaveLength(1);
});

test("chunks that failed and whose begin the log has lost are dropped with a reason, and the rest goes on", () => {
  const { warnings, schedule } = warned();
  schedule.observe(log(60));
  const given = schedule.take(0);
  expect(given).toEqual([stretch(0, 10), stretch(1, 20)]);
  schedule.fail("0/0/10/t", 0);
  // The other one is still under way when the log begins behind everything that was given out.
  schedule.observe(log(90, 70));
  expect(warnings).toEqual([
    expect.stringContaining("the log begins at offset 70 now"),
    expect.stringContaining("chunk 0 is given up: the log begins at offset 70 now"),
  ]);
  expect(schedule.take(10_000)).toEqual([stretch(7, 80)]);
  schedule.fail("0/1/20/t", 10_000);
  expect(warnings.at(-1)).toContain("chunk 1 is given up");
  expect(schedule.take(20_000)).toEqual([stretch(8, 90)]);
});

test("a log that begins within the open chunk is read on as long as the bolt can, and else behind the chunk", () => {
  const { warnings, schedule } = warned();
  schedule.observe(log(14));
  for (const descriptor of schedule.take(0)) schedule.ack(descriptorId(descriptor));
  schedule.observe(log(16, 13));
  // The bolt remembers what the chunk began with.
  expect(schedule.take(0)).toEqual([stretch(1, 16)]);
  schedule.ack("0/1/16/t");
  schedule.observe(log(18, 13));
  expect(schedule.take(0)).toEqual([stretch(1, 18)]);
  expect(warnings).toEqual([]);
  schedule.fail("0/1/18/t", 0);
  expect(warnings).toEqual([expect.stringContaining("chunk 1 is given up")]);
  schedule.observe(log(19, 13));
  expect(schedule.take(10_000)).toEqual([]);
  schedule.observe(log(23, 13));
  expect(schedule.take(10_000)).toEqual([stretch(2, 23)]);
});

test("a chunk that keeps failing takes one place, is then set aside, and succeeds when it can", () => {
  const { warnings, schedule } = warned({ attempts: 3 });
  schedule.observe(log(60));
  let now = 0;
  const others: number[] = [];
  for (; now < 40_000; now += 1_000)
    for (const { chunk, end } of schedule.take(now)) {
      if (chunk === 1) schedule.fail(`0/1/${end}/t`, now);
      else {
        schedule.ack(`0/${chunk}/${end}/t`);
        others.push(chunk);
      }
    }
  expect(others).toEqual([0, 2, 3, 4, 5]);
  expect(warnings).toEqual([expect.stringContaining("chunk 1 has failed 3 times")]);
  expect(schedule.take(120_000)).toEqual([stretch(1, 20)]);
  schedule.ack("0/1/20/t");
  expect(schedule.take(1_000_000)).toEqual([]);
});

test("the open chunk that was set aside comes again with what the log holds by then", () => {
  const { schedule } = warned({ attempts: 1 });
  schedule.observe(log(4));
  schedule.take(0);
  schedule.fail("0/0/4/t", 0);
  schedule.observe(log(13));
  expect(schedule.take(1)).toEqual([stretch(1, 13)]);
  expect(schedule.take(60_000)).toEqual([stretch(0, 10)]);
});

test("as long as everything fails, no more is tried than the window", () => {
  const { schedule } = warned({ attempts: 1_000 });
  schedule.observe(log(1_000));
  const tried = new Set<number>();
  for (let now = 0; now < 600_000; now += 100)
    for (const descriptor of schedule.take(now)) {
      tried.add(descriptor.chunk);
      schedule.fail(descriptorId(descriptor), now);
    }
  expect(tried).toEqual(new Set([0, 1]));
});

test("what failed waits for a log that has become shorter than it", () => {
  const { schedule } = warned();
  schedule.observe(log(10));
  schedule.take(0);
  schedule.fail("0/0/10/t", 0);
  schedule.observe(log(7));
  expect(schedule.take(10_000)).toEqual([]);
  schedule.observe(log(12));
  expect(schedule.take(20_000)).toEqual([stretch(0, 10), stretch(1, 12)]);
});

test("what is under way is bounded over all partitions, in number and in events, and every partition has its turn", () => {
  const partitions = Array.from({ length: 40 }, (_, partition) => partition);
  const ends = Object.fromEntries(
    partitions.map((partition) => [partition, { earliest: 0, latest: 30, leaderEpoch: 0 }]),
  );
  for (const [limits, most] of [
    [{ mostUnderWay: 7 }, 7],
    [{ mostEvents: 95 }, 10],
  ] as const) {
    const schedule = new ChunkSchedule({ ...options, ...limits });
    schedule.observe(ends);
    const turns: number[] = [];
    let given = 0;
    for (let round = 0; round < 100; round++) {
      const taken = schedule.take(round);
      expect(taken.length).toBeLessThanOrEqual(most);
      expect(schedule.take(round)).toEqual([]);
      turns.push(...taken.map(({ partition }) => partition));
      given += taken.length;
      for (const descriptor of taken) schedule.ack(descriptorId(descriptor));
    }
    expect(given).toBe(3 * 40);
    expect(new Set(turns.slice(0, 40)).size).toBe(40);
  }
  // One that is larger than the limit goes alone.
  const large = new ChunkSchedule({ ...options, mostEvents: 1 });
  large.observe(ends);
  expect(large.take(0)).toEqual([stretch(0, 10)]);
});

test("says once that the log became shorter", () => {
  const warnings: string[] = [];
  const schedule = new ChunkSchedule({ ...options, warn: (message) => warnings.push(message) });
  schedule.observe(log(34));
  schedule.take(0);
  schedule.observe(log(5));
  schedule.observe(log(6));
  expect(warnings).toEqual([expect.stringContaining("the log ends at offset 5")]);
});
