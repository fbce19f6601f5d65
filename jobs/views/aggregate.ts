import type { View } from "./view.ts";

/** One row of a view: the states of a key in a time step. */
export interface Row {
  readonly key: readonly string[];
  /** The start of the time step, in milliseconds since 1970 (UTC). */
  readonly bucket: number;
  readonly states: unknown[];
}

/** The canonical text of a key: equal keys, equal text. */
export function keyText(key: readonly string[]): string {
  return JSON.stringify(key);
}

/**
 * A view's rows over some events, in memory: what a mapper combines in, what the speed layer keeps of an open chunk,
 * and, over all events, the oracle of the tests.
 */
export class Aggregate<Event> {
  readonly view: View<Event>;
  readonly #rows = new Map<string, Row>();
  readonly #changed = new Set<Row>();
  /** Events that the view could not take (see {@link View.problem}). */
  skipped = 0;

  constructor(view: View<Event>) {
    this.view = view;
  }

  /** Adds an event; one that has a problem is only counted in {@link skipped}. Returns the problem. */
  add(event: Event): string | undefined {
    const problem = this.view.problem(event);
    if (problem !== undefined) {
      this.skipped++;
      return problem;
    }
    const row = this.#row(this.view.key(event), this.view.bucket(event));
    this.view.add(row.states, event);
    this.#changed.add(row);
    return undefined;
  }

  /** Merges a row into this aggregate. */
  merge(row: Row): void {
    const own = this.#row(row.key, row.bucket);
    this.view.merge(own.states, row.states);
    this.#changed.add(own);
  }

  /** The rows, in the order in which their keys first came. */
  rows(): IterableIterator<Row> {
    return this.#rows.values();
  }

  /** The number of rows. */
  get size(): number {
    return this.#rows.size;
  }

  /** The rows changed since the last call. */
  takeChanged(): Row[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  #row(key: string[] | readonly string[], bucket: number): Row {
    const id = `${bucket}${keyText(key)}`;
    let row = this.#rows.get(id);
    if (row === undefined) {
      row = { key, bucket, states: this.view.zero() };
      this.#rows.set(id, row);
    }
    return row;
  }
}
