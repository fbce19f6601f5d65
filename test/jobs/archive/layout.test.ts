import { expect, it } from "vitest";
import { deadLetter } from "../../../jobs/archive/dead-letter.ts";
import { archivedRange, fileName } from "../../../jobs/archive/layout.ts";

it("a file's name is its range, sorts as offsets do, and comes back", () => {
  const ranges = [
    { start: 0, end: 5_000 },
    { start: 95_000, end: 100_000 },
    { start: 100_000, end: 105_000 },
    { start: Number.MAX_SAFE_INTEGER - 1, end: Number.MAX_SAFE_INTEGER },
  ];
  expect(fileName(ranges[1] as never)).toBe("0000000000000095000-0000000000000100000.jsonl");
  expect(ranges.map(fileName).toSorted()).toEqual(ranges.map(fileName));
  expect(ranges.map(fileName).map(archivedRange)).toEqual(ranges);
  expect(archivedRange("_SUCCESS")).toBeUndefined();
});

it("a dead letter holds any bytes, cut at 64 KiB", () => {
  const letter = (value: Buffer | null) =>
    deadLetter({ topic: "t", partition: 1, incarnation: 1 }, { offset: 7, value }, "why");
  expect(letter(Buffer.from("ü"))).toEqual({
    format: 2,
    topic: "t",
    partition: 1,
    offset: 7,
    reason: "why",
    value: "ü",
    encoding: "utf8",
    bytes: 2,
  });
  expect(letter(Buffer.from([0xff, 0]))).toMatchObject({ value: "/wA=", encoding: "base64", bytes: 2 });
  expect(letter(null)).toMatchObject({ value: null, bytes: 0 });
  const long = letter(Buffer.alloc(100_000, "x"));
  expect([long.value?.length, long.bytes]).toEqual([65_536, 100_000]);
});
