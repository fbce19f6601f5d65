import { crc32c, IS_COMPRESSED, IS_CONTROL, IS_TRANSACTIONAL } from "@platformatic/kafka";
import { DamagedBatchError } from "./errors.ts";
import type { LogRecord } from "./log-record.ts";
import { mostUnpackedBytes, unpack } from "./unpack.ts";

/** A transaction that was aborted: its producer's records from the offset on, up to the marker of its end. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** What a broker answers of a partition's log. */
export interface FetchedLog {
  /** Record batches (version 2 of Kafka's format) as they are in the log, the last one perhaps cut off. */
  readonly bytes: Buffer;
  /** Those that the bytes may hold records of. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
}

/** What is found in a fetched log. */
export interface FoundRecords {
  readonly records: LogRecord[];
  /** The offset to go on from. */
  readonly next: number;
  /** The epoch of the leader that wrote the last batch of which something was taken or passed; -1 if there was none. */
  readonly leaderEpoch: number;
  /** Of all whole batches: how many offsets they span, and the bytes of the largest. */
  readonly span: number;
  readonly largestBatch: number;
}

/** The type of a control record that says its producer's transaction was aborted: the last two bytes of its key. */
const abortMarker = 0;

/** The bit of a batch's attributes that says: its time is the one at which the broker appended it. */
const isLogAppendTime = 1 << 3;

/** Where the fields of a batch's head are, and where its records begin. */
const head = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  format: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maximumTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
} as const;
/** The only format of batches that brokers from 4.0 on know. */
const format = 2;
/** The bytes that a batch's length does not count. */
const beforeLength = 12;

/**
 * The records of `[start, end)` in a fetched log, and the offset to go on from.
 *
 * A broker answers in whole batches, as they were written: the first may begin before `start`, the last may reach
 * past `end`. Records of aborted transactions are left out, however the log is cut into fetches. Batches outside of
 * the range are passed over by their head: the library would unpack all of them, and each into an object of its own,
 * which together takes longer than all that a view does with an event.
 *
 * Of a batch that unpacks to more than {@link mostUnpackedBytes} the records come without key and value.
 *
 * @throws {DamagedBatchError} if a batch that begins before the end of the range is not as it was written
 */
export function recordsOf({ bytes, abortedTransactions }: FetchedLog, start: number, end: number): FoundRecords {
  const records: LogRecord[] = [];
  const aborted = new AbortedProducers(abortedTransactions ?? []);
  let [next, leaderEpoch, span, largestBatch] = [start, -1, 0, 0];
  for (let at = 0; at + head.records <= bytes.length; ) {
    const size = beforeLength + bytes.readInt32BE(at + head.length);
    // Where a batch ends is not under its checksum.
    if (size < head.records || bytes[at + head.format] !== format)
      throw new DamagedBatchError(next, `it is no batch of format ${format}`);
    if (at + size > bytes.length) break;
    const batch = bytes.subarray(at, at + size);
    at += size;
    const first = Number(batch.readBigInt64BE(head.baseOffset));
    const after = first + batch.readInt32BE(head.lastOffsetDelta) + 1;
    span += after - first;
    largestBatch = Math.max(largestBatch, size);
    if (first >= end) {
      // Between the batch before and this one there is nothing, not even later: the log is in offset order.
      next = end;
      continue;
    }
    // Before the head is believed: it says that a batch has no records to be read, or ends before the range.
    checkSum(batch, first);
    next = Math.max(next, Math.min(after, end));
    leaderEpoch = batch.readInt32BE(head.leaderEpoch);
    if (aborted.hides(batch, after - 1) || after <= start) continue;
    addRecords(records, batch, first, start, end);
  }
  return { records, next, leaderEpoch, span, largestBatch };
}

/** Adds those of a batch's records that are in the range. */
function addRecords(records: LogRecord[], batch: Buffer, first: number, start: number, end: number): void {
  const bytes = recordBytes(batch, first);
  if (bytes === undefined) {
    addUnread(records, batch, first, start, end);
    return;
  }
  try {
    readRecords(records, batch, bytes, first, start, end);
  } catch (error) {
    throw new DamagedBatchError(first, (error as Error).message);
  }
}

/** Adds the records of a batch that is too large to be unpacked, by what its head tells. */
function addUnread(records: LogRecord[], batch: Buffer, first: number, start: number, end: number): void {
  const timestamp = Number(batch.readBigInt64BE(head.maximumTimestamp));
  const problem = `too large: its batch unpacks to more than ${mostUnpackedBytes} bytes`;
  const after = Math.min(end, first + batch.readInt32BE(head.count));
  for (let offset = Math.max(start, first); offset < after; offset++)
    records.push({ offset, timestamp, key: null, value: null, problem });
}

function readRecords(
  records: LogRecord[],
  batch: Buffer,
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
): void {
  const cursor = new Cursor(bytes);
  const isAppendTime = (batch.readInt16BE(head.attributes) & isLogAppendTime) !== 0;
  const time = Number(batch.readBigInt64BE(isAppendTime ? head.maximumTimestamp : head.baseTimestamp));
  for (let left = batch.readInt32BE(head.count); left > 0; left--) {
    const length = cursor.varInt();
    const record = cursor.position;
    // Its attributes, of which there are none yet.
    cursor.position++;
    const sinceFirst = cursor.varLong();
    const offset = first + cursor.varInt();
    if (offset >= end) return;
    if (offset >= start) {
      const timestamp = isAppendTime ? time : time + sinceFirst;
      records.push({ offset, timestamp, key: cursor.bytes(), value: cursor.bytes() });
    }
    cursor.position = record + length;
  }
}

/** @throws {DamagedBatchError} if the batch is not as it was written */
function checkSum(batch: Buffer, first: number): void {
  const written = batch.readUInt32BE(head.crc);
  const found = crc32c(batch.subarray(head.attributes));
  if (found !== written)
    throw new DamagedBatchError(first, `its CRC-32C is ${found.toString(16)} instead of ${written.toString(16)}`);
}

/**
 * The bytes of a batch's records, unpacked; undefined if they are too many.
 *
 * @throws {DamagedBatchError} if they cannot be unpacked
 */
function recordBytes(batch: Buffer, first: number): Buffer | undefined {
  try {
    return unpack(batch.subarray(head.records), batch.readInt16BE(head.attributes) & IS_COMPRESSED);
  } catch (error) {
    throw new DamagedBatchError(first, (error as Error).message);
  }
}

/** Reads records' fields one after the other. */
class Cursor {
  position = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A whole number of up to 32 bits: zigzag, seven bits a byte, the lowest first. */
  varInt(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.position++];
      if (byte === undefined || shift > 28) throw new RangeError("a record does not end");
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
  }

  /** A whole number of up to 64 bits, as exact as a number can be: written in the same way. */
  varLong(): number {
    let [value, unit] = [0, 1];
    for (let left = 10; ; left--) {
      const byte = this.#bytes[this.position++];
      if (byte === undefined || left === 0) throw new RangeError("a record does not end");
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      unit *= 128;
    }
  }

  /** Bytes behind their length; null if that is -1. */
  bytes(): Buffer | null {
    const length = this.varInt();
    if (length < 0) return null;
    const from = this.position;
    this.position += length;
    return this.#bytes.subarray(from, this.position);
  }
}

/** Follows, batch by batch, which producers are within an aborted transaction. */
class AbortedProducers {
  readonly #coming: AbortedTransaction[];
  readonly #within = new Set<bigint>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#coming = transactions.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** Whether the next batch is none that a reader may see: a transaction's marker, or part of an aborted one. */
  hides(batch: Buffer, last: number): boolean {
    while (this.#coming[0] !== undefined && Number(this.#coming[0].firstOffset) <= last)
      this.#within.add((this.#coming.shift() as AbortedTransaction).producerId);
    const attributes = batch.readInt16BE(head.attributes);
    if ((attributes & (IS_CONTROL | IS_TRANSACTIONAL)) === 0) return false;
    const producerId = batch.readBigInt64BE(head.producerId);
    if ((attributes & IS_CONTROL) === 0) return this.#within.has(producerId);
    const markers: LogRecord[] = [];
    const first = Number(batch.readBigInt64BE(head.baseOffset));
    addRecords(markers, batch, first, first, Number.POSITIVE_INFINITY);
    if (markers[0]?.key?.readInt16BE(2) === abortMarker) this.#within.delete(producerId);
    return true;
  }
}
