/** The serving layer's arithmetic: rows of both layers to an answer. Pure. */
import type { AnyMeasure } from "../measures/measure.ts";
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

/** The values of one measure by the keys' canonical texts, merged state by state: what the largest are chosen from. */
export class Ranking {
  readonly #measure: AnyMeasure<never>;
  readonly #states = new Map<string, unknown>();

  constructor(measure: AnyMeasure<never>) {
    this.#measure = measure;
  }

  /** Merges a state of the measure into the key's. The state may be changed later: it is the ranking's from now on. */
  add(key: string, state: unknown): void {
    const own = this.#states.get(key);
    this.#states.set(key, own === undefined ? state : this.#measure.merge(own, state));
  }

  /** The keys with the largest values, largest first; equal values in the order of the keys' canonical texts. */
  top(limit: number): TopRow[] {
    const ranked: { key: string; value: number }[] = [];
    for (const [key, state] of this.#states) {
      const value = this.#measure.extract(state);
      if (value !== null) ranked.push({ key, value });
    }
    ranked.sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
    return ranked.slice(0, limit).map(({ key, value }) => ({ key: JSON.parse(key), value }));
  }
}
