import { CompressionAlgorithms, compressionsAlgorithms } from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unpack } from "../../../jobs/kafka/unpack.ts";

const { snappy } = compressionsAlgorithms;

/** Bytes of which some can be packed well, some badly. */
const contents = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .record({ byte: fc.nat(255), times: fc.nat(200_000) })
        .map(({ byte, times }) => new Uint8Array(times).fill(byte)),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => Buffer.concat(pieces));

/** As Java's library packs for Snappy: pieces behind a head. */
function xerial(content: Buffer, pieceBytes: number): Buffer {
  const parts: Buffer[] = [Buffer.from("\x82SNAPPY\0\0\0\0\x01\0\0\0\x01", "latin1")];
  for (let at = 0; at < content.length; at += pieceBytes) {
    const piece = snappy.compressSync(content.subarray(at, at + pieceBytes));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(piece.length);
    parts.push(length, piece);
  }
  return Buffer.concat(parts);
}

describe("unpack", () => {
  it.each(Object.values(CompressionAlgorithms).filter((name) => name !== "none"))(
    "gives what was packed, or nothing if it is longer than the bound: %s",
    (name) => {
      const { compressSync, bitmask } = compressionsAlgorithms[name];
      fc.assert(
        fc.property(contents, (content) => {
          fc.pre(content.length > 1);
          const packed = Buffer.from(compressSync(content));
          expect(unpack(packed, bitmask, content.length)?.equals(content)).toBe(true);
          expect(unpack(packed, bitmask, content.length - 1)).toBeUndefined();
        }),
      );
    },
  );

  it("does so with Snappy in pieces, as other clients write it", () => {
    fc.assert(
      fc.property(contents, fc.integer({ min: 1_000, max: 40_000 }), (content, pieceBytes) => {
        fc.pre(content.length > 1);
        const packed = xerial(content, pieceBytes);
        expect(unpack(packed, snappy.bitmask, content.length)?.equals(content)).toBe(true);
        expect(unpack(packed, snappy.bitmask, content.length - 1)).toBeUndefined();
      }),
    );
  });

  it("refuses what is damaged, or packed in a way that it does not know", () => {
    for (const { bitmask } of Object.values(compressionsAlgorithms))
      if (bitmask !== 0) expect(() => unpack(Buffer.from("no frame at all"), bitmask)).toThrow();
    expect(() => unpack(Buffer.alloc(9), 7)).toThrow("compressed in an unknown way: 7");
  });
});
