import type { AnyMeasure, ColumnValue } from "../measures/measure.ts";
import { type Granularity, granularityMilliseconds, truncate } from "./granularity.ts";

/** What a view is defined by. */
export interface ViewArgs<Event> {
  /** Lower-case words joined by `-`: the name in the API and in the stores. */
  readonly name: string;
  /** The event's own time: ISO 8601 or milliseconds since 1970. */
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
  const milliseconds = (event: Event) => {
    const time = args.time(event);
    return typeof time === "number" ? time : typeof time === "string" ? Date.parse(time) : time.getTime();
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
    bucket: (event) => truncate(milliseconds(event), step),
    key: (event) => keyValues.map((value) => value(event)),
    problem: (event) => {
      try {
        if (!Number.isFinite(milliseconds(event))) return `time is no date: ${String(args.time(event))}`;
        for (const field of keyFields)
          if (typeof args.key[field]?.(event) !== "string") return `key field ${field} is no string`;
        for (const [index, measure] of measures.entries()) {
          const problem = measure.problem?.(event);
          if (problem !== undefined) return `measure ${names[index]}: ${problem}`;
        }
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
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
  const names = [...Object.keys(args.key), ...Object.keys(args.measures)];
  if (Object.keys(args.key).length === 0) problems.push("key needs at least one field");
  if (Object.keys(args.measures).length === 0) problems.push("measures needs at least one measure");
  for (const name of names) {
    if (!/^[a-zA-Z][a-zA-Z0-9]*$/.test(name)) problems.push(`${name} must be letters and digits`);
    if (reserved.has(name) || parameters.has(name)) problems.push(`${name} is a reserved name`);
  }
  if (new Set(names).size < names.length) problems.push("a key field and a measure have the same name");
  return problems;
}
