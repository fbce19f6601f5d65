import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { application } from "../../../jobs/application.ts";
import type { AnyView } from "../../../jobs/batch/columns.ts";
import { Mapper } from "../../../jobs/batch/map.ts";
import { RecordFormat, recordLine } from "../../../jobs/batch/records.ts";
import { Reducer } from "../../../jobs/batch/reduce.ts";
import { splitLines } from "../../../jobs/lines.ts";
import { count, distinct, max, mean, min, sum } from "../../../jobs/measures/index.ts";
import { Aggregate, type Row } from "../../../jobs/views/aggregate.ts";
import { view } from "../../../jobs/views/view.ts";

const event = z.object({ time: z.int(), shop: z.string(), item: z.string(), amount: z.number() });
type Sale = z.infer<typeof event>;

const byShop = view<Sale>({
  name: "by-shop",
  time: (sale) => sale.time,
  granularity: "minute",
  key: { shop: (sale) => sale.shop },
  measures: {
    sales: count(),
    sold: sum((sale) => sale.amount),
    least: min((sale) => sale.amount),
    most: max((sale) => sale.amount),
    average: mean((sale) => sale.amount),
    items: distinct((sale) => sale.item),
  },
});
const byItem = view<Sale>({
  name: "by-item",
  time: (sale) => sale.time,
  granularity: "day",
  key: { shop: (sale) => sale.shop, item: (sale) => sale.item },
  measures: { sales: count() },
});
const shops = application({ event, views: [byShop, byItem] });

const text = fc.oneof(fc.constantFrom("a", "b", "a b"), fc.string({ unit: "binary" }));
const sale: fc.Arbitrary<Sale> = fc.record({
  time: fc.integer({ min: -200_000, max: 200_000 }),
  shop: text,
  item: text,
  amount: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -1000, max: 1000 }) }, fc.constant(0.5)),
});

/** What Hadoop does between mappers and reducers: sorts by the key's bytes. */
function shuffle(records: readonly string[]): string[] {
  const key = (record: string) => Buffer.from(record.slice(0, record.indexOf("\t")));
  return [...records].sort((a, b) => Buffer.compare(key(a), key(b)));
}

test("a mapper gives its rows out before long keys take its memory", () => {
  const mapper = new Mapper(shops);
  let given = 0;
  let added = 0;
  for (; given === 0; added++) {
    const shop = `${added}`.padEnd(31_000, "x");
    given = mapper.add(lineOf({ time: 0, shop, item: "", amount: 1 })).length;
  }
  // Of both views, some 8 MiB of keys each.
  expect(given).toBe(2 * added);
  expect(added * 31_000).toBeLessThan(10 * 1024 * 1024);
});

const lineOf = (value: unknown) => Buffer.from(JSON.stringify(value));

function map(events: readonly Sale[], mostRows?: number) {
  const mapper = new Mapper(shops, mostRows);
  const records = events.flatMap((one) => mapper.add(lineOf(one)));
  return { records: [...records, ...mapper.flush()], counts: mapper.counts };
}

function reduce(records: readonly string[]) {
  const reducer = new Reducer(shops);
  const lines = records.flatMap((record) => reducer.add(Buffer.from(record)));
  return { lines: [...lines, ...reducer.flush()], counts: reducer.counts };
}

/** The line of a row as JSON makes it. */
function lineOfRow(view: AnyView, { bucket, key, states }: Row): string {
  const fields = view.keyFields.map((field, index) => [field, key[index]]);
  const columns = view.encode(states).map((value, index) => [view.columns[index]?.name, value]);
  return JSON.stringify({ view: view.name, __time: bucket, ...Object.fromEntries([...fields, ...columns]) });
}

/** The same in memory: the oracle. */
function inMemory(events: readonly Sale[]) {
  const aggregates = shops.views.map((one) => new Aggregate(one));
  for (const one of events) for (const aggregate of aggregates) aggregate.add(one);
  return {
    lines: aggregates.flatMap((aggregate) => [...aggregate.rows()].map((row) => lineOfRow(aggregate.view, row))),
    skipped: Object.fromEntries(aggregates.map((aggregate) => [aggregate.view.name, aggregate.skipped])),
    output: Object.fromEntries(aggregates.map((aggregate) => [aggregate.view.name, aggregate.size])),
  };
}

test("any split over mappers, flushed at any size, gives what one pass in memory gives", () => {
  fc.assert(
    fc.property(fc.array(fc.array(sale), { maxLength: 4 }), fc.integer({ min: 1, max: 20 }), (splits, mostRows) => {
      const mapped = splits.map((events) => map(events, mostRows));
      const reduced = reduce(shuffle(mapped.flatMap(({ records }) => records)));
      const expected = inMemory(splits.flat());
      expect([...reduced.lines].sort()).toEqual([...expected.lines].sort());
      expect(reduced.counts.output).toEqual(expected.output);
      for (const name of ["by-shop", "by-item"])
        expect(mapped.reduce((total, { counts }) => total + (counts.skipped[name] as number), 0)).toBe(
          expected.skipped[name],
        );
    }),
    { numRuns: 60 },
  );
});

test("a record is one line with one tab, and comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(sale, { minLength: 1 }), (events) => {
      const format = new RecordFormat(byShop);
      const aggregate = new Aggregate(byShop);
      for (const one of events) aggregate.add(one);
      for (const row of aggregate.rows()) {
        const record = format.record(row);
        expect(record.match(/[\n\r\t]/g)).toEqual(["\t"]);
        const value = record.slice(record.indexOf("\t") + 1);
        expect(format.value(format.states(value))).toBe(value);
        expect(recordLine(record)).toBe(lineOfRow(byShop, row));
      }
    }),
    { numRuns: 60 },
  );
});

test("a line of output names the view, the time, the key and the columns", () => {
  const { lines } = inMemory([{ time: 60_001, shop: "north", item: "tea", amount: 3 }]);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      view: "by-shop",
      __time: 60_000,
      shop: "north",
      sales: 1,
      sold: 3,
      least: 3,
      most: 3,
      average_total: 3,
      average_count: 1,
      items: expect.any(String),
    },
    { view: "by-item", __time: 0, shop: "north", item: "tea", sales: 1 },
  ]);
});

describe("lines that are no event", () => {
  test("are counted and left out", () => {
    const mapper = new Mapper(shops);
    const good = { time: 0, shop: "north", item: "tea", amount: 1 };
    for (const line of [lineOf(good), Buffer.from("{"), lineOf({ ...good, time: "never" }), Buffer.alloc(0)])
      expect(mapper.add(line)).toEqual([]);
    expect(mapper.counts).toMatchObject({
      content: { events: 4 },
      invalid: 3,
      skipped: { "by-shop": 0, "by-item": 0 },
    });
    expect(mapper.flush()).toHaveLength(2);
  });

  test("an event with a problem in one view is left out of that view alone", () => {
    const { records, counts } = map([{ time: 0, shop: "north", item: "tea", amount: 0.5 }]);
    expect(counts).toMatchObject({
      content: { events: 1, bytes: 52 },
      invalid: 0,
      skipped: { "by-shop": 1, "by-item": 0 },
    });
    expect(records).toHaveLength(1);
  });
});

test("a reducer refuses what is no record of its views", () => {
  expect(() => reduce(["no tab"])).toThrow("record without a tab: no tab");
  expect(() => reduce(['{"view":"other","__time":0\t,"sales":1}'])).toThrow("record of an unknown view");
});

test("input is cut at line feeds only, wherever its pieces end", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary" }).filter((line) => line !== "" && !line.includes("\n"))),
      fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
      fc.boolean(),
      async (lines, sizes, ended) => {
        const bytes = Buffer.from(lines.join("\n") + (ended && lines.length > 0 ? "\n" : ""));
        async function* pieces() {
          for (let start = 0; start < bytes.length; ) {
            const size = sizes.next().value as number;
            yield bytes.subarray(start, start + size);
            start += size;
          }
        }
        const found: string[] = [];
        for await (const some of splitLines(pieces())) found.push(...some.map((line) => line.toString()));
        expect(found).toEqual(lines.map((line) => Buffer.from(line).toString()));
      },
    ),
    { numRuns: 60 },
  );
  const separators = JSON.stringify({ text: "\u2028\u2029\r" });
  async function* one() {
    yield Buffer.from(`${separators}\n\n${separators}`);
  }
  const found: string[][] = [];
  for await (const some of splitLines(one())) found.push(some.map((line) => line.toString()));
  expect(found).toEqual([[separators, ""], [separators]]);
});
