import { fetchV13, Reader } from "@platformatic/kafka";
import type { FetchedLog } from "./record-batches.ts";

/** What a broker answers to a fetch of one partition. */
export interface FetchResponse extends FetchedLog {
  /** The offset up to which readers of committed records see the log. */
  readonly lastStableOffset: number;
  /**
   * Where the log stops being the one that the request said it had read, with the last epoch that is the same; undefined
   * if it is that one, or if the request said nothing.
   */
  readonly diverging: { readonly leaderEpoch: number; readonly end: number } | undefined;
}

/** The tag of the field that says where a log diverges. */
const divergingTag = 0;

/** The bytes of fields that are passed over. */
const [int32, int64, uuid] = [4, 8, 16];

/**
 * The response to a fetch (version 13) of one partition, its records left as the bytes that they are: see `recordsOf`.
 *
 * @param bytes the response behind its own head
 * @returns undefined if the partition is not in it
 * @throws {ResponseError} of the library, if the broker answers with an error
 */
export function fetchResponse(bytes: Buffer): FetchResponse | undefined {
  const reader = Reader.from(bytes);
  reader.skip(int32);
  let failed = reader.readInt16() !== 0;
  reader.skip(int32);
  // Lengths are written as one more than they are.
  const isThere = reader.readUnsignedVarInt() > 1 && reader.skip(uuid).readUnsignedVarInt() > 1;
  let response: FetchResponse | undefined;
  if (isThere) {
    failed = reader.skip(int32).readInt16() !== 0 || failed;
    const lastStableOffset = Number(reader.skip(int64).readInt64());
    const abortedTransactions = reader
      .skip(int64)
      .readNullableArray((one) => ({ producerId: one.readInt64(), firstOffset: one.readInt64() }));
    const length = Math.max(0, reader.skip(int32).readUnsignedVarInt() - 1);
    const records = bytes.subarray(reader.position, reader.position + length);
    const diverging = divergingEpoch(reader.skip(length));
    response = { lastStableOffset, abortedTransactions, diverging, bytes: records };
  }
  // The library makes the errors, with all that they tell.
  if (failed) fetchV13.parseResponse(0, fetchV13.api.key, fetchV13.api.version, Reader.from(bytes));
  return response;
}

/** What the fields behind a partition's records say of where its log diverges. */
function divergingEpoch(reader: Reader): FetchResponse["diverging"] {
  for (let left = reader.readUnsignedVarInt(); left > 0; left--) {
    const tag = reader.readUnsignedVarInt();
    const size = reader.readUnsignedVarInt();
    if (tag === divergingTag) return { leaderEpoch: reader.readInt32(), end: Number(reader.readInt64()) };
    reader.skip(size);
  }
  return undefined;
}
