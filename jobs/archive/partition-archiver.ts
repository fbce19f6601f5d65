import type { Application } from "../application.ts";
import { abortable, withBackOff } from "../back-off.ts";
import { errorText } from "../bounded-text.ts";
import { chunkEnd, chunkOf, chunkStart, firstWholeChunk } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import { decodeEvent, oneLine } from "../events/decode.ts";
import type { EventProducer } from "../kafka/event-producer.ts";
import type { LogRecord } from "../kafka/log-record.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import { isSealMarker } from "../kafka/seal-marker.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { ArchiveError } from "./archive-error.ts";
import { type DeadLetter, deadLetter, deadLetterKey, deadLetterSchema, shortLetter } from "./dead-letter.ts";
import { type ArchivedRange, archivedRange, fileName, partitionFolder } from "./layout.ts";
import type { ArchiveMetrics } from "./metrics.ts";

/** What the archiver works with; the systems may be away for a while. */
export interface ArchiveServices<Event> {
  readonly configuration: Configuration;
  readonly application: Application<Event>;
  readonly reader: Pick<RangeReader, "fetch" | "read" | "watermarks" | "topicId">;
  /** Writes to the dead-letter topic. */
  readonly deadLetters: Pick<EventProducer, "send">;
  readonly storage: Pick<FileStorage, "system" | "list" | "readText" | "publish" | "discardUnfinished">;
  readonly metrics: ArchiveMetrics;
  readonly log: (line: string) => void;
  /**
   * The most bytes of open chunks' events kept in memory, over all partitions; more is read from Kafka once again when
   * the chunk is full. Default: 64 MiB
   */
  readonly memoryBytes?: number;
}

const lineEnd = Buffer.from("\n");

/** What was read of the open chunk. */
interface OpenChunk extends ArchivedRange {
  events: number;
  letters: number;
  bytes: number;
  /** The events' lines; undefined if they were too many to keep. */
  lines: Buffer[] | undefined;
}

/**
 * Archives one partition: reads it chunk by chunk, sends what is no event to the dead-letter topic at once, and
 * publishes each chunk as one file when it is full.
 *
 * What is in the storage and in the dead-letter topic says where to go on, so that a killed archiver loses nothing and writes
 * nothing twice.
 */
export class PartitionArchiver<Event> {
  readonly #services: ArchiveServices<Event>;
  readonly #partition: number;
  readonly #folder: string;
  readonly #label: { readonly partition: string };
  /** Dead letters up to this offset (inclusive) are written. */
  #lettered = -1;

  constructor(services: ArchiveServices<Event>, partition: number) {
    const { masterDataset } = services.configuration;
    this.#services = services;
    this.#partition = partition;
    this.#folder = partitionFolder(masterDataset, services.configuration.topic, partition);
    this.#label = { partition: String(partition) };
  }

  /**
   * Archives until the signal comes.
   *
   * @throws {OffsetOutOfRangeError} if Kafka lost events before they were archived
   * @throws {TopicRecreatedError} if the topic was made again
   * @throws {ArchiveError} if the folder holds files of another chunk size
   */
  async run(signal: AbortSignal): Promise<void> {
    const { chunkSize } = this.#services.configuration;
    const { system } = this.#services.storage;
    await this.#patiently(system, signal, () => this.#services.storage.discardUnfinished(this.#folder));
    const archived = await this.#patiently(system, signal, () => this.#archived(signal));
    this.#lettered = await this.#patiently("Kafka", signal, () => this.#lastLettered(signal));
    let chunk = archived[0] === undefined ? await this.#firstChunk(signal) : chunkOf(archived[0].start, chunkSize);
    const done = new Set(archived.map(({ start }) => start));
    for (; ; chunk++) {
      const start = chunkStart(chunk, chunkSize);
      if (!done.has(start)) {
        const open = await this.#readChunk({ start, end: chunkEnd(chunk, chunkSize) }, signal);
        await this.#patiently(system, signal, () => this.#publish(open, signal));
      }
      this.#services.metrics.endOffset.set(this.#label, chunkEnd(chunk, chunkSize));
    }
  }

  /** The ranges that are archived, in order. */
  async #archived(signal: AbortSignal): Promise<ArchivedRange[]> {
    const { chunkSize } = this.#services.configuration;
    const names = await this.#services.storage.list(this.#folder, signal);
    return names.map((name) => {
      const range = archivedRange(name);
      if (range === undefined || range.start % chunkSize !== 0 || range.end !== range.start + chunkSize)
        throw new ArchiveError(
          `${this.#folder}/${name} is no chunk of ${chunkSize} offsets: the chunk size of a topic may never change, and nothing but ` +
            "the archiver may write there",
        );
      return range;
    });
  }

  /** The offset of the last dead letter; -1 if there is none. */
  async #lastLettered(signal: AbortSignal): Promise<number> {
    const { topic, deadLetterTopic } = this.#services.configuration;
    const held = (await this.#services.reader.watermarks(deadLetterTopic))[this.#partition];
    if (held === undefined)
      throw new ArchiveError(
        `topic ${deadLetterTopic} has no partition ${this.#partition}: it needs as many partitions as ${topic}`,
      );
    for (let offset = held.latest - 1; offset >= held.earliest; offset--) {
      const { records } = await this.#services.reader.fetch(deadLetterTopic, this.#partition, offset, { signal });
      const letter = deadLetterSchema.safeParse(parseJson(records[0]?.value)).data;
      if (letter?.topic === topic) return letter.offset;
    }
    return -1;
  }

  /** The chunk to begin with if nothing is archived: the first of which Kafka holds every event. */
  async #firstChunk(signal: AbortSignal): Promise<number> {
    const { topic, chunkSize } = this.#services.configuration;
    const held = (await this.#patiently("Kafka", signal, () => this.#services.reader.watermarks(topic)))[
      this.#partition
    ];
    if (held === undefined) throw new ArchiveError(`topic ${topic} has no partition ${this.#partition}`);
    const chunk = firstWholeChunk(held.earliest, chunkSize);
    if (chunk > 0)
      this.#services.log(
        `${topic}-${this.#partition}: retention deleted the events before ${held.earliest}, and none is archived: ` +
          `begins with ${chunkStart(chunk, chunkSize)}`,
      );
    return chunk;
  }

  /** Reads a whole chunk, as it fills. */
  async #readChunk(range: ArchivedRange, signal: AbortSignal): Promise<OpenChunk> {
    const { configuration, reader, metrics } = this.#services;
    const mostBytes = (this.#services.memoryBytes ?? 64 * 1024 * 1024) / configuration.partitions;
    const open: OpenChunk = { ...range, events: 0, letters: 0, bytes: 0, lines: [] };
    for (let offset = range.start; offset < range.end; ) {
      const { records, next, latest } = await reader.fetch(configuration.topic, this.#partition, offset, {
        end: range.end,
        maxWaitMilliseconds: 1_000,
        signal,
      });
      const { lines, events, letters } = this.#sort(records);
      await this.#send(letters, signal);
      open.events += events;
      open.letters += letters.length;
      open.bytes += lines.length;
      if (open.bytes > mostBytes) open.lines = undefined;
      open.lines?.push(lines);
      offset = next;
      metrics.events.inc(this.#label, events);
      metrics.readOffset.set(this.#label, offset);
      metrics.lag.set(this.#label, Math.max(0, latest - offset));
    }
    return open;
  }

  /** Sorts records into events, as lines, and dead letters. */
  #sort(records: readonly LogRecord[]): { lines: Buffer; events: number; letters: DeadLetter[] } {
    const { configuration, application } = this.#services;
    const lines: Buffer[] = [];
    const letters: DeadLetter[] = [];
    for (const record of records) {
      if (isSealMarker(record)) continue;
      const { event, reason } = decodeEvent(application, record.value, configuration.maxEventBytes);
      const problems = reason !== undefined ? [reason] : problemsOf(application, event);
      if (reason === undefined) lines.push(oneLine(record.value as Buffer), lineEnd);
      if (problems.length > 0)
        letters.push(deadLetter(configuration.topic, this.#partition, record, problems.join("; ")));
    }
    // A copy: a record's value would keep the whole response of its fetch in memory.
    return { lines: Buffer.concat(lines), events: lines.length / 2, letters };
  }

  /** Writes the dead letters that were not written before, as one batch: all or none is in the log. */
  async #send(letters: readonly DeadLetter[], signal: AbortSignal): Promise<void> {
    const fresh = letters.filter(({ offset }) => offset > this.#lettered);
    const last = fresh.at(-1);
    if (last === undefined) return;
    const send = (all: readonly DeadLetter[]) => {
      const partition = this.#partition;
      const events = all.map((letter) => ({ key: deadLetterKey(letter), value: JSON.stringify(letter), partition }));
      return abortable(this.#services.deadLetters.send(events), signal);
    };
    try {
      await send(fresh);
    } catch (error) {
      if (signal.aborted) throw error;
      // It would be refused for ever, and the partition with it.
      this.#services.log(`${errorText(error)}; sends ${fresh.length} dead letters without their values`);
      await send(fresh.map(shortLetter));
    }
    this.#lettered = last.offset;
    this.#services.metrics.deadLetters.inc(this.#label, fresh.length);
  }

  /** Makes the chunk's file, unless it is there: a publication may be done although its answer was lost. */
  async #publish(open: OpenChunk, signal: AbortSignal): Promise<void> {
    const { storage, metrics, log } = this.#services;
    const path = `${this.#folder}/${fileName(open)}`;
    await storage.publish(path, open.lines ?? this.#linesAgain(open, signal), { length: open.bytes, signal });
    metrics.chunks.inc(this.#label);
    metrics.bytes.inc(this.#label, open.bytes);
    log(`archived ${path}: ${open.events} events, ${open.bytes} bytes, ${open.letters} dead letters`);
  }

  async *#linesAgain({ start, end }: ArchivedRange, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { reader, configuration } = this.#services;
    for await (const records of reader.read(configuration.topic, this.#partition, start, end, signal))
      yield this.#sort(records).lines;
  }

  /** The operation's result, tried again until the system is there. */
  #patiently<Result>(
    system: FileStorage["system"] | "Kafka",
    signal: AbortSignal,
    operation: () => Promise<Result>,
  ): Promise<Result> {
    const { metrics, log, configuration } = this.#services;
    return withBackOff(operation, {
      signal,
      isTransient: (error) => !(error instanceof ArchiveError),
      onRetry: (error, failures) => {
        metrics.retries.inc({ system });
        if (failures % 20 === 1)
          log(`${configuration.topic}-${this.#partition}: ${error.message}; tries again (failure ${failures})`);
      },
    });
  }
}

/** Why each of the views that cannot take the event cannot. */
function problemsOf<Event>(application: Application<Event>, event: Event): string[] {
  return application.views.flatMap((view) => {
    const problem = view.problem(event);
    return problem === undefined ? [] : [`view ${view.name}: ${problem}`];
  });
}

function parseJson(value: Buffer | null | undefined): unknown {
  try {
    return JSON.parse(value?.toString("utf8") ?? "");
  } catch {
    return undefined;
  }
}
