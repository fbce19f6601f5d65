import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { count, distinct, sum } from "../../../jobs/measures/index.ts";
import { mostKeyBytes } from "../../../jobs/views/admission.ts";
import { keyText } from "../../../jobs/views/aggregate.ts";
import { view } from "../../../jobs/views/view.ts";

interface Hit {
  readonly time: string;
  readonly url: string;
  readonly site: string;
}

const hits = view<Hit>({
  name: "hits",
  time: (hit) => hit.time,
  granularity: "hour",
  key: { site: (hit) => hit.site, url: (hit) => hit.url },
  measures: { hits: count() },
});
const hit: Hit = { time: "2026-03-01T06:00:00Z", site: "s", url: "/" };

describe("a key", () => {
  it("of as many bytes as every store keeps fits, and one of more does not, with its length, field and the bound", () => {
    const rest = Buffer.byteLength(keyText(["s", ""]));
    expect(hits.problem({ ...hit, url: "x".repeat(mostKeyBytes - rest) })).toBeUndefined();
    expect(hits.problem({ ...hit, url: "x".repeat(mostKeyBytes - rest + 1) })).toBe(
      "key of 32001 bytes, most of them in field url: at most 32000 fit every store",
    );
    expect(hits.problem({ ...hit, url: "/a?".padEnd(66_000, "x") })).toMatch(/^key of 66008 bytes/);
  });

  it("is measured in the bytes that are stored, whatever its characters", () => {
    const url = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\u0000", '"', "\u20ac", "\ud83d\ude00", "x"));
    fc.assert(
      fc.property(url, fc.integer({ min: 1, max: 12_000 }), (text, times) => {
        const long = text.repeat(times).slice(0, 40_000);
        const key = [hit.site, long.isWellFormed() ? long : ""];
        const fits = Buffer.byteLength(keyText(key)) <= mostKeyBytes;
        expect(hits.problem({ ...hit, url: key[1] as string }) === undefined).toBe(fits);
      }),
    );
  });

  it("leaves room for what Cassandra and HBase keep beside it, and can be asked for", () => {
    // Shard, separator and time step of a row key of HBase.
    expect(mostKeyBytes + 2 + 1 + 16).toBeLessThanOrEqual(32_767);
    expect(mostKeyBytes).toBeLessThan(65_535);
  });

  it("of control characters fits: every store and format escapes them or takes them", () => {
    expect(hits.problem({ ...hit, url: "\u0000\t\r\n\u001f\u007f\u2028" })).toBeUndefined();
    expect(keyText(["\t\n\u0000"])).toBe('["\\t\\n\\u0000"]');
  });
});

test("whatever an event holds, the reason why it does not fit is short, and quotes nothing of the wrong kind", () => {
  const long = "0".repeat(985_000);
  const quoting = view<Hit>({
    name: "quoting",
    time: (one) => one.time,
    granularity: "day",
    key: {
      url: (one) => {
        if (one.url === "throws") throw new Error(long);
        return one.url;
      },
    },
    measures: {
      units: sum((one) => one.site as unknown as number),
      texts: distinct((one) => (one.site === "1" ? (BigInt(`1${long}`) as unknown as string) : "")),
    },
  });
  const events: unknown[] = [
    { ...hit, time: `0000-01-01T00:00:00.${long}Z` },
    { ...hit, time: { toString: () => long } },
    { ...hit, time: Object.create(null) },
    { ...hit, time: Symbol(long) },
    { ...hit, url: long },
    { ...hit, url: [long] },
    { ...hit, url: "throws" },
    { ...hit, site: long },
    { ...hit, site: `\n${"\u0000".repeat(1_000)}` },
    { ...hit, site: { deep: long } },
    null,
  ];
  for (const event of events) {
    const problem = quoting.problem(event as Hit);
    expect(problem, String(event)).toEqual(expect.any(String));
    expect(Buffer.byteLength(problem as string)).toBeLessThan(1_100);
    expect(problem).not.toContain("\n");
  }
  expect(quoting.problem(events[0] as Hit)).toMatch(
    /^time "0000-01-01T00:00:00\.0+"… \(985021 characters\) is no ISO 8601/,
  );
});

describe("a view", () => {
  const args = {
    name: "wide",
    time: (one: Hit) => one.time,
    granularity: "day",
    key: { url: (one: Hit) => one.url },
  } as const;
  const many = (length: number, of: (index: number) => object) =>
    Object.fromEntries(Array.from({ length }, (_, index) => [`m${index}`, of(index)]));

  it("whose rows take more than every store keeps is refused when it is defined", () => {
    const sketches = (length: number) =>
      many(length, () => distinct((one: Hit) => one.url, { precision: 16 })) as never;
    expect(() => view({ ...args, measures: sketches(15) })).not.toThrow();
    expect(() => view({ ...args, measures: sketches(16) })).toThrow(
      "measures must take at most 1048576 bytes a row; they take up to 1048704",
    );
  });

  it("has so many key fields and measures, of so long names, at most", () => {
    const fields = many(33, () => (one: Hit) => one.url) as never;
    expect(() => view({ ...args, key: fields, measures: { hits: count() } })).toThrow(
      "key must have at most 32 fields",
    );
    expect(() => view({ ...args, measures: many(101, () => count()) as never })).toThrow(
      "measures must be at most 100",
    );
    expect(() => view({ ...args, measures: { ["x".repeat(65)]: count() } })).toThrow(
      "xxx… must have at most 64 characters",
    );
  });
});
