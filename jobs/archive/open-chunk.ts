import type { Range } from "../ranges.ts";
import { type Content, ContentCount, noContent, together } from "./content.ts";

/** What one fetch brought of a chunk. */
export interface Stretch {
  /** The offset after it. */
  readonly end: number;
  /** The events' lines, each with its line feed. */
  readonly lines: Buffer;
  readonly content: Content;
  /** The offset and time (milliseconds since 1970) of the first event; undefined if there is none. */
  readonly firstEvent: { readonly offset: number; readonly timestamp: number } | undefined;
  readonly leaderEpoch: number;
}

/** What is kept of a stretch. */
interface Kept extends Omit<Stretch, "lines"> {
  lines: Buffer | undefined;
}

/**
 * What was read of a chunk that is not full yet: of its offsets `[start, end)`, those since it was last begun to be read
 * from a new place. What is before is in parts, or lost.
 */
export class OpenChunk {
  /** The whole chunk. */
  readonly range: Range;
  /** Whether it is published: parts of it are no longer needed. */
  isPublished = false;
  /** Whether markers were written that fill it. */
  isSealed = false;
  readonly #mostBytes: number;
  #start: number;
  #stored: number;
  #stretches: Kept[] = [];
  #bytes = 0;
  #holdsLines = true;
  #firstEvent: number | undefined;
  #leaderEpoch = -1;

  /** @param mostBytes of lines that are kept; with more, none is, and they have to be read once again */
  constructor(range: Range, mostBytes: number) {
    this.range = range;
    this.#mostBytes = mostBytes;
    this.#start = range.start;
    this.#stored = range.start;
  }

  /** The offsets that were read and of which everything is known. */
  get read(): Range {
    return { start: this.#start, end: this.#stretches.at(-1)?.end ?? this.#start };
  }

  /** Those of {@link read} whose lines are in memory. */
  get memory(): Range | undefined {
    return this.#holdsLines ? this.read : undefined;
  }

  /** Those of {@link read} that are in no part. */
  get unstored(): Range {
    return { start: this.#stored, end: this.read.end };
  }

  /** When the oldest event of {@link unstored} was written to the log, in milliseconds since 1970; undefined if none is. */
  get oldestUnstored(): number | undefined {
    return this.#of(this.unstored).find(({ firstEvent }) => firstEvent !== undefined)?.firstEvent?.timestamp;
  }

  /** No earlier offset than that of the chunk's first event, mostly itself; undefined as long as there is none. */
  get firstEvent(): number | undefined {
    return this.#firstEvent;
  }

  /** The leader epoch of what was read last; -1 if it is unknown. */
  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }

  /** Goes on from an offset: what is before is in parts, which have an event, or is lost. */
  continueAt(offset: number, knownEvent?: number): void {
    this.#firstEvent ??= knownEvent;
    this.#start = offset;
    this.#stored = offset;
    this.#stretches = [];
    this.#bytes = 0;
    this.#holdsLines = true;
  }

  add(stretch: Stretch): void {
    const { end, content, firstEvent, leaderEpoch } = stretch;
    this.#bytes += stretch.lines.length;
    if (this.#bytes > this.#mostBytes) this.#holdsLines = false;
    if (!this.#holdsLines) for (const one of this.#stretches) one.lines = undefined;
    this.#stretches.push({
      end,
      content,
      firstEvent,
      leaderEpoch,
      lines: this.#holdsLines ? stretch.lines : undefined,
    });
    this.#firstEvent ??= firstEvent?.offset;
    this.#leaderEpoch = leaderEpoch;
  }

  /** Everything before the offset is in parts. */
  store(offset: number): void {
    this.#stored = Math.max(this.#stored, offset);
  }

  /** The lines of some of {@link memory}, cut where fetches ended. */
  lines(range: Range): Buffer[] {
    return this.#of(range).flatMap(({ lines }) => lines ?? []);
  }

  /** The content of some of {@link read}, cut where fetches ended. */
  content(range: Range): Content {
    return together(this.#of(range).map(({ content }) => content));
  }

  #of({ start, end }: Range): readonly Kept[] {
    return this.#stretches.filter((stretch) => stretch.end > start && stretch.end <= end);
  }
}

/** The content of lines, each of which ends with a line feed in `lines`. */
export function countLines(values: readonly Uint8Array[]): Content {
  if (values.length === 0) return noContent;
  const count = new ContentCount();
  for (const value of values) count.add(value);
  const { events, bytes, digest } = count;
  return { events, bytes, digest };
}
