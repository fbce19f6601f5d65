import { chunkEnd, chunkOf, firstWholeChunk } from "../chunks.ts";

/** How far the rows of a chunk reach. */
export interface ChunkEnd {
  readonly partition: number;
  readonly chunk: number;
  /** All rows of the chunk's events before this offset are acknowledged. */
  readonly end: number;
}

/** What is noted of a chunk, see `progressTable`. */
export interface ChunkProgress extends ChunkEnd {
  /** The log's leader epoch at the last record before the end; -1 if it is not known. */
  readonly leaderEpoch: number;
}

/**
 * The chunk from which a view has to be computed in a partition: the first that is not full, from the batch view's
 * horizon on, or, where no batch view covers anything, from the first chunk that the log still holds whole.
 *
 * @param horizon the offset up to which the batch view covers the partition; if it covers nothing, the first offset of
 *   this life of the log
 * @param earliest the first offset that the log holds
 */
export function resumeChunk(
  progress: readonly ChunkEnd[],
  partition: number,
  horizon: number,
  earliest: number,
  chunkSize: number,
): number {
  const full = new Set(
    progress
      .filter((row) => row.partition === partition && row.end >= chunkEnd(row.chunk, chunkSize))
      .map((row) => row.chunk),
  );
  // The horizon may be in a chunk's middle, where this life of the log begins: then the rest of it is whole.
  const held = earliest <= horizon ? 0 : firstWholeChunk(earliest, chunkSize);
  let chunk = Math.max(chunkOf(horizon, chunkSize), held);
  while (full.has(chunk)) chunk++;
  return chunk;
}
