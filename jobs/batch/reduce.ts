import type { Application } from "../application.ts";
import type { View } from "../views/view.ts";
import { type EncodedRecord, parseRecord, recordLine } from "./records.ts";

/** What a reduce task has counted. */
export interface ReduceCounts {
  /** Records read. */
  readonly records: number;
  /** By view: lines given out. */
  readonly output: Readonly<Record<string, number>>;
}

// biome-ignore lint/suspicious/noExplicitAny: views of any event; rows hold no events
type AnyView = View<any>;

const none: readonly string[] = [];

/**
 * The reduce phase: merges the rows of the same view, key and time step, which come one after another. A row that comes
 * alone, as most of a view of many keys do, stays as it is written: reading its states and writing them again would give
 * the same.
 */
export class Reducer<Event> {
  readonly #views: ReadonlyMap<string, AnyView>;
  readonly #output = new Map<string, number>();
  #records = 0;
  /** The text of the current row's key. */
  #key = "";
  #current: EncodedRecord | undefined;
  /** The current row's states, once a second record of it came. */
  #states: unknown[] | undefined;

  constructor(application: Application<Event>) {
    this.#views = new Map(application.views.map((view) => [view.name, view]));
    for (const name of this.#views.keys()) this.#output.set(name, 0);
  }

  /** What has been counted so far. */
  get counts(): ReduceCounts {
    return { records: this.#records, output: Object.fromEntries(this.#output) };
  }

  /** Takes a record; returns the lines to give out. */
  add(line: Buffer): readonly string[] {
    this.#records++;
    const text = line.toString("utf8");
    const key = text.slice(0, text.indexOf("\t"));
    const next = parseRecord(text, this.#views);
    if (this.#current !== undefined && key === this.#key) {
      const { view, columns } = this.#current;
      this.#states ??= view.decode(columns);
      view.merge(this.#states, view.decode(next.columns));
      return none;
    }
    const lines = this.flush();
    this.#key = key;
    this.#current = next;
    return lines;
  }

  /** The line of the last row, if there is one. */
  flush(): readonly string[] {
    if (this.#current === undefined) return none;
    const { view, columns } = this.#current;
    const line = recordLine({
      ...this.#current,
      columns: this.#states === undefined ? columns : view.encode(this.#states),
    });
    this.#current = undefined;
    this.#states = undefined;
    this.#output.set(view.name, (this.#output.get(view.name) as number) + 1);
    return [line];
  }
}
