const encoder = new TextEncoder();

/**
 * The shard that a key's rows are in: FNV-1a (32 bits) of the key's UTF-8, modulo the number of shards. Stored rows
 * depend on it: it may never change.
 *
 * @param key the key's canonical text, see `keyText`
 * @param shards the number of shards a view, see `Configuration.speed.shards`
 */
export function shardOf(key: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % shards;
}
