import { pause } from "../back-off.ts";
import type { EventProducer } from "../kafka/event-producer.ts";
import type { Source, SourceEvent } from "./source.ts";

/** How far {@link play} has come. */
export interface Played {
  /** Acknowledged events. */
  readonly events: number;
  readonly seconds: number;
  /** Events that were left out, since they are larger than an event may be. */
  readonly tooLarge: number;
}

export interface PlayOptions {
  /** Events a second. Default: as fast as it goes */
  readonly rate?: number | undefined;
  /** The first event to play, counted from 0. Default: 0 */
  readonly from?: number | undefined;
  /** The event to end before. Default: the source's end */
  readonly to?: number | undefined;
  /** Larger events, which no layer takes, are left out; brokers refuse them with all that is sent with them. Default: no limit */
  readonly maxEventBytes?: number | undefined;
  /** Told of every event that is left out, and its place, see {@link PlayedEvents.places}. Default: nobody */
  readonly onTooLarge?: ((event: SourceEvent, place: number) => void) | undefined;
  /** Told where acknowledged events are. Default: nobody */
  readonly onWritten?: ((written: PlayedEvents) => void) | undefined;
  /** Told after every acknowledged batch. Default: nobody */
  readonly onProgress?: ((played: Played) => void) | undefined;
  /** Ends playing after the batches on their way. */
  readonly signal?: AbortSignal | undefined;
}

/** Consecutive events of a partition that were played. */
export interface PlayedEvents {
  readonly partition: number;
  /** The offset of the first one. */
  readonly offset: number;
  readonly events: number;
  /**
   * What each is to people: the line of its file, from 1, or its number in another source, from 0; of lines that follow
   * each other the first one alone, since many may be kept.
   */
  readonly places: number | readonly number[];
}

/** The source or the producer failed: how far it has come until then. */
export class PlayError extends Error {
  readonly played: Played;

  constructor(cause: Error, played: Played) {
    super(cause.message, { cause });
    this.played = played;
  }
}

const largestBatch = 1_000;
/** While one batch is on its way, the next is made. */
const mostOnTheirWay = 2;

/**
 * Writes a source's events to the topic, in their order.
 *
 * @returns once all are acknowledged
 * @throws {PlayError} with what the source or the producer says; what was on its way has then ended as well
 */
export async function play(
  source: Source,
  producer: Pick<EventProducer, "send">,
  options: PlayOptions = {},
): Promise<Played> {
  const { rate, signal, onProgress, onWritten, maxEventBytes = Number.POSITIVE_INFINITY, onTooLarge } = options;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1_000;
  let sent = 0;
  let acknowledged = 0;
  let tooLarge = 0;
  const played = (): Played => ({ events: acknowledged, seconds: seconds(), tooLarge });
  let onTheirWay: Promise<void>[] = [];
  // Small enough that a low rate is even, not in bursts.
  const batchSize = rate === undefined ? largestBatch : Math.max(1, Math.min(largestBatch, Math.ceil(rate / 20)));
  const { from = 0, to = Number.POSITIVE_INFINITY } = options;
  try {
    for await (const { events, first } of batches(source, batchSize, from, to)) {
      if (rate !== undefined) await pause(Math.max(0, (sent / rate - seconds()) * 1_000), signal).catch(() => {});
      if (signal?.aborted) break;
      sent += events.length;
      const [batch, large] = partedBySize(events, maxEventBytes);
      for (const event of large) onTooLarge?.(event, placeOf(event, first + events.indexOf(event)));
      tooLarge += large.length;
      if (batch.length === 0) continue;
      const sending = producer
        .send(batch, (written) =>
          onWritten?.({
            partition: written.partition,
            offset: written.offset,
            events: written.events,
            places: placesOf(batch.slice(written.first, written.first + written.events), first + written.first),
          }),
        )
        .then(() => {
          acknowledged += batch.length;
          onProgress?.(played());
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
  } catch (error) {
    await Promise.allSettled(onTheirWay);
    throw new PlayError(error as Error, played());
  }
  return played();
}

/** What an event is to people. */
function placeOf({ line }: SourceEvent, index: number): number {
  return line ?? index;
}

function placesOf(events: readonly SourceEvent[], first: number): number | readonly number[] {
  const places = events.map((event, index) => placeOf(event, first + index));
  const [begin = first] = places;
  return places.at(-1) === begin + places.length - 1 ? begin : places;
}

/** The events that are small enough, and the others. */
function partedBySize(
  events: readonly SourceEvent[],
  most: number,
): [small: readonly SourceEvent[], large: readonly SourceEvent[]] {
  const isLarge = ({ value }: SourceEvent) => Buffer.byteLength(value) > most;
  if (most === Number.POSITIVE_INFINITY || !events.some(isLarge)) return [events, []];
  return [events.filter((event) => !isLarge(event)), events.filter(isLarge)];
}

/** The source's events `[from, to)`, in batches of at most `size`, with the number of the first of each. */
async function* batches(
  source: Source,
  size: number,
  from: number,
  to: number,
): AsyncGenerator<{ readonly events: readonly SourceEvent[]; readonly first: number }> {
  let index = 0;
  if (from >= to) return;
  for await (const events of source) {
    const first = Math.max(0, from - index);
    const last = Math.min(events.length, to - index);
    for (let start = first; start < last; start += size)
      yield { events: events.slice(start, Math.min(start + size, last)), first: index + start };
    index += events.length;
    if (index >= to) return;
  }
}
