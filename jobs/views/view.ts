import type { AnyMeasure, ColumnValue } from "../measures/measure.ts";
import { type Granularity, granularities, granularityMilliseconds, truncate } from "./granularity.ts";
import { millisecondsOf } from "./time.ts";

/** What a view is defined by. */
export interface ViewArgs<Event> {
  /** Lower-case words joined by `-`: the name in the API and in the stores. */
  readonly name: string;
  /** The event's own time: ISO 8601 with a time zone, or milliseconds since 1970; in the years 1 to 9999. */
  readonly time: (event: Event) => string | number | Date;
  /** The finest time step that can be asked for. */
  readonly granularity: Granularity;
  /** The fields of the key, each with its value for an event, e.g. `{channel: (edit) => edit.channel}`. */
  readonly key: Readonly<Record<string, (event: Event) => string>>;
  /** The measures by name. */
  readonly measures: Readonly<Record<string, AnyMeasure<Event>>>;
}

/** A column of a view's stored rows: the measure's name, with its suffix if it has several columns. */
export interface ViewColumn {
  readonly name: string;
  readonly type: "long" | "double" | "string";
  readonly merge?: "sum" | "min" | "max";
}

/** Which row of a view an event belongs to. */
export interface Place {
  readonly key: string[];
  /** The start of the time step, in milliseconds since 1970 (UTC). */
  readonly bucket: number;
}

/**
 * A question defined once and answered everywhere: in batch, in speed, in the serving merge, and in memory as the
 * oracle of the tests.
 */
export interface View<Event> {
  readonly name: string;
  readonly granularity: Granularity;
  /** The names of the key's fields, in order. */
  readonly keyFields: readonly string[];
  readonly measures: Readonly<Record<string, AnyMeasure<Event>>>;
  /** The columns of a stored row, all measures' in order. */
  readonly columns: readonly ViewColumn[];
  /** The start of the event's time step, in milliseconds since 1970 (UTC). */
  bucket(event: Event): number;
  /** The values of the key's fields, in order. */
  key(event: Event): string[];
  /** Why the event cannot enter the view; undefined if it can. */
  problem(event: Event): string | undefined;
  /** The event's {@link key} and {@link bucket}, or its {@link problem}, in one go. */
  place(event: Event): Place | string;
  /** Fresh states, one a measure. */
  zero(): unknown[];
  /** Adds an event that has no problem to the states, in place. */
  add(states: unknown[], event: Event): void;
  /** Merges `from` into `states`, in place. */
  merge(states: unknown[], from: readonly unknown[]): void;
  /** The answers by measure. */
  extract(states: readonly unknown[]): Record<string, number | null>;
  /** The states as one flat row of {@link columns}. */
  encode(states: readonly unknown[]): ColumnValue[];
  /** The inverse of {@link encode}. */
  decode(row: readonly ColumnValue[]): unknown[];
}

/**
 * Defines a view.
 *
 * @throws {TypeError} naming what is wrong with the arguments
 */
export function view<Event>(args: ViewArgs<Event>): View<Event> {
  const problems = problemsOf(args);
  if (problems.length > 0) throw new TypeError(`view ${JSON.stringify(args.name)}: ${problems.join("; ")}`);
  const keyFields = Object.keys(args.key);
  const keyValues = Object.values(args.key);
  const names = Object.keys(args.measures);
  const measures = Object.values(args.measures);
  const step = granularityMilliseconds(args.granularity);
  const place = (event: Event): Place | string => {
    try {
      const time = args.time(event);
      const bucket = truncate(millisecondsOf(time), step);
      if (Number.isNaN(bucket)) return `time ${String(time)} is no ISO 8601 with a time zone in the years 1 to 9999`;
      const key = new Array<string>(keyValues.length);
      for (let index = 0; index < keyValues.length; index++) {
        const value: unknown = (keyValues[index] as (event: Event) => string)(event);
        if (typeof value !== "string") return `key field ${keyFields[index]} is no text: ${String(value)}`;
        // Stores keep UTF-8, in which every half of a surrogate pair looks the same.
        if (!value.isWellFormed()) return `key field ${keyFields[index]} is no well-formed Unicode`;
        key[index] = value;
      }
      for (let index = 0; index < measures.length; index++) {
        const problem = (measures[index] as AnyMeasure<Event>).problem?.(event);
        if (problem !== undefined) return `measure ${names[index]}: ${problem}`;
      }
      return { key, bucket };
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  return {
    name: args.name,
    granularity: args.granularity,
    keyFields,
    measures: args.measures,
    columns: names.flatMap((name, index) =>
      (measures[index] as AnyMeasure<Event>).columns.map(({ suffix, ...column }) => ({
        ...column,
        name: suffix === "" ? name : `${name}_${suffix}`,
      })),
    ),
    bucket: (event) => truncate(millisecondsOf(args.time(event)), step),
    key: (event) => keyValues.map((value) => value(event)),
    problem: (event) => {
      const placed = place(event);
      return typeof placed === "string" ? placed : undefined;
    },
    place,
    zero: () => measures.map((measure) => measure.zero()),
    add: (states, event) => {
      for (let index = 0; index < measures.length; index++)
        states[index] = (measures[index] as AnyMeasure<Event>).add(states[index], event);
    },
    merge: (states, from) => {
      for (let index = 0; index < measures.length; index++)
        states[index] = (measures[index] as AnyMeasure<Event>).merge(states[index], from[index]);
    },
    extract: (states) =>
      Object.fromEntries(measures.map((measure, index) => [names[index], measure.extract(states[index])])),
    encode: (states) => measures.flatMap((measure, index) => measure.encode(states[index])),
    decode: (row) => {
      let column = 0;
      return measures.map((measure) => {
        const values = row.slice(column, column + measure.columns.length);
        column += measure.columns.length;
        return measure.decode(values);
      });
    },
  };
}

/** Names that a stored row needs for itself. */
const reserved = new Set(["time", "__time", "view", "key"]);
/** Names of the query's own parameters, which a key field would hide. */
const parameters = new Set(["from", "to", "granularity", "layer", "measure", "limit"]);

function problemsOf<Event>(args: ViewArgs<Event>): string[] {
  const problems: string[] = [];
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(args.name)) problems.push("name must be lower-case words joined by -");
  // With their generation and a prefix they are names of Cassandra's tables, which have at most 48 characters.
  if (args.name.length > 30) problems.push("name must have at most 30 characters");
  const names = [...Object.keys(args.key), ...Object.keys(args.measures)];
  if (!granularities.includes(args.granularity))
    problems.push(`granularity must be one of ${granularities.join(", ")}`);
  if (Object.keys(args.key).length === 0) problems.push("key needs at least one field");
  if (Object.keys(args.measures).length === 0) problems.push("measures needs at least one measure");
  for (const name of names) {
    if (!/^[a-zA-Z][a-zA-Z0-9]*$/.test(name)) problems.push(`${name} must be letters and digits`);
    if (reserved.has(name) || parameters.has(name)) problems.push(`${name} is a reserved name`);
  }
  if (new Set(names).size < names.length) problems.push("a key field and a measure have the same name");
  return problems;
}
