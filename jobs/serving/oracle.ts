import type { Offsets } from "../chunks.ts";
import { keyText } from "../views/aggregate.ts";
import { granularityMilliseconds } from "../views/granularity.ts";
import type { View } from "../views/view.ts";
import {
  type AnswerGranularity,
  answerOf,
  type KeyAnswer,
  mergeToSteps,
  Ranking,
  type TopRow,
  withTotal,
} from "./merge.ts";

/** What is at an offset of the log. */
export interface LoggedEvent<Event> {
  readonly partition: number;
  readonly offset: number;
  /** Undefined if what is there is no event. */
  readonly event: Event | undefined;
}

/** Which events an answer is over: of every partition those in `[start, end)`. */
export interface Span {
  /** Default: 0 in every partition. */
  readonly start?: Offsets;
  readonly end: Offsets;
}

/** Which time steps are asked for; both in milliseconds since 1970. */
export interface TimeRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

interface Entry<Event> {
  readonly partition: number;
  readonly offset: number;
  readonly bucket: number;
  readonly event: Event;
}

/**
 * What a view's answers must be: one pass over its events in memory, for exactly the events asked for. It shares the
 * view's definition with both layers, and nothing of how they chunk, store and merge.
 */
export class Oracle<Event> {
  readonly view: View<Event>;
  readonly #entries = new Map<string, { readonly key: readonly string[]; readonly entries: Entry<Event>[] }>();
  readonly #keys: (readonly string[])[] = [];
  readonly #buckets: number[] = [];
  /** The key of every event, so that a random event's key is as likely as it is frequent. */
  readonly #eventKeys: (readonly string[])[] = [];

  constructor(view: View<Event>) {
    this.view = view;
  }

  /** Takes up an event, unless the view cannot. */
  add({ partition, offset, event }: LoggedEvent<Event>): void {
    if (event === undefined || this.view.problem(event) !== undefined) return;
    const key = this.view.key(event);
    const text = keyText(key);
    let known = this.#entries.get(text);
    if (known === undefined) {
      known = { key, entries: [] };
      this.#entries.set(text, known);
      this.#keys.push(key);
    }
    const bucket = this.view.bucket(event);
    known.entries.push({ partition, offset, bucket, event });
    this.#buckets.push(bucket);
    this.#eventKeys.push(known.key);
  }

  /** Every key, in the order in which they first came. */
  get keys(): readonly (readonly string[])[] {
    return this.#keys;
  }

  /** Every event's key, in the order in which they came. */
  get eventKeys(): readonly (readonly string[])[] {
    return this.#eventKeys;
  }

  /** Every event's time step, in the order in which they came. */
  get buckets(): readonly number[] {
    return this.#buckets;
  }

  /** The answer for a key. */
  key(key: readonly string[], span: Span, range: TimeRange, granularity: AnswerGranularity): KeyAnswer {
    const rows = new Map<number, { bucket: number; states: unknown[] }>();
    for (const entry of this.#entries.get(keyText(key))?.entries ?? []) {
      if (!isWithin(entry, span, range)) continue;
      let row = rows.get(entry.bucket);
      if (row === undefined) {
        row = { bucket: entry.bucket, states: this.view.zero() };
        rows.set(entry.bucket, row);
      }
      this.view.add(row.states, entry.event);
    }
    return answerOf(this.view, withTotal(this.view, mergeToSteps(this.view, rows.values(), granularity)));
  }

  /** The keys with the largest values of a measure. */
  top(measure: string, limit: number, span: Span, range: TimeRange): TopRow[] {
    const definition = this.view.measures[measure];
    if (definition === undefined) throw new TypeError(`view ${this.view.name} has no measure ${measure}`);
    const ranking = new Ranking(definition);
    for (const [key, { entries }] of this.#entries) {
      let state: unknown;
      for (const entry of entries)
        if (isWithin(entry, span, range)) state = definition.add(state ?? definition.zero(), entry.event);
      if (state !== undefined) ranking.add(key, state);
    }
    return ranking.top(limit);
  }
}

function isWithin(entry: Entry<unknown>, { start, end }: Span, { from, to }: TimeRange): boolean {
  return (
    entry.offset < (end[entry.partition] ?? 0) &&
    entry.offset >= (start?.[entry.partition] ?? 0) &&
    (from === undefined || entry.bucket >= from) &&
    (to === undefined || entry.bucket < to)
  );
}

/** The milliseconds that a question's times are multiples of. */
export function stepOf(view: Pick<View<never>, "granularity">, granularity: AnswerGranularity): number {
  return granularityMilliseconds(granularity === "all" ? view.granularity : granularity);
}
