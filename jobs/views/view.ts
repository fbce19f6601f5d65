import { errorText } from "../bounded-text.ts";
import type { Answer, AnyMeasure, ColumnValue } from "../measures/measure.ts";
import { PastRangeError } from "../measures/total.ts";
import { keyProblem, longestFieldName, mostKeyFields, mostMeasures, mostStateBytes, timeProblem } from "./admission.ts";
import { type Granularity, granularities, granularityMilliseconds, truncate } from "./granularity.ts";
import { millisecondsOf } from "./time.ts";

/** What a view is defined by. */
export interface ViewArgs<Event> {
  /** Lower-case words joined by `-`: the name in the API and in the stores. */
  readonly name: string;
  /**
   * The event's own time: ISO 8601 with a time zone, or milliseconds since 1970; in the years 1 to 9999. A day that
   * does not exist is no time, nor is a leap second.
   */
  readonly time: (event: Event) => string | number | Date;
  /** The finest time step that can be asked for. */
  readonly granularity: Granularity;
  /**
   * The fields of the key, each with its value for an event, e.g. `{channel: (edit) => edit.channel}`: any well-formed
   * texts, together at most 32,000 bytes as JSON.
   */
  readonly key: Readonly<Record<string, (event: Event) => string>>;
  /** The measures by name. */
  readonly measures: Readonly<Record<string, AnyMeasure<Event>>>;
}

/** A column of a view's stored rows: the measure's name, with its suffix if it has several columns. */
export interface ViewColumn {
  readonly name: string;
  readonly type: "long" | "double" | "string";
  readonly merge?: "sum" | "min" | "max";
  /** See {@link StateColumn.wide}. */
  readonly wide?: true;
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
  /** What the view was defined by. */
  readonly definition: ViewArgs<Event>;
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
  /**
   * The answers by measure.
   *
   * @throws {PastRangeError} if one is past what is kept exactly; it names the measure
   */
  extract(states: readonly unknown[]): Record<string, Answer>;
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
      if (Number.isNaN(bucket)) return timeProblem(time);
      const key = new Array<string>(keyValues.length);
      for (let index = 0; index < keyValues.length; index++)
        key[index] = (keyValues[index] as (event: Event) => string)(event);
      const unfit = keyProblem(keyFields, key);
      if (unfit !== undefined) return unfit;
      for (let index = 0; index < measures.length; index++) {
        const problem = (measures[index] as AnyMeasure<Event>).problem?.(event);
        if (problem !== undefined) return `measure ${names[index]}: ${problem}`;
      }
      return { key, bucket };
    } catch (error) {
      return errorText(error);
    }
  };
  return {
    name: args.name,
    definition: args,
    granularity: args.granularity,
    keyFields,
    measures: args.measures,
    columns: names.flatMap((name, index) =>
      (measures[index] as AnyMeasure<Event>).columns.map(({ suffix, mostBytes: _, ...column }) => ({
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
      Object.fromEntries(
        measures.map((measure, index) => [names[index], extractOf(names[index] as string, measure, states[index])]),
      ),
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

/** A measure's answer, or an error that names the measure. */
export function extractOf(name: string, measure: Pick<AnyMeasure<never>, "extract">, state: unknown): Answer {
  try {
    return measure.extract(state);
  } catch (error) {
    if (error instanceof PastRangeError) throw new PastRangeError(`${name}: ${error.message}`);
    throw error;
  }
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
  if (Object.keys(args.key).length > mostKeyFields) problems.push(`key must have at most ${mostKeyFields} fields`);
  if (Object.keys(args.measures).length > mostMeasures) problems.push(`measures must be at most ${mostMeasures}`);
  const stateBytes = Object.values(args.measures)
    .flatMap(({ columns }) => columns)
    .reduce((sum, { mostBytes = 24 }) => sum + mostBytes, 0);
  if (stateBytes > mostStateBytes)
    problems.push(
      `measures must take at most ${mostStateBytes} bytes a row; they take up to ${stateBytes}: choose a smaller precision, or fewer of them`,
    );
  for (const name of names) {
    if (!/^[a-zA-Z][a-zA-Z0-9]*$/.test(name)) problems.push(`${name} must be letters and digits`);
    if (name.length > longestFieldName)
      problems.push(`${name.slice(0, 20)}… must have at most ${longestFieldName} characters`);
    if (reserved.has(name) || parameters.has(name)) problems.push(`${name} is a reserved name`);
  }
  if (new Set(names).size < names.length) problems.push("a key field and a measure have the same name");
  return problems;
}
