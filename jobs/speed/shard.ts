const encoder = new TextEncoder();

/** FNV-1a's own numbers. */
const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/**
 * The shard that a key's rows are in: FNV-1a (32 bits) of the key's UTF-8, modulo the number of shards. Stored rows
 * depend on it: it may never change.
 *
 * @param key the key's canonical text, see `keyText`
 * @param shards the number of shards a view, see `Configuration.speed.shards`
 */
export function shardOf(key: string, shards: number): number {
  let hash = offsetBasis;
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index);
    // ASCII is its own UTF-8, and most keys are nothing else: encoding them takes ten times as long.
    if (unit >= 0x80) return shardOfBytes(encoder.encode(key), shards);
    hash = Math.imul(hash ^ unit, prime);
  }
  return (hash >>> 0) % shards;
}

function shardOfBytes(bytes: Uint8Array, shards: number): number {
  let hash = offsetBasis;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, prime);
  return (hash >>> 0) % shards;
}
