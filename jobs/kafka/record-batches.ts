import type { fetchV13, RecordsBatch } from "@platformatic/kafka";
import { IS_CONTROL, IS_TRANSACTIONAL } from "@platformatic/kafka";
import type { LogRecord } from "./range-reader.ts";

type FetchedPartition = ReturnType<typeof fetchV13.parseResponse>["responses"][number]["partitions"][number];

/** The type of a control record that says its producer's transaction was aborted: the last two bytes of its key. */
const abortMarker = 0;

/**
 * The records of `[start, end)` in a fetched partition, and the offset to go on from.
 *
 * A broker answers in whole batches, as they were written: the first may begin before `start`, the last may reach
 * past `end`. Records of aborted transactions are left out, however the log is cut into fetches.
 */
export function recordsOf(
  fetched: Pick<FetchedPartition, "records" | "abortedTransactions">,
  start: number,
  end: number,
): { records: LogRecord[]; next: number } {
  const records: LogRecord[] = [];
  let next = start;
  const aborted = new AbortedProducers(fetched.abortedTransactions ?? []);
  for (const batch of fetched.records ?? []) {
    const first = Number(batch.firstOffset);
    if (first >= end) break;
    next = Math.max(next, Math.min(first + batch.lastOffsetDelta + 1, end));
    if (aborted.hides(batch, first)) continue;
    for (const record of batch.records) {
      const offset = first + record.offsetDelta;
      if (offset < start) continue;
      if (offset >= end) break;
      // A null value is a tombstone, which the library's types leave out.
      records.push({ offset, key: record.key, value: record.value as Buffer | null });
    }
  }
  return { records, next };
}

/** Follows, batch by batch, which producers are within an aborted transaction. */
class AbortedProducers {
  readonly #coming: { readonly producerId: bigint; readonly firstOffset: bigint }[];
  readonly #within = new Set<bigint>();

  constructor(transactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]) {
    this.#coming = transactions.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** Whether the next batch is none that a reader may see: a transaction's marker, or part of an aborted one. */
  hides(batch: RecordsBatch, first: number): boolean {
    const last = first + batch.lastOffsetDelta;
    while (this.#coming[0] !== undefined && Number(this.#coming[0].firstOffset) <= last)
      this.#within.add((this.#coming.shift() as { producerId: bigint }).producerId);
    if ((batch.attributes & IS_CONTROL) !== 0) {
      if (batch.records[0]?.key?.readInt16BE(2) === abortMarker) this.#within.delete(batch.producerId);
      return true;
    }
    return (batch.attributes & IS_TRANSACTIONAL) !== 0 && this.#within.has(batch.producerId);
  }
}
