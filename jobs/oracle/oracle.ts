import type { View, ViewArgs } from "../views/view.ts";
import { placeOf, stepMilliseconds } from "./definition.ts";

/** Offsets by partition. */
export type OracleOffsets = Readonly<Record<string, number>>;

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
  readonly start?: OracleOffsets;
  readonly end: OracleOffsets;
}

/** Which time steps are asked for; both in milliseconds since 1970. */
export interface TimeRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** The time steps of an answer. */
export type OracleGranularity = keyof typeof stepMilliseconds | "all";

/** The time steps that a view can be asked for. */
export function granularitiesOf({ granularity }: Pick<ViewArgs<never>, "granularity">): OracleGranularity[] {
  const all = ["minute", "hour", "day", "all"] as const;
  return all.slice(all.indexOf(granularity));
}

/** The milliseconds that a question's times are multiples of. */
export function stepOf(view: Pick<ViewArgs<never>, "granularity">, granularity: OracleGranularity): number {
  return stepMilliseconds[granularity === "all" ? view.granularity : granularity];
}

/** A number, the digits of one that a number cannot hold, or nothing. */
type Value = number | string | null;

/** What a key's answer must say. */
export interface OracleAnswer {
  readonly rows: readonly Readonly<Record<string, Value>>[];
  readonly total: Readonly<Record<string, Value>>;
}

/** A key's place among the largest. */
export interface OracleTopRow {
  readonly key: readonly string[];
  readonly value: number | string;
}

interface Entry<Event> {
  readonly partition: number;
  readonly offset: number;
  readonly bucket: number;
  readonly event: Event;
}

/**
 * What a view's answers must be: one pass over its events in memory, for exactly the events asked for, plain and slow. It
 * is written from the view's definition alone: it adds event to event by the measures, and shares nothing else with the
 * layers, so that no mistake of theirs can be its own.
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
    const place = event === undefined ? undefined : placeOf(this.view.definition, event);
    if (event === undefined || place === undefined) return;
    const { key, bucket } = place;
    const text = JSON.stringify(key);
    let known = this.#entries.get(text);
    if (known === undefined) {
      known = { key, entries: [] };
      this.#entries.set(text, known);
      this.#keys.push(key);
    }
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

  /**
   * The answer for a key: a row a time step that has events, in order, each timed by its start; with granularity `all`
   * one row, timed by the first of the view's own time steps that has events.
   */
  key(key: readonly string[], span: Span, range: TimeRange, granularity: OracleGranularity): OracleAnswer {
    const entries = this.#within(JSON.stringify(key), span, range);
    const first = entries.reduce((least, { bucket }) => Math.min(least, bucket), Number.POSITIVE_INFINITY);
    const startOf = ({ bucket }: Entry<Event>) => {
      if (granularity === "all") return first;
      return Math.floor(bucket / stepMilliseconds[granularity]) * stepMilliseconds[granularity];
    };
    const steps = [...Map.groupBy(entries, startOf)].sort(([a], [b]) => a - b);
    return {
      rows: steps.map(([start, of]) => ({ time: new Date(start).toISOString(), ...this.#values(of) })),
      total: this.#values(entries),
    };
  }

  /** The keys with the largest values of a measure: the largest first, equal values in the order of the keys' JSON. */
  top(measure: string, limit: number, span: Span, range: TimeRange): OracleTopRow[] {
    const all: { readonly text: string; readonly row: OracleTopRow }[] = [];
    for (const [text, { key }] of this.#entries) {
      const entries = this.#within(text, span, range);
      const value = entries.length === 0 ? null : this.#value(measure, entries);
      if (value !== null) all.push({ text, row: { key, value } });
    }
    all.sort((a, b) => compare(b.row.value, a.row.value) || (a.text < b.text ? -1 : 1));
    return all.slice(0, limit).map(({ row }) => row);
  }

  #within(text: string, { start, end }: Span, { from, to }: TimeRange): Entry<Event>[] {
    return (this.#entries.get(text)?.entries ?? []).filter(
      ({ partition, offset, bucket }) =>
        offset >= (start?.[partition] ?? 0) &&
        offset < (end[partition] ?? 0) &&
        (from === undefined || bucket >= from) &&
        (to === undefined || bucket < to),
    );
  }

  /** Every measure over some events, one after the other. */
  #values(entries: readonly Entry<Event>[]): Record<string, Value> {
    const names = Object.keys(this.view.definition.measures);
    return Object.fromEntries(names.map((name) => [name, this.#value(name, entries)]));
  }

  #value(name: string, entries: readonly Entry<Event>[]): Value {
    const measure = this.view.definition.measures[name];
    if (measure === undefined) throw new TypeError(`view ${this.view.name} has no measure ${name}`);
    let state: unknown = measure.zero();
    for (const { event } of entries) state = measure.add(state, event);
    return measure.extract(state);
  }
}

/** Compares two values of one measure; texts are decimal numbers of as many places. */
function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" || typeof b === "number" || Number(a) !== Number(b)) return Number(a) - Number(b);
  return Number(BigInt(a.replace(".", "")) - BigInt(b.replace(".", "")));
}
