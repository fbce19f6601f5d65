import { loadApplication } from "../../components/application.ts";
import type { Offsets } from "../../jobs/chunks.ts";
import { RangeReader } from "../../jobs/kafka/range-reader.ts";
import { isSealMarker } from "../../jobs/kafka/seal-marker.ts";
import { readLog } from "../../jobs/oracle/read-log.ts";
import type { RunningArchitecture } from "./architecture.ts";

/** The log of the events, for the oracle's one pass. */
export class Log {
  readonly #reader: RangeReader;
  readonly #architecture: RunningArchitecture;

  constructor(architecture: RunningArchitecture) {
    this.#architecture = architecture;
    this.#reader = new RangeReader({ ...architecture.configuration.kafka, clientId: "demo" });
  }

  async end(): Promise<Offsets> {
    const watermarks = await this.#reader.watermarks(this.#architecture.configuration.topic);
    return Object.fromEntries(Object.entries(watermarks).map(([partition, { latest }]) => [partition, latest]));
  }

  /** How many records there are from these offsets on, without the markers that close chunks. */
  async eventsSince(offsets: Offsets): Promise<number> {
    const { topic } = this.#architecture.configuration;
    let events = 0;
    for (const [partition, end] of Object.entries(await this.end()))
      for await (const records of this.#reader.read(topic, Number(partition), offsets[Number(partition)] ?? 0, end))
        events += records.filter((record) => !isSealMarker(record)).length;
    return events;
  }

  /** The events from the beginning: up to where the log ends now, or until the signal. */
  async events(signal?: AbortSignal) {
    const { topic, partitions, maxEventBytes } = this.#architecture.configuration;
    const { application } = await loadApplication(this.#architecture.application);
    const end = signal === undefined ? { until: await this.end() } : { signal };
    return readLog({ reader: this.#reader, topic, partitions, maxEventBytes, application, ...end });
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}
