import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { isGzip, looksAt, magicBytes, otherKindOfBytes, otherKindOfText } from "./file-kind.ts";
import type { SourceEvent } from "./source.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);
const pieceBytes = 256 * 1024;

/** A file that is not there, not whole, or no JSON lines: its message names the file, and the fix. */
export class FileSourceError extends Error {}

/**
 * The lines of a file of JSON lines, plain or gzip (told by its first bytes), each as it is and with its number, one event
 * a line; empty lines and a byte order mark are left out. Files of any size: they are read as they are consumed, once and
 * from the beginning on, so a pipe does as well.
 *
 * @throws {FileSourceError} if the file cannot be read, is clearly no JSON lines, or is no whole gzip file
 */
export async function* fileSource(path: string): AsyncGenerator<readonly SourceEvent[]> {
  try {
    const problem = await otherThanFile(path);
    if (problem !== undefined) throw new FileSourceError(`${path} cannot be played: ${problem}`);
    yield* linesOfPieces(await textOf(path));
  } catch (error) {
    throw error instanceof FileSourceError ? error : new FileSourceError(`${path} ${whatFailed(error as Error)}`);
  }
}

async function otherThanFile(path: string): Promise<string | undefined> {
  return (await stat(path)).isDirectory() ? "it is a folder; name a file of it" : undefined;
}

function whatFailed({ message, code }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "is not there";
  if (code === "EACCES") return "may not be read by this user";
  if (code === "Z_BUF_ERROR") return "is cut: its gzip data ends before its end";
  if (code?.startsWith("Z_")) return `is damaged: its gzip data cannot be unpacked (${message})`;
  return `cannot be read: ${message}`;
}

/** The bytes of the file's text, unpacked, without a byte order mark, once it is clear that they may be JSON lines. */
async function textOf(path: string): Promise<AsyncIterable<Buffer>> {
  // What is already open has no name that could be opened where it is a socket.
  const isStandardInput = path === "/dev/stdin" || path === "/dev/fd/0";
  const file = createReadStream(path, { highWaterMark: pieceBytes, ...(isStandardInput && { fd: 0 }) });
  const [magic, raw] = await startOf(file, (start) => start.length >= magicBytes);
  const refuse = (problem: string | undefined) => {
    if (problem === undefined) return;
    file.destroy();
    throw new FileSourceError(`${path} cannot be played: ${problem}`);
  };
  refuse(otherKindOfBytes(isGzip(magic) ? Buffer.alloc(0) : magic));
  const [start, text, isWhole] = await startOf(isGzip(magic) ? unpacked(raw) : raw, isEnough);
  refuse(otherKindOfBytes(start.subarray(0, magicBytes)));
  const marked = start.subarray(0, byteOrderMark.length).equals(byteOrderMark);
  refuse(otherKindOfText(start.toString("utf8", marked ? byteOrderMark.length : 0, looksAt.bytes), isWhole));
  return marked ? withoutFirst(text, byteOrderMark.length) : text;
}

/** Whether the start of a text tells all that it can: its first lines, of which one is enough if it is an object. */
function isEnough(start: Buffer): boolean {
  if (start.length >= looksAt.bytes) return true;
  const text = start.toString("utf8").trimStart();
  const lines = text.split("\n");
  return lines.length > looksAt.lines || (lines.length > 1 && /^\{.*\}\s*$/.test(lines[0] as string));
}

/** What a stream begins with, as much as is enough or all, then the stream as if nothing had been read. */
async function startOf(
  stream: AsyncIterable<Buffer>,
  isEnoughOf: (start: Buffer) => boolean,
): Promise<[start: Buffer, whole: AsyncIterable<Buffer>, isWhole: boolean]> {
  const pieces = stream[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  let ended = false;
  while (!ended && !isEnoughOf(start)) {
    const { done, value } = await pieces.next();
    if (done) ended = true;
    else start = start.length === 0 ? value : Buffer.concat([start, value]);
  }
  async function* whole() {
    if (start.length > 0) yield start;
    if (!ended) yield* { [Symbol.asyncIterator]: () => pieces };
  }
  return [start, whole(), ended];
}

async function* withoutFirst(stream: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const piece of stream) {
    yield left === 0 ? piece : piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}

function unpacked(raw: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: pieceBytes });
  return Readable.from(raw, { objectMode: false })
    .once("error", (error) => gunzip.destroy(error))
    .pipe(gunzip);
}

async function* linesOfPieces(pieces: AsyncIterable<Buffer>): AsyncGenerator<readonly SourceEvent[]> {
  let rest: Buffer[] = [];
  let line = 1;
  const linesOf = (data: Buffer): SourceEvent[] => {
    const events: SourceEvent[] = [];
    for (let start = 0; start < data.length; line++) {
      const feed = data.indexOf(lineFeed, start);
      const next = feed < 0 ? data.length : feed;
      const end = data[next - 1] === carriageReturn ? next - 1 : next;
      if (end > start) events.push({ value: data.subarray(start, end), line });
      start = next + 1;
    }
    return events;
  };
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(lineFeed);
    if (end >= 0) {
      const whole = piece.subarray(0, end + 1);
      yield linesOf(rest.length === 0 ? whole : Buffer.concat([...rest, whole]));
      rest = [];
    }
    // Joined when its end has come: a line of many pieces would be copied with each of them.
    if (end + 1 < piece.length) rest.push(piece.subarray(end + 1));
  }
  if (rest.length > 0) yield linesOf(Buffer.concat(rest));
}
