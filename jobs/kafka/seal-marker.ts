import type { LogRecord } from "./log-record.ts";

/**
 * The key of a seal marker: a record without a value that moves a partition's end to its chunk's edge, so that a chunk
 * that would take long to fill is closed early. See the README, "A slow topic".
 */
export const sealMarkerKey = "lambda-architecture/seal";

const keyBytes = Buffer.from(sealMarkerKey);

/**
 * Whether the record is a seal marker: no event, and no dead letter. Every other record without a value is a dead
 * letter. Layers that only look for events pass over both, see `decodeEvent`.
 */
export function isSealMarker({ key, value }: Pick<LogRecord, "key" | "value">): boolean {
  return value === null && key !== null && keyBytes.equals(key);
}
