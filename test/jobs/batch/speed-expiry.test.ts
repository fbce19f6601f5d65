import fc from "fast-check";
import { expect, test } from "vitest";
import { eraDeletionTimestamp, expiredProgress, firstNeededEra } from "../../../jobs/batch/speed-expiry.ts";
import { chunkEnd, chunkOf, eraOf } from "../../../jobs/chunks.ts";

const layout = { chunkSize: 100, chunksPerEra: 4 };

test("each partition's own horizon decides which of its eras are needed; one that is not named needs all", () => {
  expect(firstNeededEra({ 0: 1200, 1: 900 }, 0, layout)).toBe(3);
  expect(firstNeededEra({ 0: 1200, 1: 900 }, 1, layout)).toBe(2);
  expect(firstNeededEra({ 0: 1200, 1: 900 }, 2, layout)).toBe(0);
  expect(firstNeededEra({}, 0, layout)).toBe(0);
});

test("no write of an era survives its deletion, and every write of a later one does", () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), (offset) => {
      const chunk = chunkOf(offset, layout.chunkSize);
      const era = eraOf(chunk, layout.chunksPerEra);
      // Of two timestamps that are the same, the deletion wins.
      expect(chunkEnd(chunk, layout.chunkSize)).toBeLessThanOrEqual(eraDeletionTimestamp(era, layout));
      expect(offset + 1).toBeGreaterThan(eraDeletionTimestamp(era - 1, layout));
    }),
  );
});

test("progress expires up to the last chunk before the horizon, which tells which log it was", () => {
  expect(expiredProgress({ 0: 1200, 1: 200, 2: 100, 3: 0 }, layout)).toEqual([
    { partition: 0, chunk: 11, timestamp: 1100 },
    { partition: 1, chunk: 1, timestamp: 100 },
  ]);
});
