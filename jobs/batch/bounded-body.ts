import { TooMuchError } from "./too-much-error.ts";

/**
 * The text of an answer's body, read no further than a bound.
 *
 * @param mostBytes bytes of UTF-8
 * @throws {TooMuchError} if it is longer; the rest is not read
 */
export async function boundedBody(
  body: AsyncIterable<Uint8Array> | null,
  mostBytes: number,
  tooMuch: string,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop gives the rest up.
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > mostBytes) throw new TooMuchError(tooMuch);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, bytes).toString("utf8");
}
