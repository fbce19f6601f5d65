import { backOffMilliseconds } from "../back-off.ts";
import { chunkEnd, chunkOf, chunkStart, firstWholeChunk } from "../chunks.ts";
import type { Watermarks } from "../kafka/range-reader.ts";
import { type Descriptor, descriptorId } from "./descriptor.ts";

export interface ChunkScheduleOptions {
  readonly chunkSize: number;
  /** By the view's name, the chunk from which each partition is needed. */
  readonly start: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** The tables that the rows are for, see {@link Descriptor}. */
  readonly tables: string;
  /** The most descriptors of a partition that are under way at once: one is read while another is written. Default: 2 */
  readonly window?: number;
  /** Told what an operator should know. Default: nobody */
  readonly warn?: (message: string) => void;
}

/**
 * Which stretches of the partitions are due: the spout's memory. Full chunks of a back-log follow each other; of the
 * chunk at the log's end, whatever has come since. What fails is due again, later each time.
 */
export class ChunkSchedule {
  readonly #options: ChunkScheduleOptions;
  readonly #partitions = new Map<number, PartitionSchedule>();

  constructor(options: ChunkScheduleOptions) {
    this.#options = options;
  }

  /** Notes what the log holds now. */
  observe(watermarks: Readonly<Record<number, Watermarks>>): void {
    for (const [number, held] of Object.entries(watermarks)) {
      const partition = Number(number);
      let schedule = this.#partitions.get(partition);
      if (schedule === undefined) {
        schedule = new PartitionSchedule(partition, this.#options);
        this.#partitions.set(partition, schedule);
      }
      schedule.observe(held);
    }
  }

  /**
   * The descriptors that are due, which are under way from now on.
   *
   * @param now milliseconds of any clock that does not go back
   */
  take(now: number): Descriptor[] {
    return [...this.#partitions.values()].flatMap((schedule) => schedule.take(now));
  }

  /** Whether anything is under way. */
  get busy(): boolean {
    return [...this.#partitions.values()].some((schedule) => schedule.busy);
  }

  ack(id: string): void {
    for (const schedule of this.#partitions.values()) schedule.ack(id);
  }

  fail(id: string, now: number): void {
    for (const schedule of this.#partitions.values()) schedule.fail(id, now);
  }
}

/** A descriptor that failed, and when it is due again. */
interface Retry {
  readonly descriptor: Descriptor;
  readonly due: number;
}

class PartitionSchedule {
  readonly #partition: number;
  readonly #options: ChunkScheduleOptions;
  readonly #window: number;
  readonly #underWay = new Map<string, Descriptor>();
  #retries: Retry[] = [];
  /** Failures since the last success. */
  #failures = 0;
  /** The offset up to which descriptors were given out. */
  #position: number;
  #latest = 0;
  #shrunk = false;

  constructor(partition: number, options: ChunkScheduleOptions) {
    this.#partition = partition;
    this.#options = options;
    this.#window = options.window ?? 2;
    const starts = Object.values(options.start).map((chunks) => chunks[partition] ?? 0);
    this.#position = chunkStart(Math.min(...starts), options.chunkSize);
  }

  get busy(): boolean {
    return this.#underWay.size > 0;
  }

  observe({ earliest, latest }: Watermarks): void {
    const { chunkSize, warn } = this.#options;
    if (earliest > this.#position) {
      const resumed = chunkStart(firstWholeChunk(earliest, chunkSize), chunkSize);
      warn?.(
        `partition ${this.#partition}: the topic's retention deleted events from offset ${this.#position} before the ` +
          `speed layer read them; it goes on at ${resumed}. A batch run fills the hole if they were archived`,
      );
      this.#position = resumed;
      this.#retries = this.#retries.filter(({ descriptor }) => chunkStart(descriptor.chunk, chunkSize) >= earliest);
    }
    // A topic whose retention has just been passed may end before the chunk's edge: that is no loss.
    const shrunk = latest < chunkStart(chunkOf(this.#position, chunkSize), chunkSize) && earliest < this.#position;
    if (shrunk && !this.#shrunk)
      warn?.(
        `partition ${this.#partition}: the log ends at offset ${latest} but was read up to ${this.#position}: it lost ` +
          "events or the topic was made again",
      );
    this.#shrunk = shrunk;
    this.#latest = latest;
  }

  take(now: number): Descriptor[] {
    const taken: Descriptor[] = [];
    const give = (descriptor: Descriptor) => {
      this.#underWay.set(descriptorId(descriptor), descriptor);
      taken.push(descriptor);
    };
    for (const { descriptor } of this.#retries.filter(({ due }) => due <= now)) give(descriptor);
    this.#retries = this.#retries.filter(({ due }) => due > now);
    // As long as something keeps failing, more would fail with it.
    while (this.#underWay.size < this.#window && this.#retries.length === 0 && this.#position < this.#latest) {
      const chunk = chunkOf(this.#position, this.#options.chunkSize);
      const end = Math.min(this.#latest, chunkEnd(chunk, this.#options.chunkSize));
      give({ partition: this.#partition, chunk, end, views: this.#viewsOf(chunk), tables: this.#options.tables });
      this.#position = end;
    }
    return taken;
  }

  ack(id: string): void {
    const done = this.#underWay.get(id);
    if (done === undefined) return;
    this.#underWay.delete(id);
    this.#failures = 0;
    // What reaches further holds all that comes before it.
    this.#retries = this.#retries.filter(
      ({ descriptor }) => descriptor.chunk !== done.chunk || descriptor.end > done.end,
    );
  }

  fail(id: string, now: number): void {
    const descriptor = this.#underWay.get(id);
    if (descriptor === undefined) return;
    this.#underWay.delete(id);
    const covered = [...this.#underWay.values(), ...this.#retries.map((retry) => retry.descriptor)].some(
      (other) => other.chunk === descriptor.chunk && other.end > descriptor.end,
    );
    if (covered) return;
    this.#failures++;
    this.#retries = this.#retries.filter((retry) => retry.descriptor.chunk !== descriptor.chunk);
    this.#retries.push({ descriptor, due: now + backOffMilliseconds(this.#failures) });
  }

  #viewsOf(chunk: number): string[] {
    return Object.entries(this.#options.start)
      .filter(([, chunks]) => chunk >= (chunks[this.#partition] ?? 0))
      .map(([view]) => view);
  }
}
