import { isUtf8 } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import type * as z from "zod";
import type { Application } from "../application.ts";
import { boundedText, errorText, quoted } from "../bounded-text.ts";
import { isReadBack, isRounded, parseNumbers } from "../exact-json.ts";

/** An event, or why the bytes are none. */
export type Decoded<Event> = { readonly event: Event; readonly reason?: undefined } | Undecodable;

/** What goes to the dead-letter topic. */
export interface Undecodable {
  readonly event?: undefined;
  readonly reason: string;
}

/** Issues of a schema that a reason names: it may find fault with every field. */
const mostIssues = 10;
/** The most characters of an issue: it may name a key or a path of the input. */
const longestIssue = 300;

/**
 * How deep lists and objects of an event may be nested. A schema that follows them deeper needs the more stack the deeper it
 * goes, of which programs have different amounts: one layer would take what another cannot.
 */
export const deepest = 100;

/** A byte order mark in UTF-8. */
const mark = Buffer.from("\ufeff");

/**
 * The event in a record's value: UTF-8, JSON, and as the application's schema wants it. Every layer decodes by this
 * function, so that all of them leave out the same records.
 *
 * A byte order mark before the JSON is ignored, as RFC 8259 allows: it says nothing, and the rest is what was meant. A
 * whole number past ±(2^53 - 1), which JSON rounds, makes a value no event, unless the schema leaves its field out; so
 * does a number of that size with a fraction or an exponent that is another one than what is written.
 *
 * @param maxEventBytes what is longer is no event
 */
export function decodeEvent<Event>(
  application: Pick<Application<Event>, "event">,
  value: Buffer | null,
  maxEventBytes: number,
): Decoded<Event> {
  if (value === null) return { reason: "there is no value" };
  if (value.length > maxEventBytes) return { reason: `larger than ${maxEventBytes} bytes: ${value.length}` };
  if (!isUtf8(value)) return { reason: "not UTF-8" };
  const text = value.toString("utf8", isMarked(value) ? mark.length : 0);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return undecodable(`not JSON: ${errorText(error)}`);
  }
  const finding = findingOf(json, deepest);
  if (finding === deep) return { reason: `nested deeper than ${deepest} lists and objects` };
  try {
    const parsed = application.event.safeParse(json);
    if (!parsed.success) return undecodable(parsed.error.issues.slice(0, mostIssues).map(describe).join("; "));
    if (finding === unsafe) {
      const rounded = roundedNumber(application, text, parsed.data);
      if (rounded !== undefined) return undecodable(rounded);
    }
    return { event: parsed.data };
  } catch (error) {
    return undecodable(`the schema failed: ${errorText(error)}`);
  }
}

function isMarked(value: Buffer): boolean {
  return value[0] === mark[0] && value.subarray(0, mark.length).equals(mark);
}

/** What there is to say of a value: nothing, a number past what JSON reads exactly, or nested too deep. */
const [fine, unsafe, deep] = [0, 1, 2];

/** What there is to say of a list or object. It is asked of every event: this is the way that takes the least of it. */
function findingOf(value: unknown, depth: number): number {
  if (typeof value === "number") return isSafe(value) ? fine : unsafe;
  if (typeof value !== "object" || value === null) return fine;
  return Array.isArray(value)
    ? findingInList(value, depth)
    : findingInObject(value as Readonly<Record<string, unknown>>, depth);
}

function findingInObject(value: Readonly<Record<string, unknown>>, depth: number): number {
  if (depth === 0) return deep;
  let found = fine;
  for (const key in value) {
    const inner = value[key];
    if (typeof inner === "number") {
      if (!isSafe(inner)) found = unsafe;
    } else if (typeof inner === "object" && inner !== null) {
      const finding = findingOf(inner, depth - 1);
      if (finding === deep) return deep;
      if (finding !== fine) found = finding;
    }
  }
  return found;
}

function findingInList(value: readonly unknown[], depth: number): number {
  if (depth === 0) return deep;
  let found = fine;
  for (let index = 0; index < value.length; index++) {
    const finding = findingOf(value[index], depth - 1);
    if (finding === deep) return deep;
    if (finding !== fine) found = finding;
  }
  return found;
}

function isSafe(number: number): boolean {
  return number <= Number.MAX_SAFE_INTEGER && number >= Number.MIN_SAFE_INTEGER;
}

/** A number of JSON that is not what is written. */
class RoundedNumber {
  readonly written: string;

  constructor(written: string) {
    this.written = written;
  }
}

/** Why numbers of an event are not what is written; undefined if its schema leaves them out, or they are. */
function roundedNumber<Event>(
  { event }: Pick<Application<Event>, "event">,
  text: string,
  decoded: Event,
): string | undefined {
  const json = parseNumbers(text, (number, written) =>
    isRounded(number, written) || !(isSafe(number) || isReadBack(number, written))
      ? new RoundedNumber(written)
      : number,
  );
  if (json instanceof RoundedNumber) return reasonOf("the event", json);
  const reasons: string[] = [];
  takeOut(json, [], (path, number) => reasons.push(reasonOf(path.join("."), number)));
  if (reasons.length === 0) return undefined;
  // The same event without them means that nobody reads them.
  const without = event.safeParse(json);
  if (without.success && isDeepStrictEqual(without.data, decoded)) return undefined;
  return reasons.slice(0, mostIssues).join("; ");
}

function reasonOf(field: string, { written }: RoundedNumber): string {
  return boundedText(
    `${boundedText(field, 200)}: ${quotedNumber(written)} is past ±${Number.MAX_SAFE_INTEGER}, up to where numbers of JSON are read exactly: write it as a text`,
  );
}

function quotedNumber(written: string): string {
  return written.length > 40 ? `${written.slice(0, 40)}… (${written.length} characters)` : written;
}

/** Takes the rounded numbers out of a value, in place. */
function takeOut(
  value: unknown,
  path: readonly string[],
  found: (path: readonly string[], number: RoundedNumber) => void,
) {
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (inner instanceof RoundedNumber) {
      found([...path, key], inner);
      delete (value as Record<string, unknown>)[key];
    } else takeOut(inner, [...path, key], found);
  }
}

/**
 * An event's bytes as one line of a file: JSON has line ends between its tokens only, where a space means the same. A byte
 * order mark is left out: where a file begins with one, Hadoop takes it for the file's, not the event's. Nothing is copied
 * if it is such a line already.
 */
export function oneLine(value: Buffer): Buffer {
  const line = isMarked(value) ? value.subarray(mark.length) : value;
  if (!line.includes(0x0a) && !line.includes(0x0d)) return line;
  return Buffer.from(line.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));
}

function describe(issue: z.core.$ZodIssue): string {
  const message = issue.code === "unrecognized_keys" ? `there is no field ${quoted(issue.keys[0])}` : issue.message;
  return boundedText(
    issue.path.length === 0 ? message : `${boundedText(issue.path.map(String).join("."), 200)}: ${message}`,
    longestIssue,
  );
}

function undecodable(reason: string): Undecodable {
  return { reason: boundedText(reason) };
}
