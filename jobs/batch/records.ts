import type { ColumnValue } from "../measures/measure.ts";
import type { Row } from "../views/aggregate.ts";
import type { View } from "../views/view.ts";

// biome-ignore lint/suspicious/noExplicitAny: views of any event; rows hold no events
type AnyView = View<any>;

/** A row with the view that it is of. */
export interface ViewRow {
  readonly view: AnyView;
  readonly row: Row;
}

/**
 * What goes from mappers to reducers: `key TAB value`. Both are JSON, which has no tab and no line break, and equal
 * keys of equal views have equal text, so that the sort brings the rows that belong together next to each other.
 */
export function encodeRecord(view: AnyView, { bucket, key, states }: Row): string {
  return `${JSON.stringify([view.name, bucket, ...key])}\t${JSON.stringify(view.encode(states))}`;
}

/**
 * The inverse of {@link encodeRecord}.
 *
 * @throws {Error} if the text is no record of one of the views
 */
export function decodeRecord(text: string, views: ReadonlyMap<string, AnyView>): ViewRow {
  const tab = text.indexOf("\t");
  if (tab < 0) throw new Error(`record without a tab: ${text}`);
  const [name, bucket, ...key] = JSON.parse(text.slice(0, tab)) as [string, number, ...string[]];
  const view = views.get(name);
  if (view === undefined) throw new Error(`record of an unknown view: ${text}`);
  return { view, row: { bucket, key, states: view.decode(JSON.parse(text.slice(tab + 1)) as ColumnValue[]) } };
}

/** A row as a line of a batch run's output, from which it is loaded into the store of batch views. */
export function outputLine(view: AnyView, { bucket, key, states }: Row): string {
  const fields = view.keyFields.map((field, index) => [field, key[index]]);
  const columns = view.encode(states).map((value, index) => [view.columns[index]?.name, value]);
  return JSON.stringify({ view: view.name, __time: bucket, ...Object.fromEntries([...fields, ...columns]) });
}
