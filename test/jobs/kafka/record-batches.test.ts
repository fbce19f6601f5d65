import { CompressionAlgorithms, compressionsAlgorithms, crc32c, createRecord } from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DamagedBatchError } from "../../../jobs/kafka/errors.ts";
import { type AbortedTransaction, recordsOf } from "../../../jobs/kafka/record-batches.ts";
import { mostUnpackedBytes } from "../../../jobs/kafka/unpack.ts";

const transactional = 1 << 4;
const control = 1 << 5;

interface BatchArgs {
  readonly attributes?: number;
  readonly lastOffsetDelta?: number;
  readonly producerId?: bigint;
  readonly compression?: keyof typeof compressionsAlgorithms;
  readonly leaderEpoch?: number;
  /** Of the first record and of the last. Default: a millisecond for each record, from 1,000 on */
  readonly times?: readonly [number, number];
}

interface TestRecord {
  readonly key?: Buffer | null;
  readonly value: Buffer | null;
}

/** A batch as a broker keeps it: its records by the library, its head by Kafka's description of the format. */
function batch(firstOffset: number, values: readonly (string | TestRecord)[], more: BatchArgs = {}) {
  const { attributes = 0, producerId = -1n, lastOffsetDelta = values.length - 1, compression = "none" } = more;
  const { leaderEpoch = 0, times: [from, to] = [1_000, 999 + values.length] } = more;
  const plain = Buffer.concat(
    values.map((given, offsetDelta) => {
      const { key = null, value } = typeof given === "string" ? { value: Buffer.from(given) } : given;
      const message = { topic: "", key, value, timestamp: BigInt(offsetDelta === 0 ? from : to) } as never;
      return createRecord(message, offsetDelta, BigInt(from)).buffer;
    }),
  );
  const { bitmask, compressSync } = compressionsAlgorithms[compression];
  const records = Buffer.from(compressSync(plain));
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(firstOffset), 0);
  head.writeInt32BE(head.length - 12 + records.length, 8);
  head.writeInt32BE(leaderEpoch, 12);
  head.writeInt8(2, 16);
  head.writeInt16BE(attributes | bitmask, 21);
  head.writeInt32BE(lastOffsetDelta, 23);
  head.writeBigInt64BE(BigInt(from), 27);
  head.writeBigInt64BE(BigInt(to), 35);
  head.writeBigInt64BE(producerId, 43);
  head.writeInt32BE(values.length, 57);
  const bytes = Buffer.concat([head, records]);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return { first: firstOffset, last: firstOffset + lastOffsetDelta, bytes };
}

type Batch = ReturnType<typeof batch>;

/** The marker that ends a transaction. */
function marker(offset: number, producerId: bigint, type: "abort" | "commit"): Batch {
  const key = Buffer.from([0, 0, 0, type === "abort" ? 0 : 1]);
  return batch(offset, [{ key, value: Buffer.alloc(6) }], { attributes: transactional | control, producerId });
}

const bytesOf = (batches: readonly Batch[]) => Buffer.concat(batches.map(({ bytes }) => bytes));

const read = (batches: Batch[], start: number, end: number, abortedTransactions: AbortedTransaction[] = []) => {
  const found = recordsOf({ bytes: bytesOf(batches), abortedTransactions }, start, end);
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

  it.each(Object.values(CompressionAlgorithms))(
    "keeps keys, values and tombstones, compressed by %s",
    (compression) => {
      const long = Buffer.from("ü".repeat(20_000));
      const records = [
        { key: Buffer.from("k"), value: null },
        { key: null, value: long },
        { key: Buffer.alloc(0), value: Buffer.alloc(0) },
      ];
      const bytes = batch(4, records, { compression }).bytes;
      expect(recordsOf({ bytes, abortedTransactions: null }, 0, 9).records).toEqual(
        records.map((record, index) => ({ offset: 4 + index, timestamp: index === 0 ? 1_000 : 1_002, ...record })),
      );
    },
  );

  it("goes past a gap that reaches over the end, wherever the log goes on", () => {
    const log = [batch(4_990, ["a", "b"], { lastOffsetDelta: 7 }), batch(5_003, ["c"])];
    expect(read(log, 4_990, 5_000)).toEqual({ offsets: [4_990, 4_991], next: 5_000 });
    expect(read(log.slice(1), 4_998, 5_000)).toEqual({ offsets: [], next: 5_000 });
    expect(read([marker(4_998, 7n, "commit"), ...log.slice(1)], 4_998, 5_000)).toEqual({ offsets: [], next: 5_000 });
  });

  it("comes to the end of every range, with exactly its records, whatever gaps the log has", () => {
    /** A batch, with so many offsets that are gone before it, and at its own end. */
    const piece = fc.record({ gap: fc.nat(6), records: fc.nat(3), tail: fc.nat(6), isMarker: fc.boolean() });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1 }), fc.nat(40), fc.nat(40), fc.nat(3), (pieces, a, b, extra) => {
        const log: Batch[] = [];
        const held: number[] = [];
        let at = 0;
        for (const { gap, records, tail, isMarker } of pieces) {
          at += gap;
          if (isMarker) log.push(marker(at, 7n, "commit"));
          else log.push(batch(at, Array(records).fill("x"), { lastOffsetDelta: Math.max(records - 1, 0) + tail }));
          if (!isMarker) held.push(...Array.from({ length: records }, (_, index) => at + index));
          at = (log.at(-1) as Batch).last + 1;
        }
        const [start, end] = [Math.min(a, b), Math.min(Math.max(a, b), at)];
        const found: number[] = [];
        for (let offset = start; offset < end; ) {
          // A broker answers with the batches from the first on that reaches to the offset, as many as fit.
          const from = log.findIndex(({ last }) => last >= offset);
          const { offsets, next } = read(log.slice(from, from + 1 + extra), offset, end);
          expect(next).toBeGreaterThan(offset);
          found.push(...offsets);
          offset = next;
        }
        expect(found).toEqual(held.filter((offset) => offset >= start && offset < end));
      }),
    );
  });

  it("tells each record's time, whoever gave it, and the epoch of the leader that wrote the last one", () => {
    const values = ["a", "b"];
    const times = [
      [1_000, 1_063],
      [1_000, 1_064],
      [1_000, 900],
      [-5, 1_000_000_000],
    ] as const;
    for (const [from, to] of times) {
      const found = (attributes: number) =>
        recordsOf(
          { bytes: batch(0, values, { times: [from, to], attributes }).bytes, abortedTransactions: null },
          0,
          9,
        ).records.map(({ timestamp }) => timestamp);
      expect(found(0)).toEqual([from, to]);
      expect(found(1 << 3)).toEqual([to, to]);
    }
    const bytes = bytesOf([batch(0, ["a"], { leaderEpoch: 3 }), batch(1, ["b"], { leaderEpoch: 5 })]);
    const epoch = (start: number, end: number) =>
      recordsOf({ bytes, abortedTransactions: null }, start, end).leaderEpoch;
    expect([epoch(0, 1), epoch(0, 2), epoch(1, 2)]).toEqual([3, 5, 5]);
    expect(recordsOf({ bytes: Buffer.alloc(0), abortedTransactions: null }, 0, 9).leaderEpoch).toBe(-1);
  });

  it("refuses a batch of which any bit is another one than was written, and names its offset", () => {
    const { bytes } = batch(4_711, ["a", "b", "c".repeat(50)], { compression: "zstd" });
    const whole = Buffer.concat([batch(4_700, ["x"]).bytes, bytes]);
    const begin = whole.length - bytes.length;
    const offsets = (of: Buffer) =>
      recordsOf({ bytes: of, abortedTransactions: null }, 0, 9_999).records.map(({ offset }) => offset);
    expect(offsets(whole)).toEqual([4_700, 4_711, 4_712, 4_713]);
    // Of what stands before the checksum an offset, the epoch and the length are the broker's own.
    for (let at = 16; at < bytes.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(whole);
        damaged[begin + at] = (damaged[begin + at] as number) ^ (1 << bit);
        expect(() => offsets(damaged), `bit ${bit} of byte ${at}`).toThrow(
          /the batch at offset 47(01|11) is damaged: /,
        );
      }
    expect(new DamagedBatchError(5, "why").of("edits-1").message).toBe(
      "edits-1: the batch at offset 5 is damaged: why",
    );
  });

  it.each(["gzip", "zstd", "snappy", "lz4"] as const)(
    "reads on behind a batch that unpacks to more than is taken, whose records say so: %s",
    (compression) => {
      const large = Buffer.alloc(mostUnpackedBytes / 2);
      const bomb = batch(10, [{ value: large }, { value: large }, { value: large }], { compression });
      expect(bomb.bytes.length).toBeLessThan(mostUnpackedBytes / 10);
      const log = [batch(9, ["before"]), bomb, batch(13, ["behind"])];
      const found = (start: number, end: number) =>
        recordsOf({ bytes: bytesOf(log), abortedTransactions: null }, start, end);
      const { records, next } = found(0, 100);
      expect(next).toBe(14);
      expect(records.map(({ offset, value, problem }) => [offset, value?.toString() ?? null, problem])).toEqual([
        [9, "before", undefined],
        ...[10, 11, 12].map((offset) => [
          offset,
          null,
          expect.stringMatching(/^too large: .* more than 67108864 bytes/),
        ]),
        [13, "behind", undefined],
      ]);
      expect(found(11, 12).records.map(({ offset }) => offset)).toEqual([11]);
    },
  );

  it("takes whole batches only, and tells what they measure", () => {
    const batches = [batch(0, ["a", "b"]), batch(2, ["c".repeat(100)]), batch(3, ["d"])];
    const whole = bytesOf(batches);
    const cut = whole.subarray(0, whole.length - 1);
    expect(recordsOf({ bytes: cut, abortedTransactions: null }, 0, 9)).toMatchObject({
      next: 3,
      span: 3,
      largestBatch: batches[1]?.bytes.length,
    });
    for (const length of [0, 5, 60])
      expect(recordsOf({ bytes: whole.subarray(0, length), abortedTransactions: null }, 7, 9)).toMatchObject({
        records: [],
        next: 7,
        span: 0,
      });
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
    const aborted = [{ producerId: 7n, firstOffset: 1n }];
    expect(read(log, 0, 100, aborted)).toEqual({ offsets: [0, 3, 6, 9], next: 10 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 9 })), (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), 10];
        const offsets = edges.slice(0, -1).flatMap((start, index) => {
          const end = edges[index + 1] as number;
          // A broker answers with the batches from the one that holds the start, and the transactions aborted in them.
          const batches = log.filter(({ first, last }) => first < end && last >= start);
          return read(batches, start, end, start <= 5 && end > 1 ? aborted : []).offsets;
        });
        expect(offsets).toEqual([0, 3, 6, 9]);
      }),
    );
  });
});
