import { setTimeout as sleep } from "node:timers/promises";
import { backOffMilliseconds } from "../back-off.ts";
import type { Offsets } from "../chunks.ts";
import type { LogEnd, RangeReader, Watermarks } from "../kafka/range-reader.ts";
import { furthest, type KnownEnd, knownEnds } from "../log/divergence.ts";
import type { LogCheck } from "../log/log-check.ts";
import { ChunkSchedule } from "./chunk-schedule.ts";
import { descriptorId, toTuple } from "./descriptor.ts";
import type { Json, Reporter, Spout } from "./multilang.ts";
import { reportRetries } from "./report-retries.ts";
import { resumeChunk } from "./resume.ts";
import type { AnyView, SpeedStore } from "./store.ts";

export interface DescriptorSpoutOptions {
  readonly views: readonly AnyView[];
  readonly configuration: { readonly topic: string; readonly chunkSize: number };
  readonly reader: Pick<RangeReader, "watermarks" | "latest">;
  readonly store: Pick<SpeedStore, "progress" | "covered" | "tablesId">;
  /** Checks that the log is the one that the store's rows are of. */
  readonly check: Pick<LogCheck, "check">;
  /** By partition, the first offset that belongs to this life of the log. */
  readonly first: () => Promise<Offsets>;
  readonly reporter: Reporter;
  /** The most descriptors that are under way at once, see `ChunkScheduleOptions`. */
  readonly mostUnderWay?: number;
  /** Milliseconds between two looks at the log's end. Default: 20 */
  readonly pollMilliseconds?: number;
  /** Milliseconds between two looks at what changes seldom: the log's begin, and the tables. Default: 1,000 */
  readonly seldomMilliseconds?: number;
}

/** Milliseconds that {@link DescriptorSpout.next} waits at most, if all that may be under way is. */
const busyMilliseconds = 5;

/**
 * The spout: looks at the log's end all the time and emits what is due. What was computed before the start is read
 * from the store, once it answers. Where the tables are others than before, e.g. since the keyspace was dropped and
 * made again, all that they shall hold is due again. Where the log is another one than the rows are of, nothing is given
 * out until a person has decided, see jobs/log.
 */
export class DescriptorSpout implements Spout {
  readonly #options: DescriptorSpoutOptions;
  readonly #poll: number;
  readonly #seldom: number;
  /** Undefined as long as it is not known what the tables hold. */
  #schedule: ChunkSchedule | undefined;
  /** The tables that the schedule is for. */
  #tables: string | undefined;
  /** Up to where the rows of the tables, and of the batch views, reached when {@link #leaders} led. */
  #stored: readonly KnownEnd[] = [];
  /** The epochs of the partitions' leaders: as long as they are the same, the log only grows. */
  #leaders = "";
  /** Up to where the log was seen. */
  #seen: readonly KnownEnd[] = [];
  /** Why nothing is given out; empty if it is. */
  #halted = "";
  #wake: () => void = () => {};

  constructor(options: DescriptorSpoutOptions) {
    this.#options = options;
    this.#poll = options.pollMilliseconds ?? 20;
    this.#seldom = options.seldomMilliseconds ?? 1_000;
    void this.#watchLog();
    void this.#watchTables();
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
    this.#options.reporter.log("warn", `stretch ${id} (partition/chunk/end/tables) failed and comes again`);
    this.#schedule?.fail(id, performance.now());
  }

  #emit(emit: (id: string, tuple: readonly Json[]) => void): boolean {
    const due = this.#halted === "" ? (this.#schedule?.take(performance.now()) ?? []) : [];
    for (const descriptor of due) emit(descriptorId(descriptor), toTuple(descriptor));
    return due.length > 0;
  }

  /** Never ends: the process does. */
  async #watchLog(): Promise<void> {
    const { reader, configuration, reporter } = this.#options;
    const report = reportRetries(reporter, "the log's end is unknown");
    let watermarks: Readonly<Record<number, Watermarks>> = {};
    let looked = Number.NEGATIVE_INFINITY;
    for (let failures = 0; ; ) {
      try {
        if (performance.now() - looked >= this.#seldom) {
          watermarks = await reader.watermarks(configuration.topic);
          looked = performance.now();
        } else watermarks = withLatest(watermarks, await reader.latest(configuration.topic));
        const schedule = this.#schedule ?? (await this.#resume(watermarks));
        if (await this.#isSameLog(watermarks)) schedule.observe(watermarks);
        this.#schedule = schedule;
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

  /** Whether the log is still the one that was read; if not, nothing is given out from now on. */
  async #isSameLog(watermarks: Readonly<Record<number, Watermarks>>): Promise<boolean> {
    const { check, reporter } = this.#options;
    const leaders = JSON.stringify(Object.entries(watermarks).map(([name, { leaderEpoch }]) => [name, leaderEpoch]));
    if (leaders !== this.#leaders) {
      // Another topology may have written what the log has lost since: here that was never seen.
      this.#stored = await this.#readStored();
      this.#leaders = leaders;
    }
    const { problems } = await check.check([...this.#stored, ...this.#seen], watermarks);
    const reasons = problems.filter(({ isAnotherLog }) => isAnotherLog).map(({ reason }) => reason);
    const halted = reasons.join("; ");
    if (halted !== this.#halted && halted !== "") reporter.error(`nothing more is computed: ${halted}`);
    this.#halted = halted;
    if (halted !== "") return false;
    this.#seen = Object.entries(watermarks).map(([name, { latest, leaderEpoch }]) => {
      return { partition: Number(name), end: latest, leaderEpoch };
    });
    return true;
  }

  /** Up to where the rows of the tables, and of the batch views, reach now. */
  async #readStored(): Promise<readonly KnownEnd[]> {
    const { views, store, first } = this.#options;
    const stored = await Promise.all(
      views.map(async (view) => {
        const [progress, batch] = await Promise.all([store.progress(view), store.covered(view)]);
        return [...progress, ...knownEnds(batch.horizon, batch.epochs)];
      }),
    );
    // Also where nothing is read of this life of the log yet, it reaches to its begin.
    return furthest([...knownEnds(await first()), ...stored.flat()]);
  }

  /** Never ends either. */
  async #watchTables(): Promise<void> {
    const { views, store, reporter } = this.#options;
    const report = reportRetries(reporter, "whether the speed views' tables are still the same is unknown");
    for (let failures = 0; ; ) {
      // At the start there is nothing yet to compare with.
      await sleep(this.#seldom);
      try {
        const tables = await store.tablesId(views);
        failures = 0;
        if (tables !== undefined && this.#tables !== undefined && tables !== this.#tables) this.#schedule = undefined;
      } catch (error) {
        report(error as Error, ++failures);
      }
    }
  }

  async #resume(watermarks: Readonly<Record<number, Watermarks>>): Promise<ChunkSchedule> {
    const { views, configuration, store, reporter, mostUnderWay } = this.#options;
    const tables = await store.tablesId(views);
    if (tables === undefined) throw new Error("a table of the speed views is missing; `pulumi up` makes it");
    const areNew = this.#tables !== undefined && tables !== this.#tables;
    if (areNew)
      reporter.error("tables of the speed views were dropped and made again: what they held is computed again");
    const first = await this.#options.first();
    const starts = await Promise.all(
      views.map(async (view) => {
        // Until now a bolt may have gone on with a chunk of which the new tables do not hold the beginning.
        const [progress, { horizon }] = await Promise.all([areNew ? [] : store.progress(view), store.covered(view)]);
        const chunks = Object.entries(watermarks).map(([number, { earliest }]) => {
          const partition = Number(number);
          const covered = Math.max(horizon[partition] ?? 0, first[partition] ?? 0);
          return [partition, resumeChunk(progress, partition, covered, earliest, configuration.chunkSize)] as const;
        });
        return [view.name, Object.fromEntries(chunks)] as const;
      }),
    );
    const start = Object.fromEntries(starts);
    reporter.log("info", `resuming at these chunks, by view and partition: ${JSON.stringify(start)}`);
    this.#tables = tables;
    return new ChunkSchedule({
      chunkSize: configuration.chunkSize,
      start,
      first,
      tables,
      ...(mostUnderWay !== undefined && { mostUnderWay }),
      warn: (message) => reporter.error(message),
    });
  }
}

/** The watermarks with later ends. */
function withLatest(
  watermarks: Readonly<Record<number, Watermarks>>,
  latest: Readonly<Record<number, LogEnd>>,
): Readonly<Record<number, Watermarks>> {
  return Object.fromEntries(
    Object.entries(latest).map(([partition, end]) => [
      partition,
      { earliest: watermarks[Number(partition)]?.earliest ?? 0, ...end },
    ]),
  );
}
