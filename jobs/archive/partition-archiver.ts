import type { Application } from "../application.ts";
import { abortable, pause, withBackOff } from "../back-off.ts";
import { errorText } from "../bounded-text.ts";
import { chunkEnd, chunkOf } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import { type Decoded, decodeEvent, oneLine } from "../events/decode.ts";
import { UnknownFormatError } from "../formats.ts";
import { LogDivergedError, OffsetOutOfRangeError, TopicRecreatedError } from "../kafka/errors.ts";
import type { EventProducer } from "../kafka/event-producer.ts";
import type { LogRecord } from "../kafka/log-record.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import { isSealMarker, writeSealMarkers } from "../kafka/seal-marker.ts";
import { describedIncarnation } from "../log/incarnation.ts";
import { type Range, totalOf, within, without } from "../ranges.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { ArchiveError } from "./archive-error.ts";
import { type Content, contentOf } from "./content.ts";
import { type DeadLetter, deadLetter, deadLetterKey, parseDeadLetter, shortLetter } from "./dead-letter.ts";
import { fileName, type Manifest, manifestName, type Part, partitionFolder, partName, topicFolder } from "./layout.ts";
import type { ArchiveMetrics } from "./metrics.ts";
import { countLines, OpenChunk, type Stretch } from "./open-chunk.ts";
import {
  chainEnd,
  chunkBegin,
  epochOf,
  isWholeChunk,
  partitionFiles,
  partsOf,
  type Source,
  sourcesOf,
  wholeEnd,
  wholeRun,
} from "./partition-files.ts";

/** What the archiver works with; the systems may be away for a while. */
export interface ArchiveServices<Event> {
  readonly configuration: Configuration;
  readonly application: Application<Event>;
  readonly reader: Pick<RangeReader, "fetch" | "read" | "watermarks" | "latest" | "topicId" | "offsetsAt">;
  /** Writes to the dead-letter topic. */
  readonly deadLetters: Pick<EventProducer, "send">;
  /** Writes to the topic of the events: seal markers. */
  readonly markers: Pick<EventProducer, "send">;
  readonly storage: Pick<
    FileStorage,
    "system" | "list" | "read" | "readText" | "publish" | "discardUnfinished" | "delete"
  >;
  readonly metrics: ArchiveMetrics;
  readonly log: (line: string) => void;
  /**
   * The most bytes of open chunks' events kept in memory, over all partitions; more is read from Kafka once again when
   * the chunk is full. Default: 64 MiB
   */
  readonly memoryBytes?: number;
  /** Milliseconds since 1970. Default: the clock */
  readonly now?: () => number;
}

/** What says that a log is another one than it was. */
const anotherLog = [OffsetOutOfRangeError, LogDivergedError, TopicRecreatedError];

const lineEnd = Buffer.from("\n");

const minute = 60_000;
/** A part is begun so early that it is there in time. */
const partOfTime = 0.75;
/** Milliseconds between two looks at what is rarely to do. */
const longestPause = 60_000;
/** Milliseconds between two looks at whether a loss was accepted. */
const lossPause = 5_000;

/**
 * Archives one partition: reads it chunk by chunk, sends what is no event to the dead-letter topic at once, writes parts
 * of the open chunk so that every event is in the storage in time, and publishes each chunk as one file, with its
 * manifest, when it is full. A chunk that does not fill for long is filled with seal markers.
 *
 * What is in the storage and in the dead-letter topic says where to go on, so that a killed archiver loses nothing and
 * writes nothing twice. Several archivers at once disturb each other in nothing but dead letters that come twice.
 *
 * Offsets that Kafka lost before they were archived are no end: what is behind them goes on being archived, and the
 * chunk that they are in waits until a person has accepted the loss, see {@link wholeEnd}.
 */
export class PartitionArchiver<Event> {
  readonly #services: ArchiveServices<Event>;
  readonly #partition: number;
  readonly #first: number;
  readonly #folder: string;
  readonly #openFolder: string;
  readonly #name: string;
  readonly #label: { readonly partition: string };
  /** By the offset where a chunk or a part ends, the epoch of the leader that wrote what is before it. */
  readonly #epochs = new Map<number, number>();
  /** The chunks that have a file, by their first offset. */
  readonly #done = new Map<number, Range>();
  /** The first offsets of those that have a manifest as well. */
  readonly #noted = new Set<number>();
  /** What is lost, and accepted. */
  #lost: readonly Range[] = [];
  /** By name. */
  readonly #parts = new Map<string, Part>();
  #archivedEnd: number;
  /** The first offset that Kafka holds, as far as it is known. */
  #earliest = 0;
  /** What is lost, and not accepted. */
  #holes: Range[] = [];
  /** Chunks that wait for a loss to be accepted: there is something of them. */
  readonly #waiting = new Map<number, Range>();
  #open: OpenChunk | undefined;
  #isDiverged = false;
  /** The part that is being written. */
  #writing: Promise<unknown> = Promise.resolve();
  /** Dead letters up to this offset (inclusive) are written. */
  #lettered = -1;

  /** @param first the first offset of this life of the log. Default: 0 */
  constructor(services: ArchiveServices<Event>, partition: number, first = 0) {
    const { masterDataset, openChunks, topic, incarnation } = services.configuration;
    const of = { topic, partition, incarnation };
    this.#services = services;
    this.#partition = partition;
    this.#first = first;
    this.#archivedEnd = first;
    this.#folder = partitionFolder(masterDataset, of);
    this.#openFolder = partitionFolder(openChunks, of);
    this.#name = `${topic}-${partition}`;
    this.#label = { partition: String(partition) };
  }

  /**
   * Archives until the signal comes.
   *
   * @throws {ArchiveError} if the folder holds files of another chunk size
   */
  async run(signal: AbortSignal): Promise<void> {
    const { configuration, storage } = this.#services;
    for (const folder of [this.#folder, this.#openFolder])
      await this.#storagePatiently(signal, () => storage.discardUnfinished(folder));
    await this.#storagePatiently(signal, () => this.#look(signal));
    this.#lettered = await this.#patiently("Kafka", signal, () => this.#lastLettered(signal));
    // If one of them fails for good, the others end too.
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const { archiveMinutes, sealHours } = configuration;
    const loops = [
      this.#archive(either),
      this.#completeManifests(either),
      this.#every((archiveMinutes * minute) / 20, either, () => this.#storeOpen(either)),
      this.#every((sealHours * 60 * minute) / 100, either, () => this.#seal(either)),
      this.#every(Math.min(lossPause, (archiveMinutes * minute) / 20), either, () => this.#lookForAcceptance(either)),
    ];
    await Promise.all(loops.map((loop) => loop.catch((error: unknown) => failed.abort(error))));
    either.throwIfAborted();
  }

  /** How far the partition's chunks are in the storage without a gap, by what is known here. */
  get archivedEnd(): number {
    const { chunkSize } = this.#services.configuration;
    this.#archivedEnd = wholeEnd((start) => this.#done.has(start), this.#lost, this.#archivedEnd, chunkSize);
    return this.#archivedEnd;
  }

  /** The same, by what is in the storage now. */
  async storedEnd(signal: AbortSignal): Promise<number> {
    const files = partitionFiles(await this.#services.storage.list(this.#folder, signal));
    return wholeRun(files, this.#first, this.#services.configuration.chunkSize).end;
  }

  /** Whether the log is another one than the one that is archived. */
  get isDiverged(): boolean {
    return this.#isDiverged;
  }

  /** When the oldest event that is not in the storage was written, in milliseconds since 1970; undefined if all are. */
  get oldestUnstored(): number | undefined {
    return this.#open?.oldestUnstored;
  }

  /** Takes in what is in the storage. */
  async #look(signal: AbortSignal): Promise<void> {
    const { configuration, storage } = this.#services;
    const [names, parts] = [await storage.list(this.#folder, signal), await storage.list(this.#openFolder, signal)];
    const files = partitionFiles(names);
    const wrong =
      files.others[0] ??
      files.chunks.filter((range) => !isWholeChunk(range, this.#first, configuration.chunkSize)).map(fileName)[0];
    if (wrong !== undefined)
      throw new ArchiveError(
        `${this.#folder}/${wrong} is no chunk of ${configuration.chunkSize} offsets: the chunk size of a topic may never change, and nothing but ` +
          "the archiver may write there",
      );
    for (const range of files.chunks) this.#done.set(range.start, range);
    for (const noted of files.manifests.values()) {
      const [{ range }] = noted as [Manifest];
      this.#noted.add(range.start);
      this.#epochs.set(range.end, epochOf(noted));
    }
    for (const part of partsOf(parts)) {
      this.#parts.set(part.name, part);
      this.#epochs.set(part.end, part.leaderEpoch);
    }
    this.#lost = files.lost;
    this.#services.metrics.lostOffsets.set(this.#label, 0);
    this.#services.metrics.endOffset.set(this.#label, this.archivedEnd);
  }

  /** The offset of the last dead letter; -1 if there is none. */
  async #lastLettered(signal: AbortSignal): Promise<number> {
    const { topic, deadLetterTopic, incarnation } = this.#services.configuration;
    const held = (await this.#services.reader.watermarks(deadLetterTopic))[this.#partition];
    if (held === undefined)
      throw new ArchiveError(
        `topic ${deadLetterTopic} has no partition ${this.#partition}: it needs as many partitions as ${topic}`,
      );
    for (let offset = held.latest - 1; offset >= held.earliest; offset--) {
      const { records } = await this.#services.reader.fetch(deadLetterTopic, this.#partition, offset, { signal });
      const letter = parseDeadLetter(records[0]?.value);
      if (letter?.topic === topic && (letter.incarnation ?? 1) === incarnation) return letter.offset;
    }
    return -1;
  }

  /** Reads the log and makes a file of every chunk. */
  async #archive(signal: AbortSignal): Promise<never> {
    const { chunkSize } = this.#services.configuration;
    for (let start = this.#first; ; start = chunkEnd(chunkOf(start, chunkSize), chunkSize)) {
      const range = { start, end: chunkEnd(chunkOf(start, chunkSize), chunkSize) };
      if (this.#done.has(start)) continue;
      await this.#archiveChunk(range, signal);
      this.#services.metrics.endOffset.set(this.#label, this.archivedEnd);
    }
  }

  async #archiveChunk(range: Range, signal: AbortSignal): Promise<void> {
    const open = await this.#readChunk(range, signal);
    const isHeld = without(range, [...this.#holes, ...this.#lost]).length > 0;
    const isWhole = !this.#holes.some((hole) => within(hole, range) !== undefined);
    if (!isHeld) return;
    if (isWhole && (await this.#storagePatiently(signal, () => this.#publish(range, open, signal)))) return;
    // What there is of it goes into parts, where it waits for the rest to be given up.
    await this.#store(open, signal);
    this.#waiting.set(range.start, range);
  }

  /** Reads a whole chunk, as it fills, beginning behind its parts. */
  async #readChunk(range: Range, signal: AbortSignal): Promise<OpenChunk> {
    const { configuration, reader, metrics } = this.#services;
    const open = new OpenChunk(range, (this.#services.memoryBytes ?? 64 * 1024 * 1024) / configuration.partitions);
    this.#open = open;
    let offset = this.#behindParts(open, range.start);
    let lastEpoch = this.#epochs.get(offset) ?? -1;
    open.continueAt(offset);
    while (offset < range.end) {
      if (offset < this.#earliest) {
        offset = await this.#skip(open, offset, signal);
        lastEpoch = this.#epochs.get(offset) ?? -1;
        continue;
      }
      try {
        const { records, next, latest, leaderEpoch } = await reader.fetch(
          configuration.topic,
          this.#partition,
          offset,
          // Of another log than what is before was read from, nothing is archived behind it.
          { end: range.end, lastEpoch, maxWaitMilliseconds: 1_000, signal },
        );
        const { letters, ...sorted } = this.#sort(records);
        await this.#send(letters, signal);
        this.#isDiverged = false;
        metrics.diverged.set(this.#label, 0);
        if (leaderEpoch >= 0) lastEpoch = leaderEpoch;
        if (next > offset) open.add({ ...sorted, end: next, leaderEpoch: lastEpoch });
        offset = next;
        metrics.events.inc(this.#label, sorted.content.events);
        metrics.readOffset.set(this.#label, offset);
        metrics.lag.set(this.#label, Math.max(0, latest - offset));
      } catch (error) {
        if (error instanceof OffsetOutOfRangeError && offset < error.earliest) this.#earliest = error.earliest;
        else if (anotherLog.some((kind) => error instanceof kind))
          await this.#waitForFormerLog(open, error as Error, signal);
        else throw error;
      }
    }
    // The next chunk goes on with the same log.
    this.#epochs.set(range.end, lastEpoch);
    this.#epochs.delete(range.start);
    return open;
  }

  /** The end of the parts that chain from the offset on, no further than the chunk's end. */
  #behindParts(open: OpenChunk, offset: number): number {
    const parts = [...this.#parts.values()].filter(({ start, end }) => start >= offset && end <= open.range.end);
    const end = chainEnd(parts, offset);
    // A part is written when an event has waited: the first one has one, which is no later than its end.
    if (end > offset) open.continueAt(end, Math.min(...parts.map((part) => part.end)) - 1);
    return end;
  }

  /** Passes over what Kafka no longer holds: it is lost, as far as no part holds it. Returns where to go on. */
  async #skip(open: OpenChunk, offset: number, signal: AbortSignal): Promise<number> {
    // Lines that were too many to keep are lost with the log.
    const from = open.memory === undefined ? open.unstored.start : offset;
    if (open.memory !== undefined) await this.#store(open, signal);
    const next = [...this.#parts.values()]
      .filter(({ start, end }) => start >= offset && end <= open.range.end)
      .reduce((least, { start }) => Math.min(least, start), Math.min(this.#earliest, open.range.end));
    const known = [...this.#lost, ...this.#holes];
    const holes = without({ start: from, end: next }, known);
    // Told at once for all of it, not by the chunk.
    const all = { start: from, end: Math.max(next, this.#earliest) };
    if (holes.length > 0) this.#noteLoss(without(all, [...known, ...this.#parts.values(), ...this.#done.values()]));
    open.continueAt(next);
    return this.#behindParts(open, next);
  }

  #noteLoss(lost: readonly Range[]): void {
    this.#holes.push(...lost);
    this.#services.metrics.lostOffsets.set(this.#label, totalOf(this.#holes));
    for (const { start, end } of lost)
      this.#services.log(
        `${this.#name}: offsets ${start} to ${end - 1} are lost: Kafka had deleted them before they were archived; ` +
          "batch views end before them until you accept it: npm run batch -- --accept-loss",
      );
  }

  /**
   * The log is another one than what was read of it, and nothing of it may be mixed with the former. What is in memory is
   * nowhere else by now.
   */
  async #waitForFormerLog(open: OpenChunk, error: Error, signal: AbortSignal): Promise<void> {
    const { metrics, log } = this.#services;
    metrics.diverged.set(this.#label, 1);
    if (!this.#isDiverged) {
      log(
        `${error.message}; nothing more of this partition is archived until you accept it: npm run batch -- --accept-loss`,
      );
      this.#isDiverged = true;
      if (open.memory !== undefined) await this.#store(open, signal);
    }
    await pause(lossPause, signal);
  }

  /** Sorts records into events, as lines, and dead letters. */
  #sort(
    records: readonly LogRecord[],
  ): Pick<Stretch, "lines" | "content" | "firstEvent"> & { readonly letters: DeadLetter[] } {
    const { configuration, application } = this.#services;
    const values: Buffer[] = [];
    const lines: Buffer[] = [];
    const letters: DeadLetter[] = [];
    let firstEvent: Stretch["firstEvent"];
    for (const record of records) {
      if (isSealMarker(record)) continue;
      const decoded: Decoded<Event> =
        record.problem === undefined
          ? decodeEvent(application, record.value, configuration.maxEventBytes)
          : { reason: record.problem };
      const { event, reason } = decoded;
      const problems = reason !== undefined ? [reason] : problemsOf(application, event);
      if (reason === undefined) {
        const line = oneLine(record.value as Buffer);
        values.push(line);
        lines.push(line, lineEnd);
        // Never later than it was read here, whatever the broker's clock says.
        firstEvent ??= { offset: record.offset, timestamp: Math.min(record.timestamp, this.#now()) };
      }
      if (problems.length > 0)
        letters.push(deadLetter({ ...configuration, partition: this.#partition }, record, problems.join("; ")));
    }
    // A copy: a record's value would keep the whole response of its fetch in memory.
    return { lines: Buffer.concat(lines), content: countLines(values), firstEvent, letters };
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

  /** Writes a part of the open chunk if an event of it waits for long. */
  async #storeOpen(signal: AbortSignal): Promise<void> {
    const open = this.#open;
    const oldest = open?.oldestUnstored;
    if (open === undefined || open.isPublished || oldest === undefined) return;
    const due = oldest + this.#services.configuration.archiveMinutes * minute * partOfTime;
    if (this.#now() >= due) await this.#store(open, signal);
  }

  /** Writes what was read of a chunk and is in no part yet into one. One after the other. */
  #store(open: OpenChunk, signal: AbortSignal): Promise<void> {
    const stored = this.#writing.then(() => this.#storagePatiently(signal, () => this.#storeOnce(open, signal)));
    this.#writing = stored.catch(() => {});
    return stored;
  }

  async #storeOnce(open: OpenChunk, signal: AbortSignal): Promise<void> {
    const { storage, metrics } = this.#services;
    const range = open.unstored;
    if (open.isPublished || range.start === range.end) return;
    const name = partName(range, open.leaderEpoch);
    const { bytes } = open.content(range);
    const body = open.memory === undefined ? this.#linesAgain(range, signal) : open.lines(range);
    await storage.publish(`${this.#openFolder}/${name}`, body, { length: bytes, signal });
    this.#parts.set(name, { ...range, name, leaderEpoch: open.leaderEpoch });
    this.#epochs.set(range.end, open.leaderEpoch);
    open.store(range.end);
    metrics.parts.inc(this.#label);
    // It came too late.
    if (open.isPublished) await this.#deleteOldParts(signal);
  }

  /** Fills the open chunk if it has an event that is older than chunks may become. */
  async #seal(signal: AbortSignal): Promise<void> {
    const { configuration, reader, markers, metrics, log } = this.#services;
    const { topic, sealHours } = configuration;
    const open = this.#open;
    const firstEvent = open?.firstEvent;
    if (open === undefined || firstEvent === undefined || open.isSealed || this.#isDiverged) return;
    await this.#patiently("Kafka", signal, async () => {
      const old = Math.floor(this.#now() - sealHours * 60 * minute);
      const [reached, ends] = await Promise.all([reader.offsetsAt(topic, old), reader.latest(topic)]);
      const { start, end } = open.range;
      const latest = ends[this.#partition]?.latest ?? end;
      if ((reached[this.#partition] ?? 0) <= firstEvent) return;
      if (latest < end) await abortable(writeSealMarkers(markers, this.#partition, end - latest), signal);
      open.isSealed = true;
      // It is full already, and only not read yet.
      if (latest >= end) return;
      metrics.seals.inc(this.#label);
      log(`${this.#name}: closes the chunk ${start} to ${end - 1} by its age, from ${latest} on`);
    });
  }

  /** Looks whether the loss of what is missing was accepted, and makes the files that waited for it. */
  async #lookForAcceptance(signal: AbortSignal): Promise<void> {
    if (this.#holes.length === 0 && this.#waiting.size === 0) return;
    const names = await this.#storagePatiently(signal, () => this.#services.storage.list(this.#folder, signal));
    this.#lost = partitionFiles(names).lost;
    this.#holes = this.#holes.flatMap((hole) => without(hole, this.#lost));
    this.#services.metrics.lostOffsets.set(this.#label, totalOf(this.#holes));
    for (const [start, range] of this.#waiting) {
      if (this.#holes.some((hole) => within(hole, range) !== undefined)) continue;
      const isPublished = await this.#storagePatiently(signal, () => this.#publish(range, undefined, signal));
      if (isPublished) this.#waiting.delete(start);
    }
    this.#services.metrics.endOffset.set(this.#label, this.archivedEnd);
  }

  /**
   * Makes the chunk's file and its manifest, unless they are there: a publication may be done although its answer was
   * lost.
   *
   * @returns false if something of it is lost: then there is no file
   */
  async #publish(range: Range, open: OpenChunk | undefined, signal: AbortSignal): Promise<boolean> {
    const { storage, metrics, log } = this.#services;
    const path = `${this.#folder}/${fileName(range)}`;
    const sources = await this.#sourcesOf(range, open, signal);
    if (sources === undefined) return false;
    const inMemory = open !== undefined && sources.every(({ kind }) => kind === "memory");
    const lines = () => this.#lines(sources, open, signal);
    let content = inMemory ? open.content(range) : await contentOf(lines());
    const isNew = await storage.publish(path, lines(), { length: content.bytes, signal });
    // What is noted is what is stored.
    if (!isNew) content = await contentOf(storage.read(path, signal));
    await this.#note(range, content, this.#epochs.get(range.end) ?? -1, signal);
    if (open !== undefined) open.isPublished = true;
    await this.#deleteOldParts(signal);
    metrics.chunks.inc(this.#label);
    metrics.bytes.inc(this.#label, content.bytes);
    log(`archived ${path}: ${content.events} events, ${content.bytes} bytes`);
    return true;
  }

  /** Publishes the manifest of a file that is there. */
  async #note(range: Range, content: Content, leaderEpoch: number, signal: AbortSignal): Promise<void> {
    const path = `${this.#folder}/${manifestName({ range, content, leaderEpoch })}`;
    await this.#services.storage.publish(path, [], { length: 0, signal });
    this.#done.set(range.start, range);
    this.#noted.add(range.start);
  }

  /** Of what the chunk's file is made: mostly, all of it is in memory. Undefined if something of it is lost. */
  async #sourcesOf(
    range: Range,
    open: OpenChunk | undefined,
    signal: AbortSignal,
  ): Promise<readonly Source[] | undefined> {
    const memory = open?.memory;
    if (memory?.start === range.start && memory.end === range.end) return [{ kind: "memory", ...range }];
    const { configuration, reader, storage } = this.#services;
    const parts = partsOf(await storage.list(this.#openFolder, signal));
    const { earliest = 0 } = (await reader.watermarks(configuration.topic))[this.#partition] ?? {};
    const sources = sourcesOf(range, { parts, lost: this.#lost, earliest, memory });
    if (sources !== undefined) return sources;
    // Parts were deleted by others, or the log after it was read.
    const log = { start: earliest, end: Number.POSITIVE_INFINITY };
    this.#noteLoss(without(range, [...parts, ...this.#lost, ...this.#holes, log, ...(memory ? [memory] : [])]));
    return undefined;
  }

  async *#lines(
    sources: readonly Source[],
    open: OpenChunk | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    for (const source of sources) {
      if (source.kind === "part") yield* this.#services.storage.read(`${this.#openFolder}/${source.part.name}`, signal);
      else if (source.kind === "log") yield* this.#linesAgain(source, signal);
      else yield* open?.lines(source) ?? [];
    }
  }

  async *#linesAgain({ start, end }: Range, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { reader, configuration } = this.#services;
    for await (const records of reader.read(configuration.topic, this.#partition, start, end, signal))
      yield this.#sort(records).lines;
  }

  /** Deletes the parts of chunks whose file and manifest are there. */
  async #deleteOldParts(signal: AbortSignal): Promise<void> {
    const { storage, configuration } = this.#services;
    const { masterDataset, topic, incarnation } = configuration;
    if (this.#parts.size === 0) return;
    // Where another life of the log has begun, parts of this one count on as they are.
    const names = await storage.list(topicFolder(masterDataset, topic), signal);
    if (names.some((name) => (describedIncarnation(name) ?? 0) > incarnation)) return;
    for (const part of partsOf(await storage.list(this.#openFolder, signal))) {
      if (!this.#noted.has(chunkBegin(part.start, this.#first, configuration.chunkSize))) continue;
      await storage.delete(`${this.#openFolder}/${part.name}`);
      this.#parts.delete(part.name);
    }
  }

  /** Makes the manifests that are missing: of files of former times, and of those whose archiver was killed then. */
  async #completeManifests(signal: AbortSignal): Promise<void> {
    const { storage } = this.#services;
    for (const [start, range] of [...this.#done]) {
      if (this.#noted.has(start)) continue;
      await this.#storagePatiently(signal, async () => {
        const content = await contentOf(storage.read(`${this.#folder}/${fileName(range)}`, signal));
        await this.#note(range, content, -1, signal);
      });
    }
    await this.#storagePatiently(signal, () => this.#deleteOldParts(signal));
  }

  /** Runs the operation again and again, with pauses. */
  async #every(milliseconds: number, signal: AbortSignal, operation: () => Promise<void>): Promise<never> {
    for (;;) {
      await pause(Math.min(milliseconds, longestPause), signal);
      await operation();
    }
  }

  #now(): number {
    return (this.#services.now ?? Date.now)();
  }

  #storagePatiently<Result>(signal: AbortSignal, operation: () => Promise<Result>): Promise<Result> {
    return this.#patiently(this.#services.storage.system, signal, operation);
  }

  /** The operation's result, tried again until the system is there. */
  #patiently<Result>(
    system: FileStorage["system"] | "Kafka",
    signal: AbortSignal,
    operation: () => Promise<Result>,
  ): Promise<Result> {
    const { metrics, log } = this.#services;
    return withBackOff(operation, {
      signal,
      isTransient: (error) => !(error instanceof ArchiveError || error instanceof UnknownFormatError),
      onRetry: (error, failures) => {
        metrics.retries.inc({ system });
        if (failures % 20 === 1) log(`${this.#name}: ${error.message}; tries again (failure ${failures})`);
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
