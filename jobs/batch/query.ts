import { boundedText } from "../bounded-text.ts";
import { parseExactly } from "../exact-json.ts";
import { fetch } from "../fetch.ts";
import type { AnyMeasure, ColumnValue } from "../measures/measure.ts";
import { greatestTotal, pastRange } from "../measures/total.ts";
import type { Row } from "../views/aggregate.ts";
import { earliestTime, latestTime } from "../views/time.ts";
import { boundedBody } from "./bounded-body.ts";
import { type AnyView, measureColumns } from "./columns.ts";
import { decodeRow, type EncodedRow } from "./records.ts";
import { TooMuchError } from "./too-much-error.ts";
import type { Version } from "./versions.ts";

/** What is asked of one version of a batch view. */
export interface BatchQuery {
  /** Druid's broker: `http://host:port`. */
  readonly broker: string;
  readonly view: AnyView;
  readonly version: Version;
  /** Only rows of these keys, each the values of the view's key fields in order. Default: every key. */
  readonly keys?: readonly (readonly string[])[];
  /** Only time steps that start at or after this time, in milliseconds since 1970. Default: from the first. */
  readonly from?: number | undefined;
  /** Only time steps that start before this time, in milliseconds since 1970. Default: to the last. */
  readonly to?: number | undefined;
  /** The most rows; if there are more, the query fails. Default: any number */
  readonly mostRows?: number;
  /** The most bytes of Druid's answer; if there are more, the query fails. Default: 64 MiB */
  readonly mostBytes?: number;
  /** Milliseconds until the query fails. Default: 10,000. */
  readonly timeout?: number;
  /** Gives the query up. Default: only the timeout does. */
  readonly signal?: AbortSignal;
}

/** What is asked of all keys of one version: their totals of one measure. */
export type TotalsQuery = Omit<BatchQuery, "keys"> & {
  readonly measure: string;
  /** The most keys; if there are more, the query fails. Default: any number. */
  readonly mostKeys?: number;
};

/** The total of one measure for one key over the times asked for. */
export interface BatchTotal {
  /** The values of the view's key fields, in order. */
  readonly key: readonly string[];
  /** The measure's state: merge it with the speed view's, then extract. */
  readonly state: unknown;
}

/** Druid did not answer, not completely, or with an error: there is no answer, not a smaller one. */
export class BatchQueryError extends Error {
  override readonly name: string = "BatchQueryError";
}

/**
 * The rows of a version: one per key and time step of the view's granularity, in no particular order. Complete or an
 * error: a version of which Druid does not serve every segment does not answer.
 *
 * @throws {BatchQueryError} if Druid does not answer in time and completely
 */
export async function readBatchRows(query: BatchQuery): Promise<Row[]> {
  return (await readEncodedRows(query)).map((row) => decodeRow(query.view, row));
}

/**
 * The rows of {@link readBatchRows} with their states as they are stored.
 *
 * @throws {BatchQueryError} if Druid does not answer in time and completely
 */
export async function readEncodedRows(query: BatchQuery): Promise<EncodedRow[]> {
  const { from, to } = boundsOf(query);
  // Of no time at all no server has a segment, and there is nothing to ask.
  if (query.version.rows === 0 || from >= to) return [];
  let events = await scan(query);
  if (query.mostRows !== undefined && events.length > query.mostRows)
    throw new TooMuchError(tooMuch(query.view, query.mostRows));
  if (events.length === 0) {
    // A broker that has just started and has not heard of the datasource yet answers like one that has no such rows.
    await checkIsKnown(query);
    events = await scan(query);
  }
  const { length } = query.view.keyFields;
  return events.map(([time, ...values]) => ({
    bucket: Number(time),
    key: values.slice(0, length) as string[],
    columns: values.slice(length),
  }));
}

/** What a question is told that needs more rows than one may read. */
export function tooMuch({ name }: AnyView, mostRows: number): string {
  return `${name}: the time asked for has more than ${mostRows} rows of the key, or more bytes, than one question reads: ask for a shorter time with from and to`;
}

/** What a question is told that needs more keys than are ranked. */
export function tooManyKeys({ name }: AnyView, mostKeys: number): string {
  return `${name} has more than ${mostKeys} keys in the time asked for, or too long ones, too many to rank them: ask for a shorter time with from and to`;
}

/**
 * The totals of one measure, a row a key, in no particular order. Druid adds up what it can (`sum`, `min`, `max`
 * columns), and what it gives is parsed one by one as it is taken; a measure that only its own `merge` can add up is
 * merged here.
 *
 * @throws {BatchQueryError} if Druid does not answer in time and completely
 * @throws {TooMuchError} if there are more keys, or bytes, than asked for
 * @throws {TypeError} if the view has no such measure
 */
export async function readBatchTotals(query: TotalsQuery): Promise<Iterable<BatchTotal>> {
  const measure: AnyMeasure<unknown> | undefined = query.view.measures[query.measure];
  if (measure === undefined) throw new TypeError(`view ${query.view.name} has no measure ${query.measure}`);
  if (query.version.rows === 0) return [];
  const { mostKeys = Number.POSITIVE_INFINITY, view } = query;
  const lines = await runSql(query, totalsSql(query));
  const check = (keys: number) => {
    if (keys > mostKeys) throw new TooMuchError(tooManyKeys(view, mostKeys));
  };
  if (isMergedByDruid(query)) {
    check(lines.count);
    return totalsOf(lines, view, measure);
  }
  const totals = new Map<string, { key: readonly string[]; state: unknown }>();
  for (const { key, state } of totalsOf(lines, view, measure)) {
    const id = JSON.stringify(key);
    const total = totals.get(id);
    if (total === undefined) totals.set(id, { key, state });
    else total.state = measure.merge(total.state, state);
    check(totals.size);
  }
  return totals.values();
}

function* totalsOf(lines: Lines, view: AnyView, measure: AnyMeasure<unknown>): Generator<BatchTotal, void, undefined> {
  const keys = view.keyFields.length;
  const last = keys + measure.columns.length;
  for (const row of rowsOf(lines)) {
    const columns = row.slice(keys, last);
    let guard = last;
    measure.columns.forEach(({ wide }, index) => {
      if (wide && guard < row.length && !(Number(row[guard++]) < widest)) columns[index] = pastRange;
    });
    yield { key: row.slice(0, keys) as string[], state: measure.decode(columns) };
  }
}

/** Values whose sizes add up to less cannot have turned a long integer around, however the doubles were rounded. */
const widest = Number(greatestTotal) * (1 - 2 ** -20);

/**
 * The number of rows of a datasource that can be queried now; with all segments of it in one time chunk, all or none.
 *
 * @throws {BatchQueryError} if Druid does not answer, or does not serve the datasource
 */
export async function countRows(args: Pick<BatchQuery, "broker" | "timeout" | "signal"> & { datasource: string }) {
  const sql = { query: `SELECT COUNT(*) FROM ${identifier(args.datasource)}`, parameters: [] };
  const [row] = rowsOf(await runSql(args, sql));
  return Number(row?.[0]);
}

/** A statement of Druid SQL with its parameters: no value of a user is ever part of the text. */
export interface Sql {
  readonly query: string;
  readonly parameters: readonly { readonly type: "BIGINT"; readonly value: number }[];
}

/**
 * The query of {@link readBatchRows} in Druid's own language: time, key fields, columns. Planning the same in SQL would
 * take the broker longer than all of the rest.
 */
export function rowsScan(query: BatchQuery): object {
  const { view, version } = query;
  const { from, to } = boundsOf(query);
  return {
    queryType: "scan",
    dataSource: version.datasource,
    intervals: [`${new Date(from).toISOString()}/${new Date(Math.max(from, to)).toISOString()}`],
    ...(query.keys !== undefined && { filter: keysFilter(view, query.keys) }),
    columns: ["__time", ...view.keyFields, ...view.columns.map((column) => column.name)],
    resultFormat: "compactedList",
    // One more tells that there are too many.
    ...(query.mostRows !== undefined && { limit: query.mostRows + 1 }),
  };
}

/** Any of the keys: each field by an index of its values, however many keys there are. */
function keysFilter({ keyFields }: AnyView, keys: readonly (readonly string[])[]): object {
  const filters = keys.map((key) => ({
    type: "and",
    fields: keyFields.map((column, index) => ({
      type: "equals",
      column,
      matchValueType: "STRING",
      matchValue: key[index],
    })),
  }));
  return { type: "or", fields: filters };
}

/** The times asked for, as far as there are any: the second may come before the first. */
function boundsOf({ from = earliestTime, to = latestTime }: BatchQuery): { from: number; to: number } {
  return { from: Math.max(from, earliestTime), to: Math.min(to, latestTime) };
}

/** The statement of {@link readBatchTotals}: key fields, the measure's columns, merged if Druid can. */
export function totalsSql(query: TotalsQuery): Sql {
  const fields = query.view.keyFields.map(identifier);
  const columns = measureColumns(query.view, query.measure);
  if (!isMergedByDruid(query)) return select(query, [...fields, ...columns.map((column) => identifier(column.name))]);
  const merged = columns.map((column) => `${column.merge?.toUpperCase()}(${identifier(column.name)})`);
  // A long integer turns around without a word: how large the values are together tells whether it can have.
  const guards = columns
    .filter(({ wide }) => wide)
    .map((column) => `SUM(ABS(CAST(${identifier(column.name)} AS DOUBLE)))`);
  const { query: text, parameters } = select(query, [...fields, ...merged, ...guards]);
  // One more tells that there are too many.
  const limit = query.mostKeys === undefined ? "" : ` LIMIT ${query.mostKeys + 1}`;
  return { query: `${text} GROUP BY ${fields.join(", ")}${limit}`, parameters };
}

function isMergedByDruid({ view, measure }: TotalsQuery): boolean {
  return measureColumns(view, measure).every((column) => column.merge !== undefined);
}

function select(query: TotalsQuery, columns: readonly string[]): Sql {
  const conditions: string[] = [];
  const parameters: { type: "BIGINT"; value: number }[] = [];
  if (query.from !== undefined) {
    conditions.push("__time >= MILLIS_TO_TIMESTAMP(?)");
    parameters.push({ type: "BIGINT", value: query.from });
  }
  if (query.to !== undefined) {
    conditions.push("__time < MILLIS_TO_TIMESTAMP(?)");
    parameters.push({ type: "BIGINT", value: query.to });
  }
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return { query: `SELECT ${columns.join(", ")} FROM ${identifier(query.version.datasource)}${where}`, parameters };
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function scan(query: BatchQuery): Promise<ColumnValue[][]> {
  const what = `a scan of ${query.version.datasource}`;
  const parts = json(query, await ask(query, "/druid/v2", rowsScan(query), what), what);
  return (parts as readonly { readonly events: readonly ColumnValue[][] }[]).flatMap(({ events }) => events);
}

/** @throws {BatchQueryError} if the broker knows of no segment of the datasource */
async function checkIsKnown(query: BatchQuery): Promise<void> {
  const { datasource } = query.version;
  const what = `a question for servers of ${datasource}`;
  const segments = json(query, await ask(query, "/druid/v2/candidates?numCandidates=1", rowsScan(query), what), what);
  if ((segments as readonly unknown[]).length === 0)
    throw new BatchQueryError(`Druid at ${query.broker} serves no segment of ${datasource}`);
}

function json({ broker }: BatchQuery, text: string, what: string): unknown {
  try {
    return parseExactly(text);
  } catch (error) {
    throw new BatchQueryError(`Druid at ${broker} broke off its answer to ${what}`, { cause: error });
  }
}

/** The lines of an answer of Druid SQL, each a JSON array. */
interface Lines {
  readonly text: string;
  readonly count: number;
}

async function runSql(
  query: Pick<BatchQuery, "broker" | "timeout" | "signal" | "mostBytes">,
  sql: Sql,
): Promise<Lines> {
  const text = await ask(query, "/druid/v2/sql", { ...sql, resultFormat: "arrayLines" }, sql.query);
  // The blank line at the end says that nothing was cut off.
  if (!text.endsWith("\n\n") && text !== "\n")
    throw new BatchQueryError(`Druid at ${query.broker} broke off its answer to ${sql.query}`);
  let count = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) count++;
  return { text, count: count - 1 };
}

/** The rows, each parsed when it is taken: all at once are many times as large as their text. */
function* rowsOf({ text }: Lines): Generator<ColumnValue[], void, undefined> {
  let start = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
    if (end > start) yield parseExactly(text.slice(start, end)) as ColumnValue[];
    start = end + 1;
  }
}

/** The text of Druid's answer to a question, which errors call `what`; perhaps cut off, but of every segment. */
async function ask(
  {
    broker,
    timeout = 10_000,
    mostBytes = 64 * 1024 * 1024,
    signal,
  }: Pick<BatchQuery, "broker" | "timeout" | "signal" | "mostBytes">,
  path: string,
  question: object,
  what: string,
): Promise<string> {
  let status: number;
  let context: string | null;
  let body: string;
  try {
    const response = await fetch(`${broker}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // A datasource whose server was just lost would answer with no rows: ask to be told.
      body: JSON.stringify({ ...question, context: { timeout, uncoveredIntervalsLimit: 1 } }),
      signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]),
    });
    status = response.status;
    context = response.headers.get("x-druid-response-context");
    const instead = "ask for a shorter time with from and to";
    body = await boundedBody(response.body, mostBytes, `Druid answers with more than ${mostBytes} bytes: ${instead}`);
  } catch (error) {
    if (error instanceof TooMuchError) throw error;
    throw new BatchQueryError(`Druid at ${broker} does not answer: ${(error as Error).message}`, { cause: error });
  }
  if (status !== 200)
    throw new BatchQueryError(`Druid at ${broker} answers ${status} to ${what}: ${boundedText(body, 500)}`);
  if (isUncovered(context)) throw new BatchQueryError(`Druid at ${broker} serves not every segment that ${what} needs`);
  return body;
}

/** Whether the head of Druid's answer says that the answer lacks segments. */
function isUncovered(context: string | null): boolean {
  const { uncoveredIntervals = [] } = JSON.parse(context ?? "{}") as { uncoveredIntervals?: readonly string[] };
  return uncoveredIntervals.length > 0;
}
