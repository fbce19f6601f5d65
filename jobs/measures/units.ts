import { quoted } from "../bounded-text.ts";

/** The largest value of an event, in units: eight million events may have it before a sum is past its range. */
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
  const toUnits = scale === 0 ? (number: number) => number + 0 : (number: number) => rounded(number * factor) + 0;
  return {
    factor,
    of: (event) => toUnits(value(event)),
    problem: (event) => {
      const given: unknown = value(event);
      if (typeof given === "number") {
        const number = toUnits(given);
        if (Number.isInteger(number) && number <= most && number >= -most) return undefined;
      }
      return `${quoted(given)} is no ${scale === 0 ? "whole " : ""}number within ±${most / factor}`;
    },
  };
}

/** Halves away from zero, so that an amount and its refund add up to nothing; `Math.round` rounds them up. */
function rounded(number: number): number {
  return number < 0 ? -Math.round(-number) : Math.round(number);
}
