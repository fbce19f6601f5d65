import { expect, test } from "vitest";
import { ChunkSchedule } from "../../../jobs/speed/chunk-schedule.ts";
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

test("goes on at a chunk's edge, and says so, if retention was faster", () => {
  const warnings: string[] = [];
  const schedule = new ChunkSchedule({ ...options, warn: (message) => warnings.push(message) });
  schedule.observe(log(20));
  for (const descriptor of schedule.take(0)) schedule.fail(descriptorId(descriptor), 0);
  schedule.observe(log(50, 34));
  expect(warnings).toEqual([expect.stringContaining("deleted events from offset 20")]);
  expect(schedule.take(10_000)).toEqual([stretch(4, 50)]);
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
