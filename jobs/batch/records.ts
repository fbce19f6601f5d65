import type { ColumnValue } from "../measures/measure.ts";
import type { Row } from "../views/aggregate.ts";
import type { View } from "../views/view.ts";

// biome-ignore lint/suspicious/noExplicitAny: views of any event; rows hold no events
type AnyView = View<any>;

/** A row with its states as they are stored. */
export interface EncodedRow extends Pick<Row, "bucket" | "key"> {
  /** The values of the view's columns, in order. */
  readonly columns: readonly ColumnValue[];
}

/** The row, its states to be looked into. */
export function decodeRow(view: AnyView, { bucket, key, columns }: EncodedRow): Row {
  return { bucket, key, states: view.decode(columns) };
}

/**
 * How a view's rows are written by a batch run: as lines of its output, from which they are loaded into the store of
 * batch views, each a JSON object `{"view": name, "__time": start of the step in ms, <key fields>, <columns>}`.
 *
 * What goes from mappers to reducers is that line with a tab before its columns, `key TAB value`. JSON itself has no
 * tab and no line break. Equal keys of equal views have equal text, so that the sort brings the rows that belong
 * together next to each other; a row that comes alone is its line without the tab.
 */
export class RecordFormat {
  readonly view: AnyView;
  /** What every key of the view begins with. */
  readonly #begin: string;
  /** What is before each key field's value, and before each column's. */
  readonly #fields: readonly string[];
  readonly #columns: readonly string[];

  constructor(view: AnyView) {
    this.view = view;
    this.#begin = `${viewText(view.name)}${timeName}`;
    const nameOf = (name: string) => `,${JSON.stringify(name)}:`;
    this.#fields = view.keyFields.map(nameOf);
    this.#columns = view.columns.map(({ name }) => nameOf(name));
  }

  /** The record of a row. */
  record({ bucket, key, states }: Row): string {
    let text = this.#begin + bucket;
    for (let index = 0; index < key.length; index++) text += this.#fields[index] + JSON.stringify(key[index]);
    return `${text}\t${this.value(states)}`;
  }

  /** The line of a row. */
  line(row: Row): string {
    return recordLine(this.record(row));
  }

  /** What a record says behind its tab. */
  value(states: readonly unknown[]): string {
    const values = this.view.encode(states);
    let text = "";
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as ColumnValue;
      // Numbers are most of it, and are the same in JSON.
      text += (this.#columns[index] as string) + (typeof value === "number" ? value : JSON.stringify(value));
    }
    return `${text}}`;
  }

  /** The inverse of {@link value}. */
  states(value: string): unknown[] {
    const values = JSON.parse(`{${value.slice(1)}`) as Record<string, ColumnValue>;
    return this.view.decode(this.view.columns.map(({ name }) => values[name] as ColumnValue));
  }
}

/** The line of a record. */
export function recordLine(record: string): string {
  return record.replace("\t", "");
}

/** The text of the view's name in a record, which tells records of different views apart. */
export function viewText(name: string): string {
  return `{"view":${JSON.stringify(name)}`;
}

/** The {@link viewText} of a record, whatever the view. */
export function viewTextOf(record: string): string {
  return record.slice(0, record.indexOf(timeName));
}

const timeName = ',"__time":';
