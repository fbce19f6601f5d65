import { extreme } from "./extreme.ts";
import type { Measure } from "./measure.ts";

/**
 * The smallest number; null if there is none.
 *
 * @param value the number; an event for which it is not finite has a problem and is set aside
 */
export function min<Event>(value: (event: Event) => number): Measure<Event, number | null> {
  return extreme("min", Math.min, value);
}
