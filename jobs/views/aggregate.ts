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
  readonly #cells: Cell[] = [];
  /** By time step, and in it by {@link identity}: events that follow each other mostly are of one step. */
  readonly #steps = new Map<number, Map<string, Cell>>();
  #lastBucket = Number.NaN;
  #lastStep = new Map<string, Cell>();
  #changed: Cell[] = [];
  /** Events that the view could not take (see {@link View.problem}). */
  skipped = 0;
  /** The characters of all rows' keys, which may be most of what the rows take. */
  keyCharacters = 0;

  constructor(view: View<Event>) {
    this.view = view;
  }

  /** Adds an event; one that has a problem is only counted in {@link skipped}. Returns the problem. */
  add(event: Event): string | undefined {
    const place = this.view.place(event);
    if (typeof place === "string") {
      this.skipped++;
      return place;
    }
    this.view.add(this.#changing(place.key, place.bucket).row.states, event);
    return undefined;
  }

  /** Merges a row into this aggregate. */
  merge(row: Row): void {
    this.view.merge(this.#changing(row.key, row.bucket).row.states, row.states);
  }

  /** The rows, in the order in which their keys first came. */
  *rows(): IterableIterator<Row> {
    for (const { row } of this.#cells) yield row;
  }

  /** The number of rows. */
  get size(): number {
    return this.#cells.length;
  }

  /** The rows changed since the last call, in the order of their first change. */
  takeChanged(): Row[] {
    const changed = this.#changed;
    this.#changed = [];
    return changed.map((cell) => {
      cell.changed = false;
      return cell.row;
    });
  }

  /** The row's cell, made if there is none, noted as changed. */
  #changing(key: readonly string[], bucket: number): Cell {
    const step = this.#step(bucket);
    const id = identity(key);
    let cell = step.get(id);
    if (cell === undefined) {
      cell = { row: { key, bucket, states: this.view.zero() }, changed: false };
      step.set(id, cell);
      this.keyCharacters += id.length;
      this.#cells.push(cell);
    }
    if (!cell.changed) {
      cell.changed = true;
      this.#changed.push(cell);
    }
    return cell;
  }

  #step(bucket: number): Map<string, Cell> {
    if (bucket === this.#lastBucket) return this.#lastStep;
    let step = this.#steps.get(bucket);
    if (step === undefined) {
      step = new Map();
      this.#steps.set(bucket, step);
    }
    this.#lastBucket = bucket;
    this.#lastStep = step;
    return step;
  }
}

/** A row and whether it is among the changed ones. */
interface Cell {
  readonly row: Row;
  changed: boolean;
}

/** Equal for equal keys of a view only; cheaper than {@link keyText}, which other programs can read. */
function identity(key: readonly string[]): string {
  let id = key[key.length - 1] as string;
  for (let index = key.length - 2; index >= 0; index--) {
    const field = key[index] as string;
    id = `${field.length}:${field}${id}`;
  }
  return id;
}
