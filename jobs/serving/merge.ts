/** The serving layer's arithmetic: rows of both layers to an answer. Pure. */
import type { AnyMeasure } from "../measures/measure.ts";
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
export type AnswerRow = { readonly time: string } & Readonly<Record<string, string | number | null>>;

/** What a key's answer says of it, beside what it contains. */
export interface KeyAnswer {
  /** In order of time; steps without events have no row. With granularity `all` at most one, timed by its first step. */
  readonly rows: AnswerRow[];
  readonly total: Readonly<Record<string, number | null>>;
}

/** What is known of a time step of an answer. */
interface Step {
  /** The first time step of the view in it, in milliseconds since 1970 (UTC). */
  first: number;
  states: unknown[];
}

/** A key's rows, merged to the time steps of an answer. */
export class KeySteps {
  readonly #view: AnyView;
  readonly #granularity: AnswerGranularity;
  /** By their start; with granularity `all` the only one, at 0. */
  readonly #steps = new Map<number, Step>();
  #total: unknown[];
  /** What they answer, in order, once it was asked for. */
  #rows: ReadonlyMap<number, AnswerRow> | undefined;

  /** @param rows in any order, any number of them for a time step; their states stay as they are */
  constructor(view: AnyView, rows: Iterable<StateRow>, granularity: AnswerGranularity) {
    this.#view = view;
    this.#granularity = granularity;
    this.#total = view.zero();
    for (const { bucket, states } of rows) {
      const start = granularity === "all" ? 0 : truncate(bucket, granularityMilliseconds(granularity));
      let step = this.#steps.get(start);
      if (step === undefined) {
        step = { first: bucket, states: view.zero() };
        this.#steps.set(start, step);
      }
      step.first = Math.min(step.first, bucket);
      view.merge(step.states, states);
      view.merge(this.#total, states);
    }
  }

  /** The answer of these rows alone. */
  get answer(): KeyAnswer {
    return { rows: [...this.#answerRows().values()], total: this.#view.extract(this.#total) };
  }

  /** The answer of these rows and of others, which stay as they are: steps that only they have are not looked at again. */
  over(others: KeySteps): KeyAnswer {
    if (this.#steps.size === 0) return others.answer;
    const rows = new Map(others.#answerRows());
    for (const [start, { first, states }] of this.#steps) {
      const other = others.#steps.get(start);
      const both = this.#merged(states, other?.states);
      rows.set(start, this.#answerRow(start, { first: Math.min(first, other?.first ?? first), states: both }));
    }
    const total = this.#merged(this.#total, others.#total);
    return { rows: [...sorted(rows).values()], total: this.#view.extract(total) };
  }

  /**
   * Makes the states as small as they are where they are stored, so that they can be kept.
   *
   * @returns about the memory that all takes, in bytes
   */
  compact(): number {
    let bytes = 0;
    const compacted = (states: readonly unknown[]) => {
      const columns = this.#view.encode(states);
      // Objects of some words, twice with the answer's, and texts of a byte a character.
      bytes += 512;
      for (const value of columns) if (typeof value === "string") bytes += value.length;
      return this.#view.decode(columns);
    };
    for (const step of this.#steps.values()) step.states = compacted(step.states);
    this.#total = compacted(this.#total);
    return bytes;
  }

  #answerRows(): ReadonlyMap<number, AnswerRow> {
    this.#rows ??= sorted(new Map([...this.#steps].map(([start, step]) => [start, this.#answerRow(start, step)])));
    return this.#rows;
  }

  #answerRow(start: number, { first, states }: Step): AnswerRow {
    const time = new Date(this.#granularity === "all" ? first : start).toISOString();
    return { time, ...this.#view.extract(states) };
  }

  #merged(...all: readonly (readonly unknown[] | undefined)[]): unknown[] {
    const merged = this.#view.zero();
    for (const states of all) if (states !== undefined) this.#view.merge(merged, states);
    return merged;
  }
}

function sorted<Value>(byTime: ReadonlyMap<number, Value>): ReadonlyMap<number, Value> {
  return new Map([...byTime].sort(([a], [b]) => a - b));
}

/** A key's place among the largest. */
export interface TopRow {
  readonly key: readonly string[];
  readonly value: number;
}

/** A key by its canonical text, and its value. */
interface Ranked {
  readonly key: string;
  readonly value: number;
}

/** Largest first; equal values in the order of the keys' canonical texts. */
function byValue(a: Ranked, b: Ranked): number {
  return b.value - a.value || (a.key < b.key ? -1 : 1);
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
  #totals: RankedTotals | undefined;

  constructor(measure: AnyMeasure<never>) {
    this.#measure = measure;
  }

  /** Merges a state of the measure into the key's. The state may be changed later: it is the ranking's from now on. */
  add(key: string, state: unknown): void {
    const own = this.#states.get(key);
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
