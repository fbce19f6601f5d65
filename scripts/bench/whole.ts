import { measureBatch } from "./batch.ts";
import { Feed } from "./feed.ts";
import { measureLatency } from "./latency.ts";
import { memoryBySystem } from "./memory.ts";
import type { BenchOptions } from "./options.ts";
import { measureQueries } from "./query.ts";
import type { Results, Subject } from "./results.ts";
import { logEnd, type Session } from "./session.ts";
import { warmUp, work } from "./speed.ts";
import { growthExponent, lineThrough, type Point } from "./statistics.ts";

/** The rates of the latency, in events a second. */
const rates = [1_000, 5_000];

/**
 * The whole architecture while its log grows: a tenth of the events, all of them, and the most. At each size the batch
 * runs, the questions and the memory; in the middle the latency. How each layer grows follows.
 */
export async function measureWhole(session: Session, results: Results, options: BenchOptions): Promise<void> {
  const { parts, runs, events, mostEvents } = options;
  const has = (...some: readonly BenchOptions["parts"][number][]) => some.some((part) => parts.includes(part));
  const growth = new Growth(results);
  const batches: { readonly wall: Point[]; readonly cpu: Point[] } = { wall: [], cpu: [] };
  const spent = { speed: 0, archiver: 0 };
  await using feed = await Feed.open(session.architecture, "generated");
  await warmUp(session, feed, 1_000);
  for (const size of [events / 10, events, ...(has("batch", "growth") ? [mostEvents] : [])]) {
    const of = `${size.toLocaleString("en-US")} events`;
    const held = Object.values(await logEnd(session)).reduce((sum, end) => sum + end, 0);
    const { seconds, archiveAll } = await work(session, feed, size - held);
    spent.speed += seconds;
    spent.archiver += (await archiveAll()).seconds;
    growth.add("speed layer, time", "s", size, spent.speed);
    growth.add("archiver, time", "s", size, spent.archiver);
    // What is asked over all sizes, is asked once at the others.
    const often = size === events ? runs : 1;
    for (const { events: counted, wall, cpu } of await measureBatch(session, results, {
      of,
      runs: size === events / 10 ? 1 : has("batch") ? runs : 1,
    })) {
      batches.wall.push([counted, wall]);
      batches.cpu.push([counted, cpu]);
      growth.add("MapReduce, time", "s", size, wall);
    }
    if (has("query", "growth")) {
      const { key, top } = await measureQueries(session, results, { of, events: size, runs: often });
      for (const value of key) growth.add("answer, p50", "ms", size, value);
      for (const value of top) growth.add("top 10, p50", "ms", size, value);
    }
    if (size === events && has("latency"))
      for (const rate of rates) await measureLatency(session, results, { rate, runs, firstEvent: size });
    for (const [system, value] of await memoryBySystem(session.stack))
      growth.add(`memory, ${system}`, "MiB", size, value);
  }
  const fixed = { part: "batch", of: "any amount" } as const;
  const [wall, cpu] = [lineThrough(batches.wall), lineThrough(batches.cpu)];
  results.add({ ...fixed, what: "MapReduce, fixed", unit: "s" }, wall.fixed);
  results.add({ ...fixed, what: "MapReduce, each further event", unit: "µs" }, wall.each * 1e6);
  results.add({ ...fixed, what: "MapReduce's CPU, fixed", unit: "s" }, cpu.fixed);
  results.add({ ...fixed, what: "MapReduce's CPU, each further event", unit: "µs" }, cpu.each * 1e6);
  if (has("growth")) growth.report();
}

/** What is taken at every size. */
class Growth {
  readonly #results: Results;
  readonly #points = new Map<string, { readonly unit: string; readonly points: Point[] }>();

  constructor(results: Results) {
    this.#results = results;
  }

  add(what: string, unit: string, size: number, value: number): void {
    const all = this.#points.get(what) ?? { unit, points: [] };
    all.points.push([size, value]);
    this.#points.set(what, all);
  }

  /** Writes down every value and the exponents. */
  report(): void {
    for (const [what, { unit, points }] of this.#points) {
      const subject: Pick<Subject, "part" | "what"> = { part: "growth", what };
      for (const [size, value] of points)
        this.#results.add({ ...subject, of: `${size.toLocaleString("en-US")} events`, unit }, value);
      const exponent = growthExponent(points);
      this.#results.add({ ...subject, of: "exponent of the number of events", unit: "" }, exponent);
    }
  }
}
