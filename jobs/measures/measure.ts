/** How a column of a measure's state is stored. */
export interface StateColumn {
  /** The part of the column's name after the measure's, empty if the measure has one column only. */
  readonly suffix: string;
  /** The type in a store: a safe integer, a number, or a string. */
  readonly type: "long" | "double" | "string";
  /** The aggregation by which a store may merge the column itself; none if only {@link Measure.merge} can. */
  readonly merge?: "sum" | "min" | "max";
}

/** One column's stored value. */
export type ColumnValue = number | string | null;

/**
 * A mergeable aggregate: a commutative monoid over `State`, plus how an event enters it and how an answer leaves it
 * (Beam's CombineFn: createAccumulator, addInput, mergeAccumulators, extractOutput).
 *
 * Laws, held by tests: `merge` is associative and commutative, `zero` is its identity, adding events one by one equals
 * merging the states of any split of them, `decode(encode(s))` equals `s`, and equal states have equal encodings.
 */
export interface Measure<Event, State, Value extends number | null = number | null> {
  /** The measure's kind, e.g. `sum`. */
  readonly kind: string;
  /** The columns of the encoded state. */
  readonly columns: readonly StateColumn[];
  /** A fresh state of no events. */
  zero(): State;
  /** The state with one more event. May change and return `state`. Never called with an event that has a problem. */
  add(state: State, event: Event): State;
  /**
   * The state of both inputs' events. May change and return `a`. Never changes `b`, which others keep and merge again,
   * nor returns it, unless states cannot be changed.
   */
  merge(a: State, b: State): State;
  /** The answer of a state. */
  extract(state: State): Value;
  /** One value a column. */
  encode(state: State): ColumnValue[];
  /** The inverse of {@link encode}. */
  decode(values: readonly ColumnValue[]): State;
  /** Why the event cannot enter the measure (e.g. a value that is not a safe integer); undefined if it can. */
  problem?(event: Event): string | undefined;
}

/** A measure of any state: what a view holds. */
// biome-ignore lint/suspicious/noExplicitAny: a view's measures have states of different types that only they look into
export type AnyMeasure<Event> = Measure<Event, any>;
