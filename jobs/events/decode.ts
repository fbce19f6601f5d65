import { isUtf8 } from "node:buffer";
import type * as z from "zod";
import type { Application } from "../application.ts";

/** An event, or why the bytes are none. */
export type Decoded<Event> = { readonly event: Event; readonly reason?: undefined } | Undecodable;

/** What goes to the dead-letter topic. */
export interface Undecodable {
  readonly event?: undefined;
  readonly reason: string;
}

/** The most of a reason that is kept: a schema may find fault with every field. */
const longestReason = 1_000;

/**
 * The event in a record's value: UTF-8, JSON, and as the application's schema wants it. Every layer decodes by this
 * function, so that all of them leave out the same records.
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
  let json: unknown;
  try {
    json = JSON.parse(value.toString("utf8"));
  } catch (error) {
    return undecodable(`not JSON: ${(error as Error).message}`);
  }
  try {
    const parsed = application.event.safeParse(json);
    if (parsed.success) return { event: parsed.data };
    return undecodable(parsed.error.issues.map(describe).join("; "));
  } catch (error) {
    return undecodable(`the schema failed: ${String(error)}`);
  }
}

/**
 * An event's bytes as one line: JSON has line ends between its tokens only, where a space means the same. Returns the
 * value itself if it has none.
 */
export function oneLine(value: Buffer): Buffer {
  if (!value.includes(0x0a) && !value.includes(0x0d)) return value;
  return Buffer.from(value.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));
}

function describe(issue: z.core.$ZodIssue): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}

function undecodable(reason: string): Undecodable {
  return { reason: reason.length > longestReason ? `${reason.slice(0, longestReason)}…` : reason };
}
