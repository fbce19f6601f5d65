import { crc32 } from "node:zlib";
import { splitLines } from "../lines.ts";

/** What a file of events holds, in three numbers: whether two files can be the same is told without reading either. */
export interface Content {
  /** Its lines. */
  readonly events: number;
  /** Their bytes, line feeds included. */
  readonly bytes: number;
  /**
   * The sum of the CRC-32 of every line without its line feed, modulo 2^48: the sum over many files does not depend on
   * their order, nor on which task has read which line.
   */
  readonly digest: number;
}

/** Digests are counted modulo this. */
export const digestModulus = 2 ** 48;

/** The content of nothing. */
export const noContent: Content = { events: 0, bytes: 0, digest: 0 };

/** The content of files together. */
export function together(contents: Iterable<Content>): Content {
  let [events, bytes, digest] = [0, 0, 0];
  for (const one of contents) {
    events += one.events;
    bytes += one.bytes;
    digest = (digest + one.digest) % digestModulus;
  }
  return { events, bytes, digest };
}

/** Whether two contents are the same. */
export function isSame(a: Content, b: Content): boolean {
  return a.events === b.events && a.bytes === b.bytes && a.digest === b.digest;
}

/** Takes lines one after the other. */
export class ContentCount implements Content {
  events = 0;
  bytes = 0;
  digest = 0;

  /** @param line without its line feed */
  add(line: Uint8Array): void {
    this.events++;
    this.bytes += line.length + 1;
    const digest = this.digest + crc32(line);
    // A sum of two numbers below the modulus: cheaper than a remainder.
    this.digest = digest < digestModulus ? digest : digest - digestModulus;
  }
}

/** The content of a file, read once. */
export async function contentOf(source: AsyncIterable<Uint8Array>): Promise<Content> {
  const count = new ContentCount();
  for await (const lines of splitLines(source)) for (const line of lines) count.add(line);
  const { events, bytes, digest } = count;
  return { events, bytes, digest };
}
