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
    zone: fc.constantFrom("Z", "Z", "Z", "", "z", "+02:00", "-11:30"),
    between: fc.constantFrom("T", "T", "T", " ", "t"),
  })
  .map(
    ({ year, month, day, hour, minute, second, fraction, zone, between }) =>
      `${year}-${month}-${day}${between}${hour}:${minute}:${second}${fraction}${zone}`,
  );

test("a text means what Date.parse makes of it, if it has a zone and a year that every machine knows", () => {
  const zoned = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;
  const expected = (text: string) => {
    const milliseconds = zoned.test(text) ? Date.parse(text) : Number.NaN;
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
  for (const text of ["2026-01-01", "2026-01-01T24:00:00Z", "2026-01-01T12:30Z", "2026-02-30T00:00:00Z", ""])
    expect(millisecondsOf(text)).toBe(expected(text));
});

test("numbers and dates are times too", () => {
  expect(millisecondsOf(1_000.7)).toBe(1_000);
  expect(millisecondsOf(new Date(5))).toBe(5);
  expect(millisecondsOf(Number.NaN)).toBeNaN();
  expect(millisecondsOf(new Date("x"))).toBeNaN();
  expect(millisecondsOf(Number.MAX_SAFE_INTEGER)).toBeNaN();
});
