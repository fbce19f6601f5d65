import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import type { SourceEvent } from "./source.ts";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * The lines of a file of JSON lines, plain or gzip (told by its first bytes), each as it is, one event a line; empty
 * lines are left out. Files of any size: they are read as they are consumed.
 *
 * @throws {Error} if the file cannot be read, or is no whole gzip file
 */
export async function* fileSource(path: string): AsyncGenerator<readonly SourceEvent[]> {
  const compressed = await isGzip(path);
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  const bytes: AsyncIterable<Buffer> = compressed ? decompressed(file) : file;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = data.lastIndexOf(lineFeed);
    rest = data.subarray(end + 1);
    if (end >= 0) yield linesOf(data.subarray(0, end + 1));
  }
  if (rest.length > 0) yield linesOf(rest);
}

async function isGzip(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
}

function decompressed(file: ReturnType<typeof createReadStream>): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  file.once("error", (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

function linesOf(data: Buffer): SourceEvent[] {
  const events: SourceEvent[] = [];
  for (let start = 0; start < data.length; ) {
    const feed = data.indexOf(lineFeed, start);
    const next = feed < 0 ? data.length : feed;
    const end = data[next - 1] === carriageReturn ? next - 1 : next;
    if (end > start) events.push({ value: data.subarray(start, end) });
    start = next + 1;
  }
  return events;
}
