/**
 * The one rule of what fits a view, for every layer and every store that may be chosen: see {@link View.place}. An event
 * that does not fit is a dead letter for that view alone, and stops nothing. What a store cannot keep must be refused
 * here, never there: a store's refusal would come again for ever.
 */
import { quoted } from "../bounded-text.ts";
import { longestTime } from "./time.ts";

/**
 * The most bytes of a key: of its canonical text (`keyText`, in UTF-8), which every store keeps or which is longer than
 * what it keeps. Cassandra takes 65,535 bytes in a clustering column, HBase 32,767 in a row key, of which time step and
 * shard need some. A key of so many bytes can be asked for: its question has three times as many at most.
 */
export const mostKeyBytes = 32_000;

/** The most fields of a key: each is a column in a store, and a parameter of a question. */
export const mostKeyFields = 32;

/** The most measures of a view. */
export const mostMeasures = 100;

/** The most characters of the name of a key field or a measure. */
export const longestFieldName = 64;

/**
 * The most bytes of a row's encoded states. A speed view's row has them twice; Cassandra takes 8 MiB in a write, HBase
 * 10 MiB in a cell. How many they can be is a matter of the view's measures, not of its events.
 */
export const mostStateBytes = 1024 * 1024;

/** The most bytes of a character of a key (a UTF-16 unit) in its canonical text: those of `\u0000`. */
const mostBytesOfCharacter = 6;
/** What a field takes in the canonical text beside its characters: quotes and a comma or bracket. */
const bytesOfField = 4;

/** Why an event of this key cannot enter the view; undefined if it can. */
export function keyProblem(fields: readonly string[], key: readonly string[]): string | undefined {
  let characters = 0;
  for (let index = 0; index < key.length; index++) {
    const value: unknown = key[index];
    if (typeof value !== "string") return `key field ${fields[index]} is no text: ${quoted(value)}`;
    // Stores keep UTF-8, in which every half of a surrogate pair looks the same.
    if (!value.isWellFormed()) return `key field ${fields[index]} is no well-formed Unicode`;
    characters += value.length;
  }
  // Measured only where it could be too long.
  if (characters * mostBytesOfCharacter + key.length * bytesOfField <= mostKeyBytes) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(key));
  if (bytes <= mostKeyBytes) return undefined;
  const lengths = key.map((value) => value.length);
  const longest = fields[lengths.indexOf(Math.max(...lengths))];
  return `key of ${bytes} bytes, most of them in field ${longest}: at most ${mostKeyBytes} fit every store`;
}

/** Why an event of this time cannot enter any view. */
export function timeProblem(time: unknown): string {
  return `time ${quoted(time)} is no ISO 8601 with a time zone in the years 1 to 9999 (an existing day, at most ${longestTime} characters)`;
}
