/** Which records of the log are events, read plainly: the oracle shares nothing of it with the layers. */
import { isDeepStrictEqual } from "node:util";
import type { Application } from "../application.ts";

/** `JSON.parse`'s reviver, with how a number is written, which the types do not have yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** The most lists and objects that an event is nested in. */
const deepest = 100;

/** The event in a record's value; undefined if there is none. */
export function eventOf<Event>(
  { event: schema }: Pick<Application<Event>, "event">,
  value: Uint8Array | null,
  maxEventBytes: number,
): Event | undefined {
  if (value === null || value.length > maxEventBytes) return undefined;
  try {
    // Without the byte order mark, if there is one; an error if it is no UTF-8.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(value);
    const json: unknown = JSON.parse(text);
    if (depthOf(json) > deepest) return undefined;
    const event = schema.safeParse(json);
    if (!event.success) return undefined;
    // Whole numbers that JSON.parse may have rounded, and what is no number any more, may be nowhere that is read.
    let isExact = true;
    const takeOut: Reviver = (_key, number, { source = "" }) => {
      if (typeof number !== "number") return number;
      const isFraction = /[.eE]/.test(source);
      if (Number.isFinite(number) && (isFraction ? keepsDigits(number, source) : isReadExactly(BigInt(source))))
        return number;
      isExact = false;
      return undefined;
    };
    const exact: unknown = JSON.parse(text, takeOut as Parameters<typeof JSON.parse>[1]);
    if (isExact) return event.data;
    const without = exact === undefined ? undefined : schema.safeParse(exact);
    return without?.success && isDeepStrictEqual(without.data, event.data) ? event.data : undefined;
  } catch {
    return undefined;
  }
}

function isReadExactly(whole: bigint): boolean {
  return whole > -(2n ** 53n) && whole < 2n ** 53n;
}

/** Whether a number with a fraction or an exponent is small, or has the digits that it is written with. */
function keepsDigits(number: number, source: string): boolean {
  if (Math.abs(number) < 2 ** 53) return true;
  const significant = source
    .replace(/[eE].*/, "")
    .replace(/[-.]/g, "")
    .replace(/^0+/, "")
    .replace(/0+$/, "");
  const [mantissa = ""] = number.toExponential().split("e");
  return mantissa.replace(/[-.]/g, "") === significant;
}

/** How deep a value of JSON is nested: 0 of a number or a text. */
function depthOf(value: unknown): number {
  let level: unknown[] = [value];
  for (let depth = 0; ; depth++) {
    const lists = level.filter((each) => typeof each === "object" && each !== null) as object[];
    if (lists.length === 0) return depth;
    level = lists.flatMap((each) => Object.values(each));
  }
}
