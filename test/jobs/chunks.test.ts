import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkEnd, chunkOf, chunkStart, eraOf, firstWholeChunk } from "../../jobs/chunks.ts";

const offset = fc.integer({ min: 0, max: 2 ** 50 });
const size = fc.integer({ min: 1, max: 100_000 });

describe("chunks", () => {
  it("cut a partition without gap or overlap", () => {
    fc.assert(
      fc.property(offset, size, (at, of) => {
        const chunk = chunkOf(at, of);
        expect(chunkStart(chunk, of)).toBeLessThanOrEqual(at);
        expect(chunkEnd(chunk, of)).toBeGreaterThan(at);
        expect(chunkEnd(chunk, of)).toBe(chunkStart(chunk + 1, of));
      }),
    );
  });

  it("begin in a log where it holds a whole one", () => {
    fc.assert(
      fc.property(offset, size, (earliest, of) => {
        const first = firstWholeChunk(earliest, of);
        expect(chunkStart(first, of)).toBeGreaterThanOrEqual(earliest);
        expect(chunkStart(first - 1, of)).toBeLessThan(earliest);
      }),
    );
  });

  it("share eras in a row", () => {
    expect([0, 63, 64, 127, 128].map((chunk) => eraOf(chunk, 64))).toEqual([0, 0, 1, 1, 2]);
  });
});
