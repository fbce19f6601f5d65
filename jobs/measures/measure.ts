/** How a column of a measure's state is stored. */
export interface StateColumn {
  /** The part of the column's name after the measure's, empty if the measure has one column only. */
  readonly suffix: string;
  /** The type in a store: a safe integer, a number, or a string. */
  readonly type: "long" | "double" | "string";
  /** The aggregation by which a store may merge the column itself; none if only {@link Measure.merge} can. */
  readonly merge?: "sum" | "min" | "max";
  /**
   * Of a `sum`: values may add up past a long integer, where a store's own sum would turn around without a word. Who
   * asks a store for the sum asks for the sum of their absolute values as well.
   */
  readonly wide?: true;
  /** The most bytes of a value. Default: 24, those of a number */
  readonly mostBytes?: number;
}

/** One column's stored value. A `long` past ±(2^53 - 1) is the text of its digits. */
export type ColumnValue = number | string | null;

/** What a measure answers: a number; the digits of one that a number cannot hold, as a text; null if there is none. */
export type Answer = number | string | null;

/** The order of two answers of one measure: negative if `a` is the smaller one. */
export function compareAnswers(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  // Texts of one measure have the same number of decimal places; a number is never as near to one as this.
  return Number(a) - Number(b) || Number(unitsOf(a) - unitsOf(b));
}

function unitsOf(answer: number | string): bigint {
  return BigInt(String(answer).replace(".", ""));
}

/**
 * A mergeable aggregate: a commutative monoid over `State`, plus how an event enters it and how an answer leaves it
 * (Beam's CombineFn: createAccumulator, addInput, mergeAccumulators, extractOutput).
 *
 * Laws, held by tests: `merge` is associative and commutative, `zero` is its identity, adding events one by one equals
 * merging the states of any split of them, `decode(encode(s))` equals `s`, and equal states have equal encodings.
 */
export interface Measure<Event, State, Value extends Answer = Answer> {
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
  /**
   * The answer of a state.
   *
   * @throws {PastRangeError} if it is past the range in which it is kept exactly
   */
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
