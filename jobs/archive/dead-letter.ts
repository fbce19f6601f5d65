import { isUtf8 } from "node:buffer";
import * as z from "zod";

/** The most bytes of a record's value that its dead letter keeps. */
export const longestValue = 64 * 1024;

/** What the dead-letter topic holds: a record that is no event, or that a view could not take, and why. */
export const deadLetterSchema = z.object({
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  reason: z.string(),
  /** The record's value, cut at 64 KiB; null if it had none. */
  value: z.string().nullable(),
  /** How `value` holds the bytes: as they are, or in Base64 if they are no UTF-8. */
  encoding: z.enum(["utf8", "base64"]),
  /** The bytes of the whole value. */
  bytes: z.int(),
});

export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The dead letter of a record. */
export function deadLetter(
  topic: string,
  partition: number,
  record: { readonly offset: number; readonly value: Buffer | null },
  reason: string,
): DeadLetter {
  const at = { topic, partition, offset: record.offset, reason };
  if (record.value === null) return { ...at, value: null, encoding: "utf8", bytes: 0 };
  const kept = record.value.subarray(0, longestValue);
  const encoding = isUtf8(kept) ? "utf8" : "base64";
  return { ...at, value: kept.toString(encoding), encoding, bytes: record.value.length };
}

/** The dead letter's key in its topic. */
export function deadLetterKey({ topic, partition, offset }: DeadLetter): string {
  return `${topic}-${partition}-${offset}`;
}
