import type { ColumnValue } from "../measures/measure.ts";
import type { Row } from "../views/aggregate.ts";
import type { View } from "../views/view.ts";

// biome-ignore lint/suspicious/noExplicitAny: views of any event; rows hold no events
type AnyView = View<any>;

/**
 * What goes from mappers to reducers: `key TAB value`. Both are JSON, which has no tab and no line break, and equal
 * keys of equal views have equal text, so that the sort brings the rows that belong together next to each other.
 */
export function encodeRecord(view: AnyView, { bucket, key, states }: Row): string {
  return `${JSON.stringify([view.name, bucket, ...key])}\t${JSON.stringify(view.encode(states))}`;
}

/** A row with its states as they are stored. */
export interface EncodedRow extends Pick<Row, "bucket" | "key"> {
  /** The values of the view's columns, in order. */
  readonly columns: readonly ColumnValue[];
}

/** The row, its states to be looked into. */
export function decodeRow(view: AnyView, { bucket, key, columns }: EncodedRow): Row {
  return { bucket, key, states: view.decode(columns) };
}

/** What a record says, its states as they are written. */
export interface EncodedRecord extends EncodedRow {
  readonly view: AnyView;
}

/**
 * The inverse of {@link encodeRecord}, but for the states.
 *
 * @throws {Error} if the text is no record of one of the views
 */
export function parseRecord(text: string, views: ReadonlyMap<string, AnyView>): EncodedRecord {
  const tab = text.indexOf("\t");
  if (tab < 0) throw new Error(`record without a tab: ${text}`);
  const [name, bucket, ...key] = JSON.parse(text.slice(0, tab)) as [string, number, ...string[]];
  const view = views.get(name);
  if (view === undefined) throw new Error(`record of an unknown view: ${text}`);
  return { view, bucket, key, columns: JSON.parse(text.slice(tab + 1)) as ColumnValue[] };
}

/** A row as a line of a batch run's output, from which it is loaded into the store of batch views. */
export function outputLine(view: AnyView, { bucket, key, states }: Row): string {
  return recordLine({ view, bucket, key, columns: view.encode(states) });
}

/** The line of {@link outputLine} for a row whose states are written already. */
export function recordLine({ view, bucket, key, columns }: EncodedRecord): string {
  const line: Record<string, ColumnValue> = { view: view.name, __time: bucket };
  for (let index = 0; index < key.length; index++) line[view.keyFields[index] as string] = key[index] as string;
  for (let index = 0; index < columns.length; index++)
    line[view.columns[index]?.name as string] = columns[index] as ColumnValue;
  return JSON.stringify(line);
}
