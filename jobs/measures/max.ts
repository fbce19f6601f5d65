import { extreme } from "./extreme.ts";
import type { Measure } from "./measure.ts";

/**
 * The largest number; null if there is none.
 *
 * @param value the number; an event for which it is not finite has a problem and is set aside
 */
export function max<Event>(value: (event: Event) => number): Measure<Event, number | null> {
  return extreme("max", Math.max, value);
}
