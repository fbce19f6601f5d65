import { Aggregate, keyText, type Row } from "../views/aggregate.ts";
import type { PreviousState } from "./previous-state.ts";
import type { AnyView } from "./store.ts";

/** A row as it is written. */
export interface ChangedRow {
  /** The key's canonical text, see {@link keyText}. */
  readonly key: string;
  /** The start of the time step, in milliseconds since 1970 (UTC). */
  readonly bucket: number;
  /** The encoded states as JSON. */
  readonly state: string;
  /** What the row was when rows were last taken; undefined the first time. */
  readonly previous: PreviousState | undefined;
}

/** A view's rows over the events of a chunk that is read bit by bit, and what was last written of them. */
export class ChunkRows {
  readonly view: AnyView;
  // biome-ignore lint/suspicious/noExplicitAny: an aggregate of any event
  readonly #aggregate: Aggregate<any>;
  readonly #taken = new Map<Row, string>();
  #end: number | undefined;

  constructor(view: AnyView) {
    this.view = view;
    this.#aggregate = new Aggregate(view);
  }

  /** How many rows are kept. */
  get size(): number {
    return this.#aggregate.size;
  }

  /** Adds an event. */
  add(event: unknown): void {
    this.#aggregate.add(event);
  }

  /**
   * The rows changed since the last call, in the order of their first change.
   *
   * @param end the offset of the last event (exclusive)
   * @param isLast whether none are taken after these: what they are is not kept then
   */
  takeChanged(end: number, isLast = false): ChangedRow[] {
    const previousEnd = this.#end;
    this.#end = end;
    return this.#aggregate.takeChanged().map((row) => {
      const state = JSON.stringify(this.view.encode(row.states));
      const before = this.#taken.get(row) ?? "";
      if (!isLast) this.#taken.set(row, state);
      const previous = previousEnd === undefined ? undefined : { end: previousEnd, state: before };
      return { key: keyText(row.key), bucket: row.bucket, state, previous };
    });
  }
}
