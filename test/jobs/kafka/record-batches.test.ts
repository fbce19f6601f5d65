import type { RecordsBatch } from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recordsOf } from "../../../jobs/kafka/record-batches.ts";

const transactional = 1 << 4;
const control = 1 << 5;

function batch(firstOffset: number, values: readonly string[], more: Partial<RecordsBatch> = {}): RecordsBatch {
  return {
    firstOffset: BigInt(firstOffset),
    lastOffsetDelta: values.length - 1,
    attributes: 0,
    producerId: -1n,
    records: values.map((value, offsetDelta) => ({ offsetDelta, key: null, value: Buffer.from(value), headers: [] })),
    ...more,
  } as unknown as RecordsBatch;
}

/** The marker that ends a transaction. */
function marker(offset: number, producerId: bigint, type: "abort" | "commit"): RecordsBatch {
  const key = Buffer.from([0, 0, 0, type === "abort" ? 0 : 1]);
  const records = [{ offsetDelta: 0, key, value: Buffer.alloc(6), headers: [] }] as never;
  return batch(offset, [""], { attributes: transactional | control, producerId, records });
}

const read = (records: RecordsBatch[], start: number, end: number, abortedTransactions: never[] = []) => {
  const found = recordsOf({ records, abortedTransactions }, start, end);
  return { offsets: found.records.map(({ offset }) => offset), next: found.next };
};

describe("recordsOf", () => {
  it("skips what whole batches hold before and after the range", () => {
    const batches = [batch(0, ["a", "b", "c"]), batch(3, ["d", "e", "f"])];
    expect(read(batches, 1, 5)).toEqual({ offsets: [1, 2, 3, 4], next: 5 });
    expect(read(batches, 0, 100)).toEqual({ offsets: [0, 1, 2, 3, 4, 5], next: 6 });
    expect(read([], 7, 100)).toEqual({ offsets: [], next: 7 });
  });

  it("goes past offsets that compaction took away", () => {
    const compacted = batch(10, ["a", "b"], { lastOffsetDelta: 9 });
    expect(read([compacted], 10, 100)).toEqual({ offsets: [10, 11], next: 20 });
    expect(read([compacted], 10, 15)).toEqual({ offsets: [10, 11], next: 15 });
  });

  it("keeps keys, values and tombstones", () => {
    const records = [{ offsetDelta: 0, key: Buffer.from("k"), value: null, headers: [] }] as never;
    expect(recordsOf({ records: [batch(4, ["x"], { records })], abortedTransactions: null }, 0, 9).records).toEqual([
      { offset: 4, key: Buffer.from("k"), value: null },
    ]);
  });

  it("leaves out markers and aborted transactions, wherever the fetches cut the log", () => {
    const of = (producerId: bigint) => ({ attributes: transactional, producerId });
    const log = [
      batch(0, ["a"]),
      batch(1, ["aborted", "aborted"], of(7n)),
      batch(3, ["kept"], of(8n)),
      batch(4, ["aborted"], of(7n)),
      marker(5, 7n, "abort"),
      batch(6, ["kept"], of(7n)),
      marker(7, 8n, "commit"),
      marker(8, 7n, "commit"),
      batch(9, ["z"]),
    ];
    const aborted = [{ producerId: 7n, firstOffset: 1n }] as never[];
    expect(read(log, 0, 100, aborted)).toEqual({ offsets: [0, 3, 6, 9], next: 10 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 9 })), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), 10];
        const offsets = edges.slice(0, -1).flatMap((start, index) => {
          const end = edges[index + 1] as number;
          // A broker answers with the batches from the one that holds the start, and the transactions aborted in them.
          const batches = log.filter(
            ({ firstOffset, lastOffsetDelta }) =>
              Number(firstOffset) < end && Number(firstOffset) + lastOffsetDelta >= start,
          );
          return read(batches, start, end, start <= 5 && end > 1 ? aborted : []).offsets;
        });
        expect(offsets).toEqual([0, 3, 6, 9]);
      }),
    );
  });
});
