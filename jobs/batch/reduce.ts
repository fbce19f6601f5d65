import type { Application } from "../application.ts";
import { boundedText } from "../bounded-text.ts";
import { RecordFormat, viewText, viewTextOf } from "./records.ts";

/** What a reduce task has counted. */
export interface ReduceCounts {
  /** Records read. */
  readonly records: number;
  /** By view: lines given out. */
  readonly output: Readonly<Record<string, number>>;
}

/** What is known of the rows of one view. */
interface Rows {
  readonly format: RecordFormat;
  lines: number;
}

const none: readonly string[] = [];

/**
 * The reduce phase: merges the rows of the same view, key and time step, which come one after another. A row that comes
 * alone, as most of a view of many keys do, stays as it is written: reading its states and writing them again would give
 * the same.
 */
export class Reducer<Event> {
  /** By the text of the view's name in records. */
  readonly #views: ReadonlyMap<string, Rows>;
  #records = 0;
  #current: { readonly rows: Rows; readonly key: string; readonly value: string } | undefined;
  /** The current row's states, once a second record of it came. */
  #states: unknown[] | undefined;

  constructor(application: Application<Event>) {
    this.#views = new Map(
      application.views.map((view) => [viewText(view.name), { format: new RecordFormat(view), lines: 0 }]),
    );
  }

  /** What has been counted so far. */
  get counts(): ReduceCounts {
    const output = [...this.#views.values()].map(({ format, lines }) => [format.view.name, lines]);
    return { records: this.#records, output: Object.fromEntries(output) };
  }

  /**
   * Takes a record; returns the lines to give out.
   *
   * @throws {Error} if it is no record of one of the views
   */
  add(line: Buffer): readonly string[] {
    this.#records++;
    const text = line.toString("utf8");
    const tab = text.indexOf("\t");
    if (tab < 0) throw new Error(`record without a tab: ${boundedText(text)}`);
    const key = text.slice(0, tab);
    const value = text.slice(tab + 1);
    if (key === this.#current?.key) {
      const { format } = this.#current.rows;
      this.#states ??= format.states(this.#current.value);
      format.view.merge(this.#states, format.states(value));
      return none;
    }
    const rows = this.#views.get(viewTextOf(key));
    if (rows === undefined) throw new Error(`record of an unknown view: ${boundedText(text)}`);
    const lines = this.flush();
    this.#current = { rows, key, value };
    return lines;
  }

  /** The line of the last row, if there is one. */
  flush(): readonly string[] {
    if (this.#current === undefined) return none;
    const { rows, key, value } = this.#current;
    const line = key + (this.#states === undefined ? value : rows.format.value(this.#states));
    this.#current = undefined;
    this.#states = undefined;
    rows.lines++;
    return [line];
  }
}
