import type { EventProducer } from "./event-producer.ts";
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

/** Markers that are handed to the producer at once. */
const mostAtOnce = 10_000;

/** Appends so many seal markers to a partition. Events that are written meanwhile may come between: that is all right. */
export async function writeSealMarkers(
  producer: Pick<EventProducer, "send">,
  partition: number,
  count: number,
): Promise<void> {
  const marker = { key: sealMarkerKey, value: null, partition };
  for (let left = count; left > 0; left -= mostAtOnce)
    await producer.send(new Array(Math.min(left, mostAtOnce)).fill(marker));
}
