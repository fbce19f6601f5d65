/**
 * A chunk is the offsets `[chunk * size, (chunk + 1) * size)` of a partition: the unit in which events are archived,
 * in which the speed layer writes, and at whose edges a batch view ends. See the README, "How exactness works".
 */

/** Per partition, the offset up to which (exclusive) something reaches. Keys are partition numbers in decimal. */
export type Offsets = Readonly<Record<string, number>>;

/** The chunk that holds the offset. */
export function chunkOf(offset: number, size: number): number {
  return Math.floor(offset / size);
}

/** The chunk's first offset. */
export function chunkStart(chunk: number, size: number): number {
  return chunk * size;
}

/** The offset after the chunk's last. */
export function chunkEnd(chunk: number, size: number): number {
  return (chunk + 1) * size;
}

/** The era of a chunk: so many chunks in a row share a Cassandra partition and are deleted together. */
export function eraOf(chunk: number, chunksPerEra: number): number {
  return Math.floor(chunk / chunksPerEra);
}

/** The first chunk of which a log that begins at the offset holds every event. */
export function firstWholeChunk(earliest: number, size: number): number {
  return Math.ceil(earliest / size);
}
