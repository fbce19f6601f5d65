import type { Application } from "../application.ts";
import { decodeRecord, outputLine, type ViewRow } from "./records.ts";

/** What a reduce task has counted. */
export interface ReduceCounts {
  /** Records read. */
  readonly records: number;
  /** By view: lines given out. */
  readonly output: Readonly<Record<string, number>>;
}

/** The reduce phase: merges the rows of the same view, key and time step, which come one after another. */
export class Reducer<Event> {
  readonly #views: ReadonlyMap<string, ViewRow["view"]>;
  readonly #output = new Map<string, number>();
  #records = 0;
  #key = "";
  #current: ViewRow | undefined;

  constructor(application: Application<Event>) {
    this.#views = new Map(application.views.map((view) => [view.name, view]));
    for (const name of this.#views.keys()) this.#output.set(name, 0);
  }

  /** What has been counted so far. */
  get counts(): ReduceCounts {
    return { records: this.#records, output: Object.fromEntries(this.#output) };
  }

  /** Takes a record; returns the lines to give out. */
  add(line: Buffer): string[] {
    this.#records++;
    const record = line.toString("utf8");
    const key = record.slice(0, record.indexOf("\t"));
    const next = decodeRecord(record, this.#views);
    if (this.#current !== undefined && key === this.#key) {
      this.#current.view.merge(this.#current.row.states, next.row.states);
      return [];
    }
    const lines = this.flush();
    this.#key = key;
    this.#current = next;
    return lines;
  }

  /** The line of the last row, if there is one. */
  flush(): string[] {
    if (this.#current === undefined) return [];
    const { view, row } = this.#current;
    this.#current = undefined;
    this.#output.set(view.name, (this.#output.get(view.name) as number) + 1);
    return [outputLine(view, row)];
  }
}
