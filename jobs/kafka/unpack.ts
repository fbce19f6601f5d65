import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { compressionsAlgorithms } from "@platformatic/kafka";

/**
 * The most bytes that a batch's records may take unpacked. A few hundred kilobytes may unpack to a thousand times as much:
 * that a reader looks at their length comes too late for its memory. Every layer has the same bound, so that all of them
 * leave out the same records.
 */
export const mostUnpackedBytes = 64 * 1024 * 1024;

/**
 * The records of a batch, unpacked.
 *
 * @param compression as the batch's head names it
 * @returns undefined if they take more than `most` bytes
 * @throws {Error} if they are packed in an unknown way, or damaged
 */
export function unpack(packed: Buffer, compression: number, most = mostUnpackedBytes): Buffer | undefined {
  const { none, gzip, snappy, lz4, zstd } = compressionsAlgorithms;
  switch (compression) {
    case none.bitmask:
      return packed;
    case gzip.bitmask:
      return unlessTooLarge(() => gunzipSync(packed, { maxOutputLength: most }));
    case zstd.bitmask:
      return unlessTooLarge(() => zstdDecompressSync(packed, { maxOutputLength: most }));
    // What unpacks these has no bound: how much it would be is read from what is packed.
    case snappy.bitmask:
      return snappyLength(packed) > most ? undefined : snappy.decompressSync(packed);
    case lz4.bitmask:
      return isLz4Longer(packed, most) ? undefined : lz4.decompressSync(packed);
    default:
      throw new Error(`compressed in an unknown way: ${compression}`);
  }
}

function unlessTooLarge(unpacked: () => Buffer): Buffer | undefined {
  try {
    return unpacked();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return undefined;
    throw error;
  }
}

/** What a stream of the Java library begins with; behind it come pieces, each behind its length. */
const xerialHead = Buffer.from("\x82SNAPPY\0", "latin1");
/** The bytes of that head with the versions behind it. */
const xerialHeadBytes = 16;

/** The unpacked length of what Snappy packed: each piece says it, and is refused if it is not true. */
function snappyLength(packed: Buffer): number {
  if (!packed.subarray(0, xerialHead.length).equals(xerialHead)) return snappyPieceLength(packed);
  let sum = 0;
  for (let at = xerialHeadBytes; at + 4 <= packed.length; ) {
    const size = packed.readUInt32BE(at);
    sum += snappyPieceLength(packed.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return sum;
}

function snappyPieceLength(piece: Buffer): number {
  let [length, unit] = [0, 1];
  for (const byte of piece.subarray(0, 5)) {
    length += (byte & 0x7f) * unit;
    if (byte < 0x80) break;
    unit *= 128;
  }
  return length;
}

/** Bits of the flags of an LZ4 frame. */
const lz4Flags = { dictionary: 1 << 0, contentSize: 1 << 3, blockChecksum: 1 << 4 } as const;
/** The bit of a block's size that says: it is not compressed. */
const lz4Plain = 0x80000000;
/** A length of so much in a sequence's token goes on in the bytes behind it. */
const lz4More = 15;
/** What a match is longer than its token says. */
const lz4LeastMatch = 4;

/** Whether an LZ4 frame unpacks to more bytes than that; false of what is no frame, which is refused when it is unpacked. */
function isLz4Longer(frame: Buffer, most: number): boolean {
  if (frame.length < 7) return false;
  const flags = frame[4] as number;
  const hasSize = (flags & lz4Flags.contentSize) !== 0;
  // Room is made for what the frame claims, true or not.
  if (hasSize && frame.length >= 14 && Number(frame.readBigUInt64LE(6)) > most) return true;
  const head = 7 + (hasSize ? 8 : 0) + ((flags & lz4Flags.dictionary) !== 0 ? 4 : 0);
  const blocks = lz4Blocks(frame, head, (flags & lz4Flags.blockChecksum) !== 0 ? 4 : 0);
  // Between 64 KiB and 4 MiB; mostly it is seen from that alone.
  const largest = 1 << (8 + 2 * (((frame[5] as number) >> 4) & 7));
  if (blocks.length * largest <= most) return false;
  let sum = 0;
  for (const { plain, bytes } of blocks) {
    sum += plain ? bytes.length : lz4BlockLength(bytes);
    if (sum > most) return true;
  }
  return false;
}

function lz4Blocks(frame: Buffer, head: number, checksum: number): { plain: boolean; bytes: Buffer }[] {
  const blocks: { plain: boolean; bytes: Buffer }[] = [];
  for (let at = head; at + 4 <= frame.length; ) {
    const word = frame.readUInt32LE(at);
    if (word === 0) break;
    const size = word & ~lz4Plain;
    blocks.push({ plain: word >= lz4Plain, bytes: frame.subarray(at + 4, at + 4 + size) });
    at += 4 + size + checksum;
  }
  return blocks;
}

/** The unpacked length of a block: the sum of its sequences' literals and matches. */
function lz4BlockLength(block: Buffer): number {
  let sum = 0;
  let at = 0;
  const length = (low: number): number => {
    let all = low;
    if (low === lz4More)
      for (let byte = 255; byte === 255; at++) {
        byte = block[at] ?? 0;
        all += byte;
      }
    return all;
  };
  while (at < block.length) {
    const token = block[at++] as number;
    const literals = length(token >> 4);
    sum += literals;
    at += literals + 2;
    // The last sequence has no match.
    if (at > block.length) break;
    sum += length(token & 0x0f) + lz4LeastMatch;
  }
  return sum;
}
