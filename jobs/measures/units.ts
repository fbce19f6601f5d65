/** The largest value of an event, in units: 8,192 events may have it before a sum is past what a number holds exactly. */
const most = 2 ** 40;

/** Numbers as whole units of `10^-scale`, whose sums do not depend on their order. */
export interface Units<Event> {
  /** Units a whole. */
  readonly factor: number;
  /** The event's value in units. */
  of(event: Event): number;
  /** Why the event's value cannot be added; undefined if it can. */
  problem(event: Event): string | undefined;
}

/**
 * @param scale decimal places kept: 0 to 9
 * @throws {TypeError} if the scale is out of its range
 */
export function units<Event>(measure: string, value: (event: Event) => number, scale = 0): Units<Event> {
  if (!Number.isInteger(scale) || scale < 0 || scale > 9)
    throw new TypeError(`${measure}: scale must be a whole number from 0 to 9; it is ${scale}`);
  const factor = 10 ** scale;
  // Adding 0 makes 0 of -0, which JSON does not know.
  const of = scale === 0 ? (event: Event) => value(event) + 0 : (event: Event) => Math.round(value(event) * factor) + 0;
  return {
    factor,
    of,
    problem: (event) => {
      const number = of(event);
      if (Number.isInteger(number) && number <= most && number >= -most) return undefined;
      const limit = `±${most / factor}`;
      return scale === 0
        ? `${String(value(event))} is no whole number within ${limit}`
        : `${String(value(event))} is no number within ${limit}`;
    },
  };
}
