import { setTimeout as sleep } from "node:timers/promises";
import { parseDeadLetter } from "../archive/dead-letter.ts";
import type { Offsets } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import type { PlayedEvents } from "./play.ts";

/** What {@link deadLettersOf} looks at. */
export interface DeadLettersArgs {
  readonly reader: Pick<RangeReader, "fetch" | "watermarks">;
  readonly configuration: Pick<Configuration, "topic" | "deadLetterTopic">;
  /** Where the dead-letter topic ended before the events were played. */
  readonly from: Offsets;
  /** Where the events are that were played. */
  readonly played: readonly PlayedEvents[];
  /** Asks the archiver up to which offset of each partition it has read. May fail. */
  readonly readOffsets: () => Promise<Offsets>;
  /** How long to wait for the archiver. Default: 30 */
  readonly seconds?: number;
}

/** Which of the played events became dead letters. */
export interface PlayedDeadLetters {
  readonly letters: number;
  /** The first of them: what the event is to people, see `PlayedEvents.places`, and why it is none. */
  readonly first: readonly { readonly place: number; readonly reason: string }[];
  /** Why there may be more; undefined if all events were looked at. */
  readonly unknown?: string;
}

/** How many dead letters are told. */
const mostTold = 5;

/**
 * Waits until the archiver, which writes the dead letters, has read all that was played, and looks for the dead letters
 * among it.
 *
 * @throws {Error} if Kafka does not tell
 */
export async function deadLettersOf(args: DeadLettersArgs): Promise<PlayedDeadLetters> {
  const { reader, configuration, from, played } = args;
  const unknown = await waitForArchiver(args);
  const { deadLetterTopic, topic } = configuration;
  const found: { place: number; reason: string }[] = [];
  const ends = await reader.watermarks(deadLetterTopic);
  const byPartition = Map.groupBy(played, ({ partition }) => partition);
  for (const [partition, ranges] of byPartition) {
    const { latest = 0 } = ends[partition] ?? {};
    for (let offset = from[partition] ?? 0; offset < latest; ) {
      const { records, next } = await reader.fetch(deadLetterTopic, partition, offset, { end: latest });
      for (const { value } of records) {
        const letter = parseDeadLetter(value);
        if (letter?.topic !== topic) continue;
        const range = ranges.find((each) => letter.offset >= each.offset && letter.offset < each.offset + each.events);
        if (range === undefined) continue;
        const { places, offset: begin } = range;
        const place = typeof places === "number" ? places + letter.offset - begin : places[letter.offset - begin];
        found.push({ place: place ?? 0, reason: letter.reason });
      }
      offset = next;
    }
  }
  const first = found.sort((a, b) => a.place - b.place).slice(0, mostTold);
  return { letters: found.length, first, ...(unknown !== undefined && { unknown }) };
}

/** Waits for the archiver. Returns why it is not known what it makes of the rest. */
async function waitForArchiver({ played, readOffsets, seconds = 30 }: DeadLettersArgs): Promise<string | undefined> {
  const isRead = (offsets: Offsets) =>
    played.every(({ partition, offset, events }) => (offsets[partition] ?? 0) >= offset + events);
  let reason = "";
  for (const until = performance.now() + seconds * 1_000; ; await sleep(250)) {
    try {
      if (isRead(await readOffsets())) return undefined;
      reason = `the archiver has not read them all after ${seconds} s`;
    } catch (error) {
      reason = `the archiver does not say how far it is (${(error as Error).message})`;
    }
    if (performance.now() >= until) return reason;
  }
}

/** Up to which offset of each partition the archiver has read, from its metrics as Prometheus reads them. */
export function readOffsetsOf(metrics: string): Offsets {
  const found = metrics.matchAll(/^archive_read_offset\{partition="(\d+)"\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, partition, offset]) => [Number(partition), Number(offset)]));
}
