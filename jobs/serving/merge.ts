/** The serving layer's arithmetic: rows of both layers to an answer. Pure. */
import { type Answer, type AnyMeasure, compareAnswers } from "../measures/measure.ts";
import { keyText } from "../views/aggregate.ts";
import { type Granularity, granularities, granularityMilliseconds, truncate } from "../views/granularity.ts";
import type { View } from "../views/view.ts";
import type { AnyView } from "./stores.ts";

/** The time steps of an answer: a view's, coarser ones, or the whole range as one. */
export type AnswerGranularity = Granularity | "all";

/** The time steps that a view can be asked for. */
export function answerGranularities(view: Pick<View<never>, "granularity">): AnswerGranularity[] {
  return [...granularities.slice(granularities.indexOf(view.granularity)), "all"];
}

/** The states of one key in a time step. */
export interface StateRow {
  /** In milliseconds since 1970 (UTC). */
  readonly bucket: number;
  readonly states: readonly unknown[];
}

/** A time step's answers. */
export type AnswerRow = { readonly time: string } & Readonly<Record<string, Answer>>;

/** What a key's answer says of it, beside what it contains. */
export interface KeyAnswer {
  /** In order of time; steps without events have no row. With granularity `all` at most one, timed by its first step. */
  readonly rows: AnswerRow[];
  readonly total: Readonly<Record<string, Answer>>;
}

/** What is known of a key in a time step of an answer. It is shared: nobody changes it. */
export class Step {
  /** The step's start; with granularity `all`, the only one's is 0. In milliseconds since 1970 (UTC), as {@link time}. */
  readonly start: number;
  /** How the answer times it: its start, or with granularity `all` the first time step of the view in it. */
  readonly time: number;
  readonly states: readonly unknown[];
  #row: AnswerRow | undefined;

  constructor({ start, time, states }: Pick<Step, "start" | "time" | "states">) {
    this.start = start;
    this.time = time;
    this.states = states;
  }

  /** What the step answers. */
  row(view: AnyView): AnswerRow {
    this.#row ??= { time: new Date(this.time).toISOString(), ...view.extract(this.states) };
    return this.#row;
  }
}

/**
 * Rows of a key, merged to the time steps of an answer, in order of time.
 *
 * @param rows in any order, any number of them for a time step; their states stay as they are
 */
export function mergeToSteps(view: AnyView, rows: Iterable<StateRow>, granularity: AnswerGranularity): Step[] {
  const steps = new Map<number, { time: number; readonly states: unknown[] }>();
  for (const { bucket, states } of rows) {
    const start = granularity === "all" ? 0 : truncate(bucket, granularityMilliseconds(granularity));
    let step = steps.get(start);
    if (step === undefined) {
      step = { time: granularity === "all" ? bucket : start, states: view.zero() };
      steps.set(start, step);
    }
    if (bucket < step.time) step.time = bucket;
    view.merge(step.states, states);
  }
  return [...steps].map(([start, step]) => new Step({ start, ...step })).sort(byStart);
}

function byStart(a: Step, b: Step): number {
  return a.start - b.start;
}

/** Steps, and about the memory that they take, in bytes. */
export interface SizedSteps {
  readonly steps: readonly Step[];
  readonly bytes: number;
}

/** The same of a step's states. */
export interface SizedStates {
  readonly states: readonly unknown[];
  readonly bytes: number;
}

/** The steps with their states as small as they are where they are stored, so that they can be kept. */
export function compactSteps(view: AnyView, steps: readonly Step[]): SizedSteps {
  const all = steps.map(({ start, time, states }) => {
    const compact = compactStates(view, states);
    // With the objects around them, and what they answer.
    return { step: new Step({ start, time, states: compact.states }), bytes: compact.bytes + 400 };
  });
  return { steps: all.map(({ step }) => step), bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** The states as small as they are where they are stored. */
export function compactStates(view: AnyView, states: readonly unknown[]): SizedStates {
  const columns = view.encode(states);
  // Texts of a byte a character, and some words each.
  const bytes = columns.reduce<number>((sum, value) => sum + 32 + (typeof value === "string" ? value.length : 0), 0);
  return { states: view.decode(columns), bytes };
}

/** A key's steps in a range of time. They are shared: nobody changes them. */
export interface KeySteps {
  /** In order of time, at most one of a start. */
  readonly steps: readonly Step[];
  /** The states of all of them, merged. */
  readonly total: readonly unknown[];
}

/** What a layer has of a key of which it has nothing. */
export function noSteps(view: AnyView): KeySteps {
  return withTotal(view, []);
}

/** Steps with their total. */
export function withTotal(view: AnyView, steps: readonly Step[]): KeySteps {
  return {
    steps,
    total: merged(
      view,
      steps.map(({ states }) => states),
    ),
  };
}

/** The answer of the steps of a layer, and of those of another if it is given. */
export function answerOf(view: AnyView, batch: KeySteps, speed = noSteps(view)): KeyAnswer {
  const rows: AnswerRow[] = [];
  let index = 0;
  for (const step of speed.steps) {
    let other = batch.steps[index];
    for (; other !== undefined && other.start < step.start; other = batch.steps[++index]) rows.push(other.row(view));
    if (other?.start === step.start) {
      rows.push(mergedStep(view, step, other).row(view));
      index++;
    } else rows.push(step.row(view));
  }
  for (; index < batch.steps.length; index++) rows.push((batch.steps[index] as Step).row(view));
  return { rows, total: view.extract(merged(view, [batch.total, speed.total])) };
}

function mergedStep(view: AnyView, a: Step, b: Step): Step {
  return new Step({ start: a.start, time: Math.min(a.time, b.time), states: merged(view, [a.states, b.states]) });
}

function merged(view: AnyView, all: readonly (readonly unknown[])[]): unknown[] {
  const states = view.zero();
  for (const each of all) view.merge(states, each);
  return states;
}

/** A key's place among the largest. */
export interface TopRow {
  readonly key: readonly string[];
  readonly value: number | string;
}

/** A key by its canonical text, and its value. */
interface Ranked {
  readonly key: string;
  readonly value: number | string;
}

/** Largest first; equal values in the order of the keys' canonical texts. */
function byValue(a: Ranked, b: Ranked): number {
  return compareAnswers(b.value, a.value) || (a.key < b.key ? -1 : 1);
}

function rankedOf(measure: AnyMeasure<never>, states: Iterable<readonly [string, unknown]>): Ranked[] {
  const ranked: Ranked[] = [];
  for (const [key, state] of states) {
    const value = measure.extract(state);
    if (value !== null) ranked.push({ key, value });
  }
  return ranked.sort(byValue);
}

/**
 * A measure's totals of all keys that never change, as those of a version of a batch view, ranked once and for all:
 * see {@link Ranking.over}.
 */
export class RankedTotals {
  readonly #states = new Map<string, unknown>();
  readonly #ranked: readonly Ranked[];

  /** @param totals any number of a key; their states are the ranking's from now on */
  constructor(
    measure: AnyMeasure<never>,
    totals: Iterable<{ readonly key: readonly string[]; readonly state: unknown }>,
  ) {
    for (const { key, state } of totals) {
      const text = keyText(key);
      const own = this.#states.get(text);
      this.#states.set(text, own === undefined ? state : measure.merge(own, state));
    }
    this.#ranked = rankedOf(measure, this.#states);
  }

  /** The number of keys. */
  get size(): number {
    return this.#states.size;
  }

  /** The key's state, which must not be changed; undefined if there is none. */
  state(key: string): unknown {
    return this.#states.get(key);
  }

  /** The keys with the largest values but for those that are excepted, in order. */
  *largest(limit: number, excepted: { has(key: string): boolean }): Generator<Ranked> {
    let left = limit;
    for (let index = 0; index < this.#ranked.length && left > 0; index++) {
      const one = this.#ranked[index] as Ranked;
      if (excepted.has(one.key)) continue;
      yield one;
      left--;
    }
  }
}

/** The values of one measure by the keys' canonical texts, merged state by state: what the largest are chosen from. */
export class Ranking {
  readonly #measure: AnyMeasure<never>;
  readonly #states = new Map<string, unknown>();
  #keyCharacters = 0;
  #totals: RankedTotals | undefined;

  constructor(measure: AnyMeasure<never>) {
    this.#measure = measure;
  }

  /** The number of keys that were added. */
  get size(): number {
    return this.#states.size;
  }

  /** The characters of all of their texts. */
  get keyCharacters(): number {
    return this.#keyCharacters;
  }

  /** Merges a state of the measure into the key's. The state may be changed later: it is the ranking's from now on. */
  add(key: string, state: unknown): void {
    const own = this.#states.get(key);
    if (own === undefined) this.#keyCharacters += key.length;
    this.#states.set(key, own === undefined ? state : this.#measure.merge(own, state));
  }

  /**
   * Adds totals to what was added, once. Keys of which nothing was added keep their places among each other, so that
   * this and {@link top} take as long as there are other keys, however many the totals are of.
   */
  over(totals: RankedTotals): void {
    this.#totals = totals;
    for (const [key, own] of this.#states) {
      const state = totals.state(key);
      if (state !== undefined) this.#states.set(key, this.#measure.merge(own, state));
    }
  }

  /** The keys with the largest values, largest first; equal values in the order of the keys' canonical texts. */
  top(limit: number): TopRow[] {
    const own = rankedOf(this.#measure, this.#states).slice(0, limit);
    return [...own, ...(this.#totals?.largest(limit, this.#states) ?? [])]
      .sort(byValue)
      .slice(0, limit)
      .map(({ key, value }) => ({ key: JSON.parse(key), value }));
  }
}
