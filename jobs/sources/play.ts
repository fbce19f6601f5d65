import { pause } from "../back-off.ts";
import type { EventProducer } from "../kafka/event-producer.ts";
import type { Source, SourceEvent } from "./source.ts";

/** How far {@link play} has come. */
export interface Played {
  /** Acknowledged events. */
  readonly events: number;
  readonly seconds: number;
}

export interface PlayOptions {
  /** Events a second. Default: as fast as it goes */
  readonly rate?: number | undefined;
  /** The first event to play, counted from 0. Default: 0 */
  readonly from?: number | undefined;
  /** The event to end before. Default: the source's end */
  readonly to?: number | undefined;
  /** Told after every acknowledged batch. Default: nobody */
  readonly onProgress?: ((played: Played) => void) | undefined;
  /** Ends playing after the batches on their way. */
  readonly signal?: AbortSignal | undefined;
}

const largestBatch = 1_000;
/** While one batch is on its way, the next is made. */
const mostOnTheirWay = 2;

/**
 * Writes a source's events to the topic, in their order.
 *
 * @returns once all are acknowledged
 * @throws {Error} what the source or the producer throws
 */
export async function play(
  source: Source,
  producer: Pick<EventProducer, "send">,
  options: PlayOptions = {},
): Promise<Played> {
  const { rate, signal, onProgress } = options;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1_000;
  let sent = 0;
  let acknowledged = 0;
  let onTheirWay: Promise<void>[] = [];
  // Small enough that a low rate is even, not in bursts.
  const batchSize = rate === undefined ? largestBatch : Math.max(1, Math.min(largestBatch, Math.ceil(rate / 20)));
  for await (const batch of batches(source, batchSize, options.from ?? 0, options.to ?? Number.POSITIVE_INFINITY)) {
    if (rate !== undefined) await pause(Math.max(0, (sent / rate - seconds()) * 1_000), signal).catch(() => {});
    if (signal?.aborted) break;
    sent += batch.length;
    const sending = producer.send(batch).then(() => {
      acknowledged += batch.length;
      onProgress?.({ events: acknowledged, seconds: seconds() });
    });
    // Awaited below; until then its failure is not unhandled.
    sending.catch(() => {});
    onTheirWay.push(sending);
    if (onTheirWay.length >= mostOnTheirWay) {
      await onTheirWay[0];
      onTheirWay = onTheirWay.slice(1);
    }
  }
  await Promise.all(onTheirWay);
  return { events: acknowledged, seconds: seconds() };
}

/** The source's events `[from, to)`, in batches of at most `size`. */
async function* batches(source: Source, size: number, from: number, to: number): AsyncGenerator<SourceEvent[]> {
  let index = 0;
  if (from >= to) return;
  for await (const events of source) {
    const first = Math.max(0, from - index);
    const last = Math.min(events.length, to - index);
    for (let start = first; start < last; start += size) yield events.slice(start, Math.min(start + size, last));
    index += events.length;
    if (index >= to) return;
  }
}
