import { setTimeout as sleep } from "node:timers/promises";
import { backOffMilliseconds } from "../back-off.ts";
import type { Offsets } from "../chunks.ts";
import type { RangeReader, Watermarks } from "../kafka/range-reader.ts";
import { ChunkSchedule } from "./chunk-schedule.ts";
import { descriptorId, toTuple } from "./descriptor.ts";
import type { Json, Reporter, Spout } from "./multilang.ts";
import { reportRetries } from "./report-retries.ts";
import { resumeChunk } from "./resume.ts";
import type { AnyView, SpeedStore } from "./store.ts";

export interface DescriptorSpoutOptions {
  readonly views: readonly AnyView[];
  readonly configuration: { readonly topic: string; readonly chunkSize: number };
  readonly reader: Pick<RangeReader, "watermarks">;
  readonly store: Pick<SpeedStore, "progress" | "horizon">;
  readonly reporter: Reporter;
  /** Milliseconds between two looks at the log's end. Default: 20 */
  readonly pollMilliseconds?: number;
}

/** Milliseconds that {@link DescriptorSpout.next} waits at most, if all that may be under way is. */
const busyMilliseconds = 5;

/**
 * The spout: looks at the log's end all the time and emits what is due. What was computed before the start is read
 * from the store, once it answers.
 */
export class DescriptorSpout implements Spout {
  readonly #options: DescriptorSpoutOptions;
  readonly #poll: number;
  #schedule: ChunkSchedule | undefined;
  #wake: () => void = () => {};

  constructor(options: DescriptorSpoutOptions) {
    this.#options = options;
    this.#poll = options.pollMilliseconds ?? 20;
    void this.#watch();
  }

  async next(emit: (id: string, tuple: readonly Json[]) => void): Promise<void> {
    if (this.#emit(emit)) return;
    // Asked again at once, worker and spout would be busy with nothing but asking. But as long as something is under
    // way, its acknowledgement must not wait for the answer either.
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#schedule?.busy ? busyMilliseconds : this.#poll);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#emit(emit);
  }

  ack(id: string): void {
    this.#schedule?.ack(id);
  }

  fail(id: string): void {
    this.#options.reporter.log("warn", `stretch ${id} (partition/chunk/end) failed and comes again`);
    this.#schedule?.fail(id, performance.now());
  }

  #emit(emit: (id: string, tuple: readonly Json[]) => void): boolean {
    const due = this.#schedule?.take(performance.now()) ?? [];
    for (const descriptor of due) emit(descriptorId(descriptor), toTuple(descriptor));
    return due.length > 0;
  }

  /** Never ends: the process does. */
  async #watch(): Promise<void> {
    const { reader, configuration, reporter } = this.#options;
    const report = reportRetries(reporter, "the log's end is unknown");
    for (let failures = 0; ; ) {
      try {
        const watermarks = await reader.watermarks(configuration.topic);
        this.#schedule ??= await this.#resume(watermarks);
        this.#schedule.observe(watermarks);
        this.#wake();
        failures = 0;
        await sleep(this.#poll);
      } catch (error) {
        failures++;
        report(error as Error, failures);
        await sleep(backOffMilliseconds(failures));
      }
    }
  }

  async #resume(watermarks: Readonly<Record<number, Watermarks>>): Promise<ChunkSchedule> {
    const { views, configuration, store, reporter } = this.#options;
    const starts = await Promise.all(
      views.map(async (view) => {
        const [progress, horizon] = await Promise.all([store.progress(view), store.horizon(view)]);
        const chunks = Object.entries(watermarks).map(([number, { earliest }]) => {
          const partition = Number(number);
          const covered = (horizon as Offsets)[number] ?? 0;
          return [partition, resumeChunk(progress, partition, covered, earliest, configuration.chunkSize)] as const;
        });
        return [view.name, Object.fromEntries(chunks)] as const;
      }),
    );
    const start = Object.fromEntries(starts);
    reporter.log("info", `resuming at these chunks, by view and partition: ${JSON.stringify(start)}`);
    return new ChunkSchedule({
      chunkSize: configuration.chunkSize,
      start,
      warn: (message) => reporter.error(message),
    });
  }
}
