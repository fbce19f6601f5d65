import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import pMap from "p-map";
import type { Application } from "../application.ts";
import {
  granularitiesOf,
  type LoggedEvent,
  Oracle,
  type OracleGranularity,
  type OracleOffsets,
  stepOf,
  type TimeRange,
} from "./oracle.ts";

/** What an answer of the API says that it contains. */
interface Contains {
  readonly version: string | null;
  readonly horizon: OracleOffsets;
  readonly speed: OracleOffsets;
  readonly log: OracleOffsets;
  readonly lag: number;
  readonly holes: readonly { readonly accepted: boolean }[];
  readonly problems: readonly string[];
  readonly complete: boolean;
}

export interface CheckOptions<Event> {
  /** The serving layer: `http://host:port`. */
  readonly queryUrl: string;
  readonly application: Application<Event>;
  /**
   * The log, in offset order within each partition. It may go on while the check runs: answers wait until it has come
   * as far as they say they go. Offsets without an event may be left out, if the log ends or an event follows them.
   */
  readonly events: AsyncIterable<LoggedEvent<Event>> | Iterable<LoggedEvent<Event>>;
  /** How many questions to ask. */
  readonly queries: number;
  /** The same seed asks the same questions of the same events. Default: 1 */
  readonly seed?: number;
  /**
   * Whether to ask only when the answers hold everything in the log, and to take any that do not for different. Default:
   * false, ask at once, and compare each answer over exactly the events that it says it contains
   */
  readonly settled?: boolean;
  /** Seconds to wait for the layers, or for the events. Default: 120 */
  readonly patience?: number;
  /** Questions under way at once. Default: 4 */
  readonly parallel?: number;
}

/** An answer that is not what one pass in memory gives. */
export interface Difference {
  readonly url: string;
  readonly expected: unknown;
  readonly answered: unknown;
}

/** What the check found. */
export interface CheckResult {
  /** Answers compared. */
  readonly answers: number;
  /** Numbers compared: measures of rows, totals and ranks. */
  readonly numbers: number;
  /** Events that the oracle holds. */
  readonly events: number;
  /** Answers that differ. */
  readonly differing: number;
  /** The first ten of them. */
  readonly differ: readonly Difference[];
  /** Questions that got 503 instead of an answer: not wrong, but not available. */
  readonly unavailable: number;
  /** The versions that answered. */
  readonly versions: readonly string[];
  /** Milliseconds to an answer, as its client sees it. */
  readonly latency: { readonly key: Percentiles; readonly top: Percentiles };
}

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/**
 * Asks the serving layer random questions and compares every number of every answer with one pass in memory over
 * exactly the events that the answer says it contains.
 *
 * @throws {Error} if the layers or the events do not come as far as needed in time, or an answer is no answer at all
 */
export async function checkAnswers<Event>(options: CheckOptions<Event>): Promise<CheckResult> {
  const patience = (options.patience ?? 120) * 1_000;
  const oracles = options.application.views.map((view) => new Oracle(view));
  const intake = takeIn(options.events, oracles);
  if (options.settled === true) {
    await within(patience, "the events to end", () => intake.ended);
    await settle(options, intake, patience);
  } else {
    // A second's worth of events, for questions of many kinds.
    const began = performance.now();
    await within(patience, "the first event", () => {
      const isEnough = intake.events >= 1_000 || performance.now() - began > 1_000;
      return intake.ended || (intake.events > 0 && isEnough);
    });
  }
  const random = randomFrom(options.seed ?? 1);
  const differ: Difference[] = [];
  const versions = new Set<string>();
  const times: Record<"key" | "top", number[]> = { key: [], top: [] };
  let answers = 0;
  let numbers = 0;
  let differing = 0;
  let unavailable = 0;
  await pMap(
    Array.from({ length: options.queries }),
    async () => {
      const question = randomQuestion(random, pick(random, oracles));
      const url = urlOf(options.queryUrl, question);
      let began = performance.now();
      let response = await fetch(url);
      // Settled means that everything can be answered: a store that comes back only now is waited for.
      const waitUntil = options.settled === true ? began + patience : began;
      while (response.status === 503 && performance.now() < waitUntil) {
        await sleep(500);
        began = performance.now();
        response = await fetch(url);
      }
      const text = await response.text();
      times[question.kind].push(performance.now() - began);
      if (response.status === 503) {
        unavailable++;
        return;
      }
      if (response.status !== 200) throw new Error(`${url} answers ${response.status}: ${text}`);
      const answered = JSON.parse(text);
      const contains: Contains = answered.contains;
      await within(patience, `the events up to ${JSON.stringify(contains.speed)}`, () => intake.holds(contains.speed));
      const expected = {
        ...expectedAnswer(question, contains),
        contains: expectedContains(contains, question, options.settled === true),
      };
      answers++;
      numbers += countNumbers(expected.answer);
      versions.add(contains.version ?? "none");
      const { contains: _, ...answer } = answered;
      if (!isDeepStrictEqual({ answer, contains }, expected)) {
        differing++;
        if (differ.length < 10) differ.push({ url, expected, answered });
      }
    },
    { concurrency: options.parallel ?? 4 },
  );
  intake.stop();
  return {
    answers,
    numbers,
    events: intake.events,
    differing,
    differ,
    unavailable,
    versions: [...versions].sort(),
    latency: { key: percentiles(times.key), top: percentiles(times.top) },
  };
}

/** Takes the events up in the background. */
function takeIn<Event>(events: CheckOptions<Event>["events"], oracles: readonly Oracle<Event>[]) {
  const reached: Record<string, number> = {};
  const state = { ended: false, events: 0, failure: undefined as unknown, stopped: false };
  void (async () => {
    try {
      for await (const event of events) {
        for (const oracle of oracles) oracle.add(event);
        if (event.event !== undefined) state.events++;
        reached[event.partition] = event.offset + 1;
        if (state.stopped) return;
        // Gives the answers a turn: events may come without a pause.
        if (event.offset % 1_000 === 0) await sleep(0);
      }
    } catch (error) {
      state.failure = error ?? new Error("the events failed");
    } finally {
      state.ended = true;
    }
  })();
  const check = () => {
    if (state.failure !== undefined) throw state.failure;
  };
  return {
    reached,
    get ended() {
      check();
      return state.ended;
    },
    get events() {
      return state.events;
    },
    /** Whether every event before the offsets is taken up. */
    holds(offsets: Readonly<Record<string, number>>) {
      check();
      return state.ended || Object.entries(offsets).every(([partition, end]) => (reached[partition] ?? 0) >= end);
    },
    stop() {
      state.stopped = true;
    },
  };
}

/** Waits until every view's answers hold every event and everything else in the log. */
async function settle(
  options: {
    readonly queryUrl: string;
    readonly application: {
      readonly views: readonly { readonly name: string; readonly keyFields: readonly string[] }[];
    };
  },
  intake: { readonly reached: Readonly<Record<string, number>> },
  patience: number,
): Promise<void> {
  for (const view of options.application.views) {
    let contains: Contains | undefined;
    await within(
      patience,
      () => `${view.name} to hold the whole log; it holds ${JSON.stringify(contains)}`,
      async () => {
        const key = Object.fromEntries(view.keyFields.map((field) => [field, ""]));
        const response = await fetch(`${options.queryUrl}/views/${view.name}?${new URLSearchParams(key)}`);
        if (response.status !== 200) {
          await response.body?.cancel();
          return false;
        }
        const now = ((await response.json()) as { contains: Contains }).contains;
        contains = now;
        return (
          now.complete && Object.entries(intake.reached).every(([partition, end]) => (now.speed[partition] ?? 0) >= end)
        );
      },
    );
  }
}

async function within(
  milliseconds: number,
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > end)
      throw new Error(`waited ${milliseconds / 1_000} s for ${typeof what === "string" ? what : what()}`);
    await sleep(50);
  }
}

interface Question {
  readonly kind: "key" | "top";
  // biome-ignore lint/suspicious/noExplicitAny: an oracle of any event
  readonly oracle: Oracle<any>;
  readonly range: TimeRange;
  readonly layer: "merged" | "batch" | "speed";
  readonly granularity: OracleGranularity;
  readonly key: readonly string[];
  readonly measure: string;
  readonly limit: number;
}

/** How many of a hundred questions are for the largest keys: they cost the most. */
const topPercent = 5;

function randomQuestion(random: () => number, oracle: Question["oracle"]): Question {
  const { view } = oracle;
  const kind = random() * 100 < topPercent ? "top" : "key";
  const granularity = kind === "top" ? "all" : pick(random, granularitiesOf(view));
  const step = stepOf(view, granularity);
  const bound = () => (random() < 0.5 ? undefined : Math.floor(pick(random, oracle.buckets) / step) * step);
  let from = bound();
  let to = bound();
  if (to !== undefined) to += step;
  if (from !== undefined && to !== undefined && from > to) [from, to] = [to, from];
  const choice = random();
  // As often as its events, any key as often as another, or one that does not exist.
  const key =
    choice < 0.6
      ? pick(random, oracle.eventKeys)
      : choice < 0.97
        ? pick(random, oracle.keys)
        : view.keyFields.map(() => "no such key");
  return {
    kind,
    oracle,
    range: { from, to },
    layer: random() < 0.8 ? "merged" : random() < 0.5 ? "batch" : "speed",
    granularity,
    key,
    measure: pick(random, Object.keys(view.measures)),
    limit: 1 + Math.floor(random() * 50),
  };
}

function urlOf(queryUrl: string, { kind, oracle, range, layer, granularity, key, measure, limit }: Question): string {
  const parameters = new URLSearchParams();
  const set = (name: string, value: string | number) => parameters.set(name, String(value));
  if (kind === "key") for (const [index, field] of oracle.view.keyFields.entries()) set(field, key[index] ?? "");
  if (range.from !== undefined) set("from", new Date(range.from).toISOString());
  if (range.to !== undefined) set("to", new Date(range.to).toISOString());
  set("layer", layer);
  if (kind === "key") set("granularity", granularity);
  else {
    set("measure", measure);
    set("limit", limit);
  }
  return `${queryUrl}/views/${oracle.view.name}${kind === "top" ? "/top" : ""}?${parameters}`;
}

function expectedAnswer(question: Question, contains: Contains) {
  const { kind, oracle, range, layer, granularity, key, measure, limit } = question;
  const { view } = oracle;
  const span = { end: contains.speed, ...(layer === "speed" ? { start: contains.horizon } : {}) };
  const keyObject = (values: readonly string[]) =>
    Object.fromEntries(view.keyFields.map((field, index) => [field, values[index] ?? ""]));
  if (kind === "key")
    return {
      answer: { view: view.name, key: keyObject(key), granularity, ...oracle.key(key, span, range, granularity) },
    };
  const rows = oracle.top(measure, limit, span, range).map((row) => ({ key: keyObject(row.key), value: row.value }));
  return { answer: { view: view.name, measure, rows } };
}

/** What an answer must say of itself, given its offsets. */
function expectedContains(contains: Contains, { layer }: Question, settled: boolean): Contains {
  const { horizon, log, holes, problems } = contains;
  const names = Object.keys(log);
  const speed = layer === "batch" ? horizon : contains.speed;
  const lag = names.reduce((sum, partition) => sum + (log[partition] ?? 0) - (speed[partition] ?? 0), 0);
  const inOrder = names.every(
    (name) => (horizon[name] ?? 0) <= (speed[name] ?? 0) && (speed[name] ?? 0) <= (log[name] ?? 0),
  );
  const known = holes.every(({ accepted }) => accepted) && problems.length === 0;
  const complete = settled && layer !== "batch" ? true : lag === 0 && known;
  return { ...contains, speed, lag: inOrder ? lag : Number.NaN, complete };
}

function countNumbers(value: unknown): number {
  if (typeof value === "number") return 1;
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + countNumbers(part), 0);
}

function percentiles(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99) };
}

function pick<Value>(random: () => number, values: readonly Value[]): Value {
  if (values.length === 0) throw new Error("there are no events to ask about");
  return values[Math.floor(random() * values.length)] as Value;
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
