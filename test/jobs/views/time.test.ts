import fc from "fast-check";
import { expect, test } from "vitest";
import { millisecondsOf } from "../../../jobs/views/time.ts";

const digits = (count: number, most: number) =>
  fc.integer({ min: 0, max: most }).map((number) => String(number).padStart(count, "0"));

/** Times, most of them right and many of one day, with mistakes of every kind among them. */
const times = fc
  .record({
    year: fc.constantFrom("2026", "2024", "2023", "0001", "0000", "9999", "10000"),
    month: digits(2, 13),
    day: digits(2, 32),
    hour: digits(2, 25),
    minute: digits(2, 61),
    second: digits(2, 61),
    fraction: fc.constantFrom("", ".0", ".123", ".9999", ".1x3", ",123", ".+12", "."),
    zone: fc.constantFrom("Z", "Z", "Z", "", "z", "+02:00", "-11:30", "+23:59", "+02:0", "+0200", "Z0"),
    between: fc.constantFrom("T", "T", "T", " ", "t"),
  })
  .map(
    ({ year, month, day, hour, minute, second, fraction, zone, between }) =>
      `${year}-${month}-${day}${between}${hour}:${minute}:${second}${fraction}${zone}`,
  );

test("a text means what Date.parse makes of it, if it has a zone, a day that exists and a year that every machine knows", () => {
  const zoned = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;
  // A day that does not exist is another one's after it was calculated with.
  const exists = (text: string) => new Date(text.slice(0, 10)).toJSON()?.slice(0, 10) === text.slice(0, 10);
  const expected = (text: string) => {
    const milliseconds = zoned.test(text) && exists(text) ? Date.parse(text) : Number.NaN;
    const isKept = milliseconds >= Date.parse("0001-01-01") && milliseconds <= Date.parse("9999-12-31T23:59:59.999Z");
    return isKept ? milliseconds : Number.NaN;
  };
  fc.assert(
    fc.property(fc.array(times, { maxLength: 20 }), fc.array(fc.string()), (some, others) => {
      // One after the other, since a day is remembered.
      for (const text of [...some, ...others, ...some]) expect(millisecondsOf(text)).toBe(expected(text));
    }),
    { numRuns: 2_000 },
  );
  for (const text of ["2026-01-01", "2026-01-01T24:00:00Z", "2026-01-01T12:30Z", ""])
    expect(millisecondsOf(text)).toBe(expected(text));
});

test("a day that does not exist is no time, and is not shifted to another one", () => {
  for (const day of [
    "2026-02-29",
    "2026-02-30",
    "2026-02-31",
    "2026-04-31",
    "2026-06-31",
    "1900-02-29",
    "2026-00-10",
    "2026-01-00",
  ])
    for (const text of [day, `${day}T00:00Z`, `${day}T08:00:00Z`, `${day}T08:00:00.5+02:00`])
      expect(millisecondsOf(text), text).toBeNaN();
  expect(millisecondsOf("2024-02-29T12:00:00Z")).toBe(Date.UTC(2024, 1, 29, 12));
  expect(millisecondsOf("2000-02-29")).toBe(Date.UTC(2000, 1, 29));
});

test("24:00 is the next day's beginning; a leap second, and any later time of hour 24, is none", () => {
  expect(millisecondsOf("2026-02-28T24:00:00Z")).toBe(Date.UTC(2026, 2, 1));
  expect(millisecondsOf("2026-02-28T24:00:00.000Z")).toBe(Date.UTC(2026, 2, 1));
  for (const text of [
    "2016-12-31T23:59:60Z",
    "2026-02-28T24:00:01Z",
    "2026-02-28T24:00:00.0001Z",
    "2026-02-28T25:00:00Z",
  ])
    expect(millisecondsOf(text), text).toBeNaN();
});

test("a text with more digits than any clock has is no time, however long it is", () => {
  expect(millisecondsOf(`2026-01-01T00:00:00.${"1".repeat(9)}Z`)).toBe(Date.UTC(2026, 0, 1) + 111);
  expect(millisecondsOf(`2026-01-01T00:00:00.${"0".repeat(985_000)}Z`)).toBeNaN();
});

test("numbers and dates are times too", () => {
  expect(millisecondsOf(1_000.7)).toBe(1_000);
  expect(millisecondsOf(new Date(5))).toBe(5);
  expect(millisecondsOf(Number.NaN)).toBeNaN();
  expect(millisecondsOf(new Date("x"))).toBeNaN();
  expect(millisecondsOf(Number.MAX_SAFE_INTEGER)).toBeNaN();
});
