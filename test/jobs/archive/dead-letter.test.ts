import fc from "fast-check";
import { expect, test } from "vitest";
import {
  deadLetter,
  deadLetterSchema,
  longestValue,
  mostLetterBytes,
  parseDeadLetter,
  shortLetter,
} from "../../../jobs/archive/dead-letter.ts";

const letterOf = (value: Buffer, reason = "why") =>
  deadLetter({ topic: "t".repeat(249), partition: 7, incarnation: 1 }, { offset: 2 ** 52, value }, reason);
const bytesOf = (letter: object) => Buffer.byteLength(JSON.stringify(letter));

test("a dead letter fits its topic, whatever the value's bytes and the reason are", () => {
  const long = "\u0000".repeat(985_000);
  const worst = [
    Buffer.from(long),
    Buffer.alloc(1_000_000, 0xff),
    Buffer.from("\u20ac".repeat(300_000)),
    Buffer.from('"\\'.repeat(400_000)),
  ];
  for (const value of worst)
    for (const reason of ["why", long, "\u20ac".repeat(10_000)]) {
      const letter = letterOf(value, reason);
      expect(bytesOf(letter)).toBeLessThanOrEqual(mostLetterBytes);
      expect(letter.bytes).toBe(value.length);
      expect(deadLetterSchema.parse(letter)).toEqual(letter);
    }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 20_000 }), (bytes, times) => {
      expect(bytesOf(letterOf(Buffer.concat(Array(times).fill(bytes))))).toBeLessThanOrEqual(mostLetterBytes);
    }),
  );
});

test("a value of text stays text where it is cut, without a part of a character", () => {
  const letter = letterOf(Buffer.from(`x${"\u20ac".repeat(30_000)}`));
  expect(letter.encoding).toBe("utf8");
  expect(letter.value).toBe(`x${"\u20ac".repeat(Math.floor((longestValue - 1) / 3))}`);
});

test("a letter that the topic refuses says as much as its place and why, without the value", () => {
  const short = shortLetter(letterOf(Buffer.from("{"), "not JSON".padEnd(3_000, "!")));
  expect(short).toMatchObject({ offset: 2 ** 52, value: "", bytes: 1, encoding: "utf8" });
  expect(short.reason).toMatch(/^not JSON!+… \(the value is left out: the topic refused the letter with it\)$/);
  expect(bytesOf(short)).toBeLessThan(1_000);
});

test("a letter without a format is one of the first; one of newer code is refused, and what is none is none", () => {
  const { format, ...first } = letterOf(Buffer.from("{"));
  const parse = (letter: unknown) => parseDeadLetter(Buffer.from(JSON.stringify(letter)));
  expect(format).toBe(2);
  expect(parse(first)).toEqual({ ...first, format: 1 });
  expect(parse({ ...first, format })).toEqual({ ...first, format });
  expect(() => parse({ ...first, format: 3, reason: ["another", "shape"] })).toThrow(
    "a dead letter has format 3; this code knows formats up to 2",
  );
  expect(parse({ hello: "world" })).toBeUndefined();
  expect(parseDeadLetter(Buffer.from("{"))).toBeUndefined();
  expect(parseDeadLetter(null)).toBeUndefined();
});
