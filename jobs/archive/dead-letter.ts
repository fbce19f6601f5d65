import { isUtf8 } from "node:buffer";
import * as z from "zod";
import { boundedText } from "../bounded-text.ts";
import { checkFormat, sharedFormats } from "../formats.ts";
import type { PartitionOfLog } from "./layout.ts";

/** The most bytes of a record's value that its dead letter keeps. */
export const longestValue = 64 * 1024;

/**
 * The most bytes of a dead letter's JSON: a fourth of what topics take. Of a value whose every byte is escaped it keeps
 * less than {@link longestValue}.
 */
export const mostLetterBytes = 256 * 1024;

/** The most characters of a reason: there may be one for every view. */
const longestReason = 4_000;
/** What a byte or a UTF-16 unit takes at most in JSON: those of `\u0000`. */
const mostEscaped = 6;
/** More than names, numbers and punctuation of a letter take. */
const bytesOfRest = 1_024;

/** What the dead-letter topic holds: a record that is no event, or that a view could not take, and why. */
export const deadLetterSchema = z.object({
  /** See `sharedFormats`; former code left it out. */
  format: z.int().default(1),
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  /** Of which life of the log, see jobs/log. Default: the first */
  incarnation: z.int().positive().optional(),
  reason: z.string(),
  /** The record's value, cut at 64 KiB, or earlier where JSON makes more of it; null if it had none. */
  value: z.string().nullable(),
  /** How `value` holds the bytes: as they are, or in Base64 if they are no UTF-8. */
  encoding: z.enum(["utf8", "base64"]),
  /** The bytes of the whole value. */
  bytes: z.int(),
});

export type DeadLetter = z.infer<typeof deadLetterSchema>;

/** The dead letter of a record: its JSON has at most {@link mostLetterBytes} bytes, whatever the record. */
export function deadLetter(
  log: PartitionOfLog,
  record: { readonly offset: number; readonly value: Buffer | null },
  reason: string,
): DeadLetter {
  const { topic, partition, incarnation } = log;
  const format = sharedFormats.deadLetters;
  const life = incarnation === 1 ? {} : { incarnation };
  const at = { format, topic, partition, ...life, offset: record.offset, reason: boundedText(reason, longestReason) };
  const { value } = record;
  if (value === null) return { ...at, value: null, encoding: "utf8", bytes: 0 };
  for (let most = longestValue; ; most = Math.floor(most / 2)) {
    const kept = beginning(value, most);
    const encoding = isUtf8(kept) ? "utf8" : "base64";
    const letter: DeadLetter = { ...at, value: kept.toString(encoding), encoding, bytes: value.length };
    if ((kept.length + longestReason) * mostEscaped + bytesOfRest <= mostLetterBytes) return letter;
    if (Buffer.byteLength(JSON.stringify(letter)) <= mostLetterBytes) return letter;
  }
}

/**
 * The letter in a record's value; undefined if it is none.
 *
 * @throws {UnknownFormatError} if newer code wrote it
 */
export function parseDeadLetter(value: Buffer | null | undefined): DeadLetter | undefined {
  const json = parseJson(value);
  const { format } = z.object({ format: z.int().optional() }).safeParse(json).data ?? {};
  checkFormat("a dead letter", format, sharedFormats.deadLetters);
  return deadLetterSchema.safeParse(json).data;
}

function parseJson(value: Buffer | null | undefined): unknown {
  try {
    return JSON.parse(value?.toString("utf8") ?? "");
  } catch {
    return undefined;
  }
}

/** A letter without its value: what is left to say of a record whose letter the topic refuses. */
export function shortLetter(letter: DeadLetter): DeadLetter {
  const reason = `${boundedText(letter.reason, 200)} (the value is left out: the topic refused the letter with it)`;
  return { ...letter, reason, value: letter.value === null ? null : "", encoding: "utf8" };
}

/** The first bytes of a value; of UTF-8 no part of a character. */
function beginning(value: Buffer, most: number): Buffer {
  if (value.length <= most) return value;
  let end = most;
  while (end > most - 3 && ((value[end] as number) & 0xc0) === 0x80) end--;
  return value.subarray(0, end);
}

/** The dead letter's key in its topic. */
export function deadLetterKey({ topic, partition, offset, incarnation }: DeadLetter): string {
  return `${topic}-${partition}-${offset}${incarnation === undefined ? "" : `-${incarnation}`}`;
}
