import type { Offsets } from "../../jobs/chunks.ts";
import { RangeReader } from "../../jobs/kafka/range-reader.ts";
import { deadLettersOf, type PlayedDeadLetters, readOffsetsOf } from "../../jobs/sources/dead-letters.ts";
import type { PlayedEvents } from "../../jobs/sources/play.ts";
import type { RunningArchitecture } from "../demo/architecture.ts";

/** Looks which of the events that are played become dead letters. */
export class DeadLetterWatch {
  readonly #architecture: RunningArchitecture;
  readonly #played: PlayedEvents[] = [];
  #from: Offsets = {};

  constructor(architecture: RunningArchitecture) {
    this.#architecture = architecture;
  }

  /** Notes where the dead-letter topic ends; to be called before anything is played. */
  async begin(): Promise<void> {
    await using reader = this.#reader();
    const held = await reader.watermarks(this.#architecture.configuration.deadLetterTopic);
    this.#from = Object.fromEntries(Object.entries(held).map(([partition, { latest }]) => [partition, latest]));
  }

  /** Notes events that were acknowledged. */
  note(played: PlayedEvents): void {
    this.#played.push(played);
  }

  /** Waits for the archiver. Returns which of the noted events became dead letters; undefined if none was noted. */
  async end(): Promise<PlayedDeadLetters | undefined> {
    if (this.#played.length === 0) return undefined;
    const { archiverUrl, configuration } = this.#architecture;
    await using reader = this.#reader();
    return await deadLettersOf({
      ...{ reader, configuration, from: this.#from, played: this.#played },
      readOffsets: async () => readOffsetsOf(await answerOf(`${archiverUrl}/metrics`)),
    });
  }

  #reader(): RangeReader {
    return new RangeReader({ ...this.#architecture.configuration.kafka, clientId: "source" });
  }
}

async function answerOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return text;
}
