/** The serving layer's arithmetic: rows of both layers to an answer. Pure. */
import type { AnyMeasure } from "../measures/measure.ts";
import { keyText } from "../views/aggregate.ts";
import { type Granularity, granularities, granularityMilliseconds, truncate } from "../views/granularity.ts";
import type { View } from "../views/view.ts";

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

/**
 * The answer for one key.
 *
 * @param rows of both layers, in any order, any number of them for a time step
 */
export function answerKey<Event>(
  view: View<Event>,
  rows: Iterable<StateRow>,
  granularity: AnswerGranularity,
): KeyAnswer {
  const step = granularity === "all" ? Number.POSITIVE_INFINITY : granularityMilliseconds(granularity);
  const steps = new Map<number, { time: number; states: unknown[] }>();
  const total = view.zero();
  for (const row of rows) {
    const id = granularity === "all" ? 0 : truncate(row.bucket, step);
    let merged = steps.get(id);
    if (merged === undefined) {
      merged = { time: granularity === "all" ? row.bucket : id, states: view.zero() };
      steps.set(id, merged);
    }
    merged.time = Math.min(merged.time, granularity === "all" ? row.bucket : id);
    view.merge(merged.states, row.states);
    view.merge(total, row.states);
  }
  return {
    rows: [...steps.values()]
      .sort((a, b) => a.time - b.time)
      .map(({ time, states }) => ({ time: new Date(time).toISOString(), ...view.extract(states) })),
    total: view.extract(total),
  };
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
