import { readdirSync, readFileSync } from "node:fs";
import { build } from "esbuild";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { decodeEvent } from "../../../jobs/events/decode.ts";
import { count, distinct, mean, min, sum } from "../../../jobs/measures/index.ts";
import { placeOf, timeOf } from "../../../jobs/oracle/definition.ts";
import { eventOf } from "../../../jobs/oracle/event.ts";
import { Oracle } from "../../../jobs/oracle/oracle.ts";
import { answerOf, mergeToSteps, Ranking, withTotal } from "../../../jobs/serving/merge.ts";
import { Aggregate, keyText } from "../../../jobs/views/aggregate.ts";
import { millisecondsOf } from "../../../jobs/views/time.ts";
import { view } from "../../../jobs/views/view.ts";

const folder = new URL("../../../jobs/oracle/", import.meta.url);

test("the oracle shares no code with any layer: of the jobs it loads nothing but itself", async () => {
  const { metafile } = await build({
    entryPoints: readdirSync(folder).map((name) => new URL(name, folder).pathname),
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outdir: "unused",
    absWorkingDir: new URL("../../../", import.meta.url).pathname,
  });
  expect(Object.keys(metafile.inputs).sort()).toEqual(
    readdirSync(folder)
      .map((name) => `jobs/oracle/${name}`)
      .sort(),
  );
  // Types it has of what a person writes alone.
  for (const name of readdirSync(folder)) {
    const text = readFileSync(new URL(name, folder), "utf8");
    const others = [...text.matchAll(/^(import.*?|\} )from "\.\.\/(.*)";$/gm)].map(([line]) => line);
    for (const line of others) expect(line).toMatch(/^import type .* from "\.\.\/(application|views\/view)\.ts";$/);
  }
});

const event = z.object({
  time: z.union([z.string(), z.number()]),
  site: z.string(),
  page: z.string(),
  amount: z.number(),
  more: z.unknown(),
});
type Event = z.infer<typeof event>;

const visits = view<Event>({
  name: "visits",
  time: (visit) => visit.time,
  granularity: "minute",
  key: { site: (visit) => visit.site, page: (visit) => visit.page },
  measures: {
    visits: count(),
    amount: sum((visit) => visit.amount, { scale: 2 }),
    mean: mean((visit) => visit.amount, { scale: 2 }),
    least: min((visit) => visit.amount),
    amounts: distinct((visit) => String(visit.amount)),
  },
});

const digits = (length: number, most: number) =>
  fc.integer({ min: 0, max: most }).map((number) => String(number).padStart(length, "0"));
const time = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("2026", "2024", "1900", "0001", "9999", "0000"),
      digits(2, 13),
      digits(2, 32),
      digits(2, 25),
      digits(2, 61),
      fc.constantFrom(":00", ":59", ":60", "", ":30.5", ":30.1239", ":00.000", ":1"),
      fc.constantFrom("Z", "+02:00", "-23:59", "+24:00", "", "+0200"),
    )
    .map(([year, month, day, hour, minute, rest, zone]) => `${year}-${month}-${day}T${hour}:${minute}${rest}${zone}`),
  fc.constantFrom(
    "2026-02-28T24:00:00Z",
    "2026-02-30",
    "2024-02-29",
    `2026-01-01T00:00:00.${"0".repeat(100)}Z`,
    "today",
  ),
  fc.double(),
  fc.integer({ min: -1e14, max: 1e14 }),
);

test("the oracle reads times as the layers do, by other code", () => {
  fc.assert(
    fc.property(time, (one) => {
      const milliseconds = millisecondsOf(one);
      expect(timeOf(one)).toBe(Number.isNaN(milliseconds) ? undefined : milliseconds);
    }),
    { numRuns: 3_000 },
  );
});

test("the oracle takes the records for events that the layers take, by other code", () => {
  const number = fc.constantFrom(
    "1",
    "-0",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740992",
    "1e400",
    "1e20",
    "0.5",
    "12345678901234567890",
  );
  const record = fc
    .record({
      number,
      other: number,
      mark: fc.boolean(),
      depth: fc.constantFrom(0, 1, 98, 99, 100, 2_000),
      known: fc.boolean(),
      size: fc.nat(40),
    })
    .map(({ number, other, mark, depth, known, size }) => {
      const more = `${"[".repeat(depth)}${depth === 0 ? "1" : ""}${"]".repeat(depth)}`;
      const text = `{"time":1,"site":"a","page":"b","amount":${number},"${known ? "more" : "unknown"}":${more},"x":{"y":[${other}]}}`;
      return Buffer.from((mark ? "\ufeff" : "") + text + " ".repeat(size));
    });
  const bytes = fc.oneof(
    { weight: 3, arbitrary: record },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 10 }).map((some) => Buffer.from(some)) },
  );
  for (const application of [{ event }, { event: z.unknown() as z.ZodType<unknown> as never }])
    fc.assert(
      fc.property(fc.oneof(bytes, fc.constant(null)), (value) => {
        expect(eventOf(application, value, 4_150)).toEqual(decodeEvent(application, value, 4_150).event);
      }),
      { numRuns: 500 },
    );
});

test("the oracle leaves out of a view what the layers leave out, and ranks and adds up as they do, by other code", () => {
  const one = fc.record({
    time: fc.oneof(
      { weight: 5, arbitrary: fc.integer({ min: 0, max: 40 }).map((minutes) => minutes * 40_000) },
      { weight: 1, arbitrary: time },
    ),
    site: fc.constantFrom("a", "b", "\uff5e", "\ud83d\ude00", "\ud800", "x".repeat(31_990)),
    page: fc.constantFrom("", '"', "\u0000", "\t"),
    amount: fc.oneof(
      fc.constantFrom(0.125, -0.125, 1.115, -1.115, 1e15, Number.NaN, 0),
      fc.integer({ min: -5, max: 5 }),
    ),
    more: fc.constant(undefined),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 60 }), fc.nat(10), (events, limit) => {
      const oracle = new Oracle(visits);
      const aggregate = new Aggregate(visits);
      events.forEach((each, offset) => {
        oracle.add({ partition: 0, offset, event: each });
        aggregate.add(each);
        const place = visits.place(each);
        expect(placeOf(visits.definition, each)).toEqual(typeof place === "string" ? undefined : place);
      });
      const rows = [...aggregate.rows()];
      const span = { end: { 0: events.length } };
      for (const key of oracle.keys)
        for (const granularity of ["minute", "hour", "day", "all"] as const) {
          const own = rows.filter((row) => keyText(row.key) === keyText(key));
          const answer = answerOf(visits, withTotal(visits, mergeToSteps(visits, own, granularity)));
          expect(oracle.key(key, span, {}, granularity)).toEqual(answer);
        }
      for (const [index, name] of Object.keys(visits.measures).entries()) {
        const ranking = new Ranking(visits.measures[name] as never);
        for (const { key, states } of rows) ranking.add(keyText(key), structuredCloneOf(states, index));
        expect(oracle.top(name, limit, span, {})).toEqual(ranking.top(limit));
      }
    }),
    { numRuns: 60 },
  );
});

/** A state of its own: a ranking changes it. */
function structuredCloneOf(states: readonly unknown[], index: number): unknown {
  return visits.decode(visits.encode(states))[index];
}

test("equal values are ranked in the order of the keys' JSON by UTF-16 unit, whatever layer ranks them", () => {
  const oracle = new Oracle(visits);
  ["b", "a", "\uff5e", "\ud83d\ude00", "c"].forEach((site, offset) => {
    oracle.add({ partition: 0, offset, event: { time: 0, site, page: "", amount: 1, more: undefined } });
  });
  const keys = oracle.top("visits", 10, { end: { 0: 9 } }, {}).map(({ key }) => key[0]);
  expect(keys).toEqual(["a", "b", "c", "\ud83d\ude00", "\uff5e"]);
});
