import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What the archiver counts, as Prometheus reads it. */
export class ArchiveMetrics {
  readonly registry = new Registry();
  readonly #registers = [this.registry];
  readonly events = this.#counter("archive_events_total", "Valid events read, those of the open chunk included");
  readonly deadLetters = this.#counter("archive_dead_letters_total", "Records written to the dead-letter topic");
  readonly chunks = this.#counter("archive_chunks_total", "Chunks published as files");
  readonly bytes = this.#counter("archive_bytes_total", "Bytes of the published files");
  readonly readOffset = this.#gauge("archive_read_offset", "Offset up to which records were read");
  readonly endOffset = this.#gauge("archive_end_offset", "Offset up to which files were published");
  readonly lostOffsets = this.#gauge(
    "archive_lost_offsets",
    "Offsets that Kafka lost before they were archived and whose loss nobody has accepted",
  );
  readonly diverged = this.#gauge("archive_diverged", "1 if the log is another one than the one that was archived");
  readonly trimmedOffset = this.#gauge("archive_trimmed_offset", "Offset below which records were deleted from Kafka");
  readonly parts = this.#counter("archive_parts_total", "Parts of open chunks written");
  readonly seals = this.#counter("archive_seals_total", "Chunks closed by their age");
  readonly lag = this.#gauge("archive_lag_offsets", "Offsets in Kafka that were not read yet");
  readonly retries = new Counter({
    name: "archive_retries_total",
    help: "Failures that were tried again",
    labelNames: ["system"] as const,
    registers: this.#registers,
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Tells the ages of the oldest events that are not in the storage, in seconds by partition, whenever it is asked. */
  watchAges(ages: () => Iterable<readonly [partition: number, seconds: number]>): void {
    new Gauge({
      name: "archive_oldest_event_seconds",
      help: "Age of the oldest event read that is not in the storage yet; 0 if all are",
      labelNames: ["partition"] as const,
      registers: this.#registers,
      collect() {
        for (const [partition, seconds] of ages()) this.set({ partition: String(partition) }, seconds);
      },
    });
  }

  #counter(name: string, help: string): Counter<"partition"> {
    return new Counter({ name, help, labelNames: ["partition"] as const, registers: this.#registers });
  }

  #gauge(name: string, help: string): Gauge<"partition"> {
    return new Gauge({ name, help, labelNames: ["partition"] as const, registers: this.#registers });
  }
}
