import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import * as z from "zod";
import { decodeEvent, oneLine } from "../../../jobs/events/decode.ts";

const application = { event: z.object({ name: z.string().min(1), size: z.int() }) };
const decode = (value: string | Buffer | null) =>
  decodeEvent(application, typeof value === "string" ? Buffer.from(value) : value, 100);

describe("decodeEvent", () => {
  it("gives what fits the schema, without fields that it does not know", () => {
    expect(decode('{"name":"ü","size":3,"more":true}')).toEqual({ event: { name: "ü", size: 3 } });
  });

  it.each([
    [null, "there is no value"],
    ["", /^not JSON: /],
    ['{"name":"x","size":3', /^not JSON: /],
    ['"text"', "Invalid input: expected object, received string"],
    ['{"name":"","size":1.5}', /^name: Too small.*; size: .*expected int/],
    ['{"size":3}', "name: Invalid input: expected string, received undefined"],
    [Buffer.from([0x22, 0xff, 0x22]), "not UTF-8"],
    [`{"name":"${"x".repeat(100)}","size":3}`, "larger than 100 bytes: 120"],
  ])("says why %s is none", (value, reason) => {
    const decoded = decode(value);
    expect(decoded.event).toBeUndefined();
    expect(decoded.reason).toMatch(reason);
  });

  it("never throws, whatever the bytes and the schema", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expect(decode(Buffer.from(bytes)).reason).toEqual(expect.any(String));
      }),
    );
    const throwing = {
      event: z.unknown().refine(() => {
        throw new Error("a mistake");
      }),
    };
    expect(decodeEvent(throwing, Buffer.from("1"), 10).reason).toBe("the schema failed: a mistake");
    expect(decodeEvent({ event: z.unknown() }, Buffer.from(`${"[".repeat(50_000)}`), 100_000).reason).toMatch(/JSON/);
  });

  it("keeps a reason short, whatever the schema finds fault with", () => {
    const many = { event: z.array(z.string()) };
    const reason = decodeEvent(many, Buffer.from(JSON.stringify(Array(500).fill(1))), 10_000).reason;
    expect(reason?.split("; ")).toHaveLength(10);
    const long = "x".repeat(500_000);
    const strict = { event: z.strictObject({ a: z.record(z.string(), z.string()).optional() }) };
    for (const value of [
      { [long]: 1 },
      { a: { [long]: 1 } },
      Object.fromEntries(Array.from({ length: 500 }, (_, key) => [`${long}${key}`.slice(-9_000), 1])),
    ])
      expect(decodeEvent(strict, Buffer.from(JSON.stringify(value)), 10_000_000).reason?.length).toBeLessThan(1_010);
    const quoting = { event: z.string().refine((text) => text === "", { error: (issue) => `it is ${issue.input}` }) };
    expect(decodeEvent(quoting, Buffer.from(JSON.stringify(long)), 1_000_000).reason?.length).toBeLessThan(1_010);
  });

  it("ignores a byte order mark before the JSON, and takes it for nothing else", () => {
    expect(decode('\ufeff{"name":"x","size":3}')).toEqual({ event: { name: "x", size: 3 } });
    expect(decode('{"name":"\ufeffx","size":3}')).toEqual({ event: { name: "\ufeffx", size: 3 } });
    expect(decode('\ufeff\ufeff{"name":"x","size":3}').reason).toMatch(/^not JSON: /);
  });
});

describe("numbers that JSON rounds", () => {
  const posts = { event: z.object({ id: z.number(), by: z.object({ id: z.number() }).optional() }) };
  const reasonOf = (text: string) => decodeEvent(posts, Buffer.from(text), 10_000).reason;

  it.each([
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "1461225923504726020",
    "9223372036854775807",
    `1${"0".repeat(300)}`,
  ])("a whole number past 2^53 is no event, and its field and the range are named: %s", (id) => {
    expect(reasonOf(`{"id":${id}}`)).toMatch(/^id: -?\d+.* is past ±9007199254740991.*write it as a text$/);
    expect(reasonOf(`{"id":1,"by":{"id":${id}}}`)).toMatch(/^by\.id: -?\d+.* is past ±9007199254740991/);
  });

  it.each([
    "42",
    "9007199254740991",
    "-9007199254740991",
    "1e20",
    "1.5e300",
    "6.02214076e23",
    "10.0E20",
    "9007199254740994.0",
    "0.1234567890123456789",
    "-0",
    "1.00000000000000000000",
  ])("other numbers are events: %s", (id) => expect(reasonOf(`{"id":${id}}`)).toBeUndefined());

  it.each(["9007199254740993.0", "9007199254740993e0", "90071992547409.93e2", "-12345678901234567.5"])(
    "a number of that size with a fraction or an exponent is no event if it is read as another one: %s",
    (id) => expect(reasonOf(`{"id":${id}}`)).toMatch(/^id: -?\d+.* is past ±9007199254740991/),
  );

  it("a number that is none any more is no event, whatever the schema", () => {
    const anything = { event: z.unknown() };
    expect(decodeEvent(anything, Buffer.from('{"a":[1e400]}'), 100).reason).toMatch(/^a\.0: 1e400 is past/);
    expect(decodeEvent(anything, Buffer.from("12345678901234567890"), 100).reason).toMatch(/^the event: 1234/);
    expect(reasonOf('{"id":1e400}')).toMatch(/^id: /);
  });

  it("texts stay as they are, and what the schema leaves out does not matter", () => {
    expect(reasonOf('{"id":1,"id_str":"1461225923504726021"}')).toBeUndefined();
    expect(reasonOf('{"id":1,"other":1461225923504726021,"more":[{"x":9007199254740993}]}')).toBeUndefined();
    const loose = { event: z.looseObject({ id: z.number() }) };
    expect(decodeEvent(loose, Buffer.from('{"id":1,"other":1461225923504726021}'), 100).reason).toMatch(/^other: /);
    const texts = { event: z.object({ id: z.number().transform(String) }) };
    expect(decodeEvent(texts, Buffer.from('{"id":9007199254740993}'), 100).reason).toMatch(/^id: /);
  });
});

test("an event is nested a hundred deep at most, for every layer alike", () => {
  const json: z.ZodType = z.lazy(() => z.union([z.array(json), z.record(z.string(), json), z.number()]));
  const recursive = { event: json };
  const list = (depth: number) => Buffer.from(`${"[".repeat(depth)}1${"]".repeat(depth)}`);
  const object = (depth: number) => Buffer.from(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
  for (const nested of [list, object]) {
    expect(decodeEvent(recursive, nested(100), 1_000_000).reason).toBeUndefined();
    expect(decodeEvent(recursive, nested(101), 1_000_000).reason).toBe("nested deeper than 100 lists and objects");
    expect(decodeEvent({ event: z.unknown() }, nested(100_000), 1_000_000).reason).toMatch(/^nested deeper/);
  }
});

test("a key named __proto__ is a field like another", () => {
  const loose = { event: z.looseObject({ id: z.number() }) };
  const { event } = decodeEvent(loose, Buffer.from('{"__proto__":{"polluted":true},"id":1}'), 100);
  expect((event as { polluted?: boolean } | undefined)?.polluted).toBeUndefined();
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

describe("oneLine", () => {
  it("leaves a line as it is", () => {
    const value = Buffer.from('{"a":"b"}');
    expect(oneLine(value)).toBe(value);
  });

  it("leaves out a byte order mark, which Hadoop would leave out where a file begins with it, and nowhere else", () => {
    expect(oneLine(Buffer.from('\ufeff{"a":"\ufeff"}')).toString()).toBe('{"a":"\ufeff"}');
    expect(oneLine(Buffer.from('\ufeff{\n"a":1}')).toString()).toBe('{ "a":1}');
  });

  it("gives any JSON as one line that means the same", () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: 0, max: 4 }), (json, indent) => {
        const pretty = Buffer.from(JSON.stringify(JSON.parse(json), undefined, indent).replaceAll("\n", "\r\n"));
        const line = oneLine(pretty);
        expect(line.toString()).not.toMatch(/[\r\n]/);
        expect(JSON.parse(line.toString())).toEqual(JSON.parse(json));
      }),
    );
  });
});
