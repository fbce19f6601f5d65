import { backOffMilliseconds } from "../back-off.ts";
import { chunkEnd, chunkOf, chunkStart, firstWholeChunk, type Offsets } from "../chunks.ts";
import type { Watermarks } from "../kafka/range-reader.ts";
import { type Descriptor, descriptorId } from "./descriptor.ts";

export interface ChunkScheduleOptions {
  readonly chunkSize: number;
  /** By the view's name, the chunk from which each partition is needed; a partition that is absent is needed from 0 on. */
  readonly start: Readonly<Record<string, Readonly<Record<number, number>>>>;
  /** By partition, the first offset of this life of the log: its chunk begins there. Default: 0 */
  readonly first?: Offsets;
  /** The tables that the rows are for, see {@link Descriptor}. */
  readonly tables: string;
  /** The most descriptors of a partition that are under way at once: one is read while another is written. Default: 2 */
  readonly window?: number;
  /** The most descriptors that are under way at once, however many partitions there are. Default: 16 */
  readonly mostUnderWay?: number;
  /** The most events that are under way at once; a descriptor of more goes alone. Default: 200,000 */
  readonly mostEvents?: number;
  /** Failures of a chunk in a row after which the partition goes on behind it. Default: 8 */
  readonly attempts?: number;
  /** Told what an operator should know. Default: nobody */
  readonly warn?: (message: string) => void;
}

/** Milliseconds between two attempts at a chunk that was set aside. */
const asideMilliseconds = 60_000;

/**
 * Which stretches of the partitions are due: the spout's memory. Full chunks of a back-log follow each other; of the
 * chunk at the log's end, whatever has come since. What fails is due again, later each time. What can never succeed ends:
 * a chunk whose begin the log has lost is dropped, one that keeps failing is set aside, and what the log does not reach
 * waits for it; the rest goes on meanwhile.
 */
export class ChunkSchedule {
  readonly #options: ChunkScheduleOptions;
  readonly #mostUnderWay: number;
  readonly #mostEvents: number;
  readonly #partitions = new Map<number, PartitionSchedule>();
  /** Whose turn it was last, so that a limit that all share is not one partition's alone. */
  #last = -1;

  constructor(options: ChunkScheduleOptions) {
    this.#options = options;
    this.#mostUnderWay = options.mostUnderWay ?? 16;
    this.#mostEvents = options.mostEvents ?? 200_000;
  }

  /** Notes what the log holds now. */
  observe(watermarks: Readonly<Record<number, Watermarks>>): void {
    for (const [number, held] of Object.entries(watermarks)) {
      const partition = Number(number);
      let schedule = this.#partitions.get(partition);
      if (schedule === undefined) {
        schedule = new PartitionSchedule(partition, this.#options, held);
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
    const taken: Descriptor[] = [];
    let [count, events] = [0, 0];
    for (const schedule of this.#partitions.values()) {
      count += schedule.underWay;
      events += schedule.eventsUnderWay;
    }
    // One of each in turn, until nobody has any.
    const numbers = [...this.#partitions.keys()].sort((a, b) => a - b);
    const begin = numbers.findIndex((number) => number > this.#last);
    let turns = begin === -1 ? numbers : [...numbers.slice(begin), ...numbers.slice(0, begin)];
    while (turns.length > 0) {
      const next: number[] = [];
      for (const partition of turns) {
        if (count >= this.#mostUnderWay || events >= this.#mostEvents) return taken;
        const schedule = this.#partitions.get(partition) as PartitionSchedule;
        const before = schedule.eventsUnderWay;
        const descriptor = schedule.next(now);
        if (descriptor === undefined) continue;
        taken.push(descriptor);
        this.#last = partition;
        count++;
        events += schedule.eventsUnderWay - before;
        next.push(partition);
      }
      turns = next;
    }
    return taken;
  }

  /** Whether anything is under way. */
  get busy(): boolean {
    return [...this.#partitions.values()].some((schedule) => schedule.underWay > 0);
  }

  ack(id: string): void {
    for (const schedule of this.#partitions.values()) schedule.ack(id);
  }

  fail(id: string, now: number): void {
    for (const schedule of this.#partitions.values()) schedule.fail(id, now);
  }
}

/** A descriptor that is under way, and about how many events it makes a bolt read. */
interface UnderWay {
  readonly descriptor: Descriptor;
  readonly events: number;
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
  readonly #attempts: number;
  readonly #underWay = new Map<string, UnderWay>();
  /** One a chunk at most. */
  #retries: Retry[] = [];
  /** By chunk, its failures since its last success. */
  readonly #failures = new Map<number, number>();
  /** The offset up to which descriptors were given out, or will never be. */
  #position: number;
  /** The offset up to which the log was seen to hold events. */
  #seen: number;
  #earliest = 0;
  #latest = 0;
  #shrunk = false;

  constructor(partition: number, options: ChunkScheduleOptions, { earliest }: Watermarks) {
    this.#partition = partition;
    this.#options = options;
    this.#window = options.window ?? 2;
    this.#attempts = options.attempts ?? 8;
    const starts = Object.values(options.start).map((chunks) => chunks[partition] ?? 0);
    const first = starts.length === 0 ? 0 : Math.min(...starts);
    this.#position = this.#begin(first);
    // Where the first chunk is the first that the log holds whole, the log may end before it: that is no loss.
    this.#seen = first > firstWholeChunk(earliest, options.chunkSize) ? this.#position : 0;
  }

  /** How many descriptors are under way. */
  get underWay(): number {
    return this.#underWay.size;
  }

  get eventsUnderWay(): number {
    let sum = 0;
    for (const { events } of this.#underWay.values()) sum += events;
    return sum;
  }

  observe({ earliest, latest }: Watermarks): void {
    const { chunkSize } = this.#options;
    this.#earliest = earliest;
    this.#latest = latest;
    if (earliest > this.#position) {
      const resumed = chunkStart(firstWholeChunk(earliest, chunkSize), chunkSize);
      this.#warn(
        `the log begins at offset ${earliest} now, and the speed layer had read up to ${this.#position}; it goes on at ` +
          `${resumed}. Unless they are archived, the events between are lost`,
      );
      this.#position = resumed;
    }
    for (const { descriptor } of this.#retries) if (this.#hasLost(descriptor)) this.#drop(descriptor);
    this.#retries = this.#retries.filter(({ descriptor }) => !this.#hasLost(descriptor));
    const shrunk = latest < this.#seen;
    if (shrunk && !this.#shrunk)
      this.#warn(
        `the log ends at offset ${latest} but was read up to ${this.#seen}: it lost events or the topic was made again; ` +
          "the speed layer waits for it to come so far",
      );
    this.#shrunk = shrunk;
  }

  /** The next descriptor that is due, which is under way from now on; undefined if there is none. */
  next(now: number): Descriptor | undefined {
    const retry = this.#retries.find(({ descriptor, due }) => due <= now && descriptor.end <= this.#latest);
    if (retry !== undefined) return this.#again(retry);
    // What keeps failing takes a place of those that are under way: as long as a store is away, more would fail with it.
    if (this.#underWay.size + this.#retries.filter((each) => !this.#isAside(each)).length >= this.#window)
      return undefined;
    if (this.#position >= this.#latest) return undefined;
    const chunk = chunkOf(this.#position, this.#options.chunkSize);
    // The retry itself takes up what has come since.
    if (this.#retries.some(({ descriptor }) => descriptor.chunk === chunk)) return undefined;
    return this.#give(chunk, this.#position);
  }

  ack(id: string): void {
    const done = this.#underWay.get(id)?.descriptor;
    if (done === undefined) return;
    this.#underWay.delete(id);
    this.#failures.delete(done.chunk);
    // What reaches further holds all that comes before it.
    this.#retries = this.#retries.filter(
      ({ descriptor }) => descriptor.chunk !== done.chunk || descriptor.end > done.end,
    );
  }

  fail(id: string, now: number): void {
    const descriptor = this.#underWay.get(id)?.descriptor;
    if (descriptor === undefined) return;
    this.#underWay.delete(id);
    const { chunk, end } = descriptor;
    const others = [...this.#underWay.values(), ...this.#retries].map((other) => other.descriptor);
    if (others.some((other) => other.chunk === chunk && other.end > end)) return;
    if (this.#hasLost(descriptor)) {
      this.#drop(descriptor);
      return;
    }
    const failures = (this.#failures.get(chunk) ?? 0) + 1;
    this.#failures.set(chunk, failures);
    const isAside = failures >= this.#attempts;
    this.#retries = this.#retries.filter((retry) => retry.descriptor.chunk !== chunk);
    this.#retries.push({ descriptor, due: now + (isAside ? asideMilliseconds : backOffMilliseconds(failures)) });
    if (!isAside) return;
    this.#position = Math.max(this.#position, chunkEnd(chunk, this.#options.chunkSize));
    if (failures === this.#attempts)
      this.#warn(
        `chunk ${chunk} has failed ${failures} times, for the reasons that the bolt gave; the speed layer goes on behind ` +
          "it and tries it again every minute. Until that succeeds, or a batch view covers it, answers end before it",
      );
  }

  /** Gives a descriptor that failed, with what has come since. */
  #again(retry: Retry): Descriptor {
    const { chunk } = retry.descriptor;
    this.#retries = this.#retries.filter((other) => other !== retry);
    return this.#give(chunk, this.#begin(chunk));
  }

  /** Gives a descriptor of a chunk, up to its end or the log's. */
  #give(chunk: number, from: number): Descriptor {
    const end = Math.min(this.#latest, chunkEnd(chunk, this.#options.chunkSize));
    const descriptor = {
      ...{ partition: this.#partition, chunk, end },
      ...{ views: this.#viewsOf(chunk), tables: this.#options.tables },
    };
    this.#underWay.set(descriptorId(descriptor), { descriptor, events: end - from });
    this.#position = Math.max(this.#position, end);
    this.#seen = Math.max(this.#seen, end);
    return descriptor;
  }

  /** Whether the log no longer holds the chunk's begin: who has not read it already never will. */
  #hasLost({ chunk }: Descriptor): boolean {
    return this.#begin(chunk) < this.#earliest;
  }

  /** The first offset of a chunk that belongs to this life of the log. */
  #begin(chunk: number): number {
    return Math.max(chunkStart(chunk, this.#options.chunkSize), this.#options.first?.[this.#partition] ?? 0);
  }

  /** Gives up a descriptor that failed and can never succeed. */
  #drop({ chunk }: Descriptor): void {
    const { chunkSize } = this.#options;
    this.#failures.delete(chunk);
    this.#position = Math.max(this.#position, chunkEnd(chunk, chunkSize));
    this.#warn(
      `chunk ${chunk} is given up: the log begins at offset ${this.#earliest} now, so that its events from ` +
        `${this.#begin(chunk)} on cannot be read any more. Unless a batch view covers it, it is a hole`,
    );
  }

  #isAside({ descriptor }: Retry): boolean {
    return (this.#failures.get(descriptor.chunk) ?? 0) >= this.#attempts;
  }

  #viewsOf(chunk: number): string[] {
    return Object.entries(this.#options.start)
      .filter(([, chunks]) => chunk >= (chunks[this.#partition] ?? 0))
      .map(([view]) => view);
  }

  #warn(message: string): void {
    this.#options.warn?.(`partition ${this.#partition}: ${message}`);
  }
}
