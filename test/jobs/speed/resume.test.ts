import { expect, test } from "vitest";
import { firstWholeChunk } from "../../../jobs/chunks.ts";
import { resumeChunk } from "../../../jobs/speed/resume.ts";

const size = 10;
const full = (partition: number, chunk: number) => ({ partition, chunk, end: (chunk + 1) * size });

test("begins with the log if nothing was computed", () => {
  expect(resumeChunk([], 0, 0, 0, size)).toBe(0);
});

test("goes on with the first chunk that is not full", () => {
  const progress = [full(0, 1), full(0, 0), { partition: 0, chunk: 2, end: 27 }, full(0, 3), full(1, 2)];
  expect(resumeChunk(progress, 0, 0, 0, size)).toBe(2);
  expect(resumeChunk(progress, 1, 0, 0, size)).toBe(0);
});

test("leaves out what the batch view covers, but not what comes after", () => {
  expect(resumeChunk([], 0, 40, 0, size)).toBe(4);
  expect(resumeChunk([full(0, 4)], 0, 40, 0, size)).toBe(5);
  expect(resumeChunk([full(0, 5)], 0, 40, 0, size)).toBe(4);
});

test("begins at a chunk's edge in a log that begins within a chunk", () => {
  expect(firstWholeChunk(30, size)).toBe(3);
  expect(firstWholeChunk(31, size)).toBe(4);
  expect(resumeChunk([], 0, 0, 31, size)).toBe(4);
  expect(resumeChunk([full(0, 3), full(0, 4)], 0, 30, 35, size)).toBe(5);
});
