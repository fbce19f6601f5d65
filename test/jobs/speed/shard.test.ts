import { expect, test } from "vitest";
import { shardOf } from "../../../jobs/speed/shard.ts";

test("is FNV-1a of the UTF-8, so that stored rows are found again", () => {
  const all = 2 ** 32;
  // The published test vectors of FNV-1a, 32 bits.
  expect(shardOf("", all)).toBe(0x811c9dc5);
  expect(shardOf("a", all)).toBe(0xe40c292c);
  expect(shardOf("foobar", all)).toBe(0xbf9cf968);
  expect(shardOf("é", all)).toBe(shardOf("\u00e9", all));
});

test("spreads keys over all shards", () => {
  const counts = new Array<number>(8).fill(0);
  for (let index = 0; index < 8000; index++) {
    const shard = shardOf(JSON.stringify(["#en.wikipedia", `Page ${index}`]), 8);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  for (const count of counts) expect(count).toBeGreaterThan(800);
});

test("a key of any characters is hashed over its UTF-8, wherever the first other than ASCII stands", () => {
  const fnv = (bytes: Uint8Array) => bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
  for (const key of ["Plain", "Grüße", "é", "日本語", "ends in 😀", "\u007f\u0080"])
    expect(shardOf(key, 2 ** 32)).toBe(fnv(new TextEncoder().encode(key)));
});
