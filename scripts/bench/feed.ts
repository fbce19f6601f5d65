import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EventProducer } from "../../jobs/kafka/event-producer.ts";
import { fileSource } from "../../jobs/sources/file.ts";
import { generate } from "../../jobs/sources/generator.ts";
import type { SourceEvent } from "../../jobs/sources/source.ts";
import type { RunningArchitecture } from "../demo/architecture.ts";

/** A day of real edits, which lies beside the checkout; the bench's README section says where it is from. */
const realEdits = fileURLToPath(new URL("../../../shared/data/wikipedia-edits-2015-09-12.json.gz", import.meta.url));

/** What events a feed gives: generated ones, or real ones over and over. */
export const dataSets = ["generated", "real"] as const;
export type DataSet = (typeof dataSets)[number];

/** Whether the data set can be had here. */
export function isThere(dataSet: DataSet): boolean {
  return dataSet === "generated" || existsSync(realEdits);
}

/** Events of a batch. A batch goes to one partition. */
const batchEvents = 1_000;

/** Gives events to a topic, one after the other, without an end. */
export class Feed implements AsyncDisposable {
  readonly #producer: EventProducer;
  readonly #real: readonly SourceEvent[];
  #next = 0;

  private constructor(producer: EventProducer, real: readonly SourceEvent[]) {
    this.#producer = producer;
    this.#real = real;
  }

  static async open({ configuration }: RunningArchitecture, dataSet: DataSet): Promise<Feed> {
    const real: SourceEvent[] = [];
    if (dataSet === "real") for await (const batch of fileSource(realEdits)) real.push(...batch);
    const { bootstrapServers } = configuration.kafka;
    return new Feed(new EventProducer({ bootstrapServers, topic: configuration.topic, clientId: "bench" }), real);
  }

  /** The next events, made but not sent. */
  prepare(events: number): SourceEvent[] {
    return Array.from({ length: events }, () => {
      const index = this.#next++;
      return this.#real[index % this.#real.length] ?? { value: Buffer.from(JSON.stringify(generate(1, index))) };
    });
  }

  /** Writes events as fast as it goes. Resolves when all are acknowledged. */
  async send(events: readonly SourceEvent[]): Promise<void> {
    for (let from = 0; from < events.length; from += batchEvents)
      await this.#producer.send(events.slice(from, from + batchEvents));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.close();
  }
}

/** The bytes of events, without what a log or file adds. */
export function bytesOf(events: readonly SourceEvent[]): number {
  return events.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0);
}
