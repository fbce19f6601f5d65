import { expect, test } from "vitest";
import { deadLetter } from "../../../jobs/archive/dead-letter.ts";
import { deadLettersOf, readOffsetsOf } from "../../../jobs/sources/dead-letters.ts";

const configuration = { topic: "edits", deadLetterTopic: "edits-dead-letters" };
/** Of partition 0: a letter of an earlier play, then letters of offsets 10 to 12 and of another topic. */
const letters = [
  deadLetter({ topic: "edits", partition: 0, incarnation: 1 }, { offset: 3, value: Buffer.from("old") }, "not JSON"),
  deadLetter({ topic: "edits", partition: 0, incarnation: 1 }, { offset: 10, value: Buffer.from("x") }, "not JSON"),
  deadLetter(
    { topic: "edits", partition: 0, incarnation: 1 },
    { offset: 12, value: Buffer.from("{}") },
    "time: missing",
  ),
  deadLetter(
    { topic: "other", partition: 0, incarnation: 1 },
    { offset: 11, value: Buffer.from("{}") },
    "another topic's",
  ),
  deadLetter(
    { topic: "edits", partition: 0, incarnation: 1 },
    { offset: 90, value: Buffer.from("{}") },
    "another play's",
  ),
];
const reader = {
  watermarks: async () => ({ 0: { earliest: 0, latest: letters.length }, 1: { earliest: 0, latest: 0 } }),
  fetch: async (_topic: string, _partition: number, start: number) => ({
    records: letters.slice(start, start + 2).map((letter, index) => ({
      offset: start + index,
      key: null,
      value: Buffer.from(JSON.stringify(letter)),
    })),
    next: start + 2,
    latest: letters.length,
  }),
};
const played = [
  { partition: 0, offset: 10, events: 3, places: [1, 2, 5] },
  { partition: 1, offset: 0, events: 1, places: 4 },
];
const args = { reader: reader as never, configuration, from: { 0: 1, 1: 0 }, played };

test("the dead letters of a play are told by its lines, those of other plays and topics are not", async () => {
  let asked = 0;
  const readOffsets = async (): Promise<Record<string, number>> => (++asked < 2 ? { 0: 13 } : { 0: 13, 1: 1 });
  expect(await deadLettersOf({ ...args, readOffsets })).toEqual({
    letters: 2,
    first: [
      { place: 1, reason: "not JSON" },
      { place: 5, reason: "time: missing" },
    ],
  });
});

test("where the archiver does not get there or does not answer, it is said that there may be more", async () => {
  expect(await deadLettersOf({ ...args, seconds: 0, readOffsets: async () => ({ 0: 12 }) })).toMatchObject({
    letters: 2,
    unknown: "the archiver has not read them all after 0 s",
  });
  const readOffsets = () => Promise.reject(new Error("no route"));
  expect(await deadLettersOf({ ...args, seconds: 0, readOffsets })).toMatchObject({
    unknown: expect.stringContaining("no route"),
  });
});

test("the archiver's progress is read from its metrics", () => {
  const metrics = [
    "# TYPE archive_read_offset gauge",
    'archive_read_offset{partition="0"} 5000',
    'archive_read_offset{partition="12"} 17',
    'archive_end_offset{partition="1"} 9',
  ].join("\n");
  expect(readOffsetsOf(metrics)).toEqual({ 0: 5000, 12: 17 });
});
