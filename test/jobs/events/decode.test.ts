import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
    expect(decodeEvent(throwing, Buffer.from("1"), 10).reason).toBe("the schema failed: Error: a mistake");
    expect(decodeEvent({ event: z.unknown() }, Buffer.from(`${"[".repeat(50_000)}`), 100_000).reason).toMatch(/JSON/);
  });

  it("keeps a reason short", () => {
    const many = { event: z.array(z.string()) };
    const reason = decodeEvent(many, Buffer.from(JSON.stringify(Array(500).fill(1))), 10_000).reason;
    expect(reason).toHaveLength(1_001);
  });
});

describe("oneLine", () => {
  it("leaves a line as it is", () => {
    const value = Buffer.from('{"a":"b"}');
    expect(oneLine(value)).toBe(value);
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
