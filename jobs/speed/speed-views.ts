import { LRUCache } from "lru-cache";
import type { Application } from "../application.ts";
import { chunkEnd, chunkStart, type Offsets } from "../chunks.ts";
import type { Configuration } from "../configuration.ts";
import { decodeEvent } from "../events/decode.ts";
import type { RangeReader } from "../kafka/range-reader.ts";
import { ChunkRows } from "./chunk-rows.ts";
import { type Descriptor, descriptorId } from "./descriptor.ts";
import type { AnyView, SpeedStore } from "./store.ts";

export interface SpeedViewsOptions {
  // biome-ignore lint/suspicious/noExplicitAny: an application of any event
  readonly application: Application<any>;
  readonly configuration: Pick<Configuration, "topic" | "chunkSize" | "maxEventBytes">;
  readonly reader: Pick<RangeReader, "fetch">;
  readonly store: Pick<SpeedStore, "writeRows" | "writeProgress">;
  /** By partition, the first offset that belongs to this life of the log. Default: 0 everywhere */
  readonly first?: () => Promise<Offsets>;
  /** Milliseconds without a record after which a stretch is given up. Default: 20,000, less than Storm waits for a tuple */
  readonly patience?: number;
  /** The most rows that are kept of open chunks, of all partitions together. Default: 100,000, some 100 MiB at most */
  readonly mostRows?: number;
}

/** What is kept in memory of a chunk that is not full yet, so that only what is new has to be read. */
interface OpenChunk {
  readonly partition: number;
  readonly chunk: number;
  /** The tables that hold what is written. */
  readonly tables: string;
  /** The offset up to which the events are in the rows. */
  read: number;
  /** The offset up to which the rows are acknowledged. */
  written: number;
  /** The log's leader epoch at the last record that was read; -1 if it is not known. */
  leaderEpoch: number;
  /** By the view's name. */
  readonly rows: ReadonlyMap<string, ChunkRows>;
}

/** How many chunks may follow before an open one is forgotten: more than are ever under way at once. */
const keptChunks = 16;
/** How many finished chunks are remembered, of all partitions: many times those that are ever under way at once. */
const finishedChunks = 1_000;

/** What was finished of a chunk. */
interface FinishedChunk {
  readonly tables: string;
  readonly views: ReadonlySet<string>;
}

/**
 * Works descriptors off: reads their events from Kafka, aggregates them and writes the rows that changed. A descriptor
 * may come twice, late, or to two processes at once: rows are a function of the events up to the descriptor's end, and
 * of two writes of a row the one with the larger end wins. One that comes again while it is worked off, since Storm took
 * it for lost, or after that, costs nothing.
 */
export class SpeedViews {
  readonly #options: SpeedViewsOptions;
  readonly #views: ReadonlyMap<string, AnyView>;
  readonly #open = new Map<string, OpenChunk>();
  /** By chunk, what has to end before the next descriptor of it begins. */
  readonly #turns = new Map<string, Promise<void>>();
  /** By descriptor, the work on it. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #finished = new LRUCache<string, FinishedChunk>({ max: finishedChunks });

  constructor(options: SpeedViewsOptions) {
    this.#options = options;
    this.#views = new Map(options.application.views.map((view) => [view.name, view]));
  }

  /**
   * Resolves when the rows and the progress of the descriptor's views are acknowledged. After a failure nothing is
   * kept of the chunk: the next descriptor reads it from its first event.
   */
  execute(descriptor: Descriptor): Promise<void> {
    const work = `${descriptorId(descriptor)} ${descriptor.views.join()}`;
    let done = this.#underWay.get(work);
    if (done === undefined) {
      done = this.#inTurn(descriptor).finally(() => this.#underWay.delete(work));
      this.#underWay.set(work, done);
    }
    return done;
  }

  #inTurn(descriptor: Descriptor): Promise<void> {
    // One descriptor of a chunk at a time; chunks beside each other.
    const id = `${descriptor.partition}/${descriptor.chunk}`;
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(() => this.#executeInTurn(id, descriptor));
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(id, settled);
    void settled.then(() => this.#turns.get(id) === settled && this.#turns.delete(id));
    return turn;
  }

  async #executeInTurn(id: string, descriptor: Descriptor): Promise<void> {
    const { partition, chunk, end, views, tables } = descriptor;
    const finished = this.#finished.get(id);
    if (finished?.tables === tables && views.every((view) => finished.views.has(view))) return;
    const open = this.#openChunk(id, descriptor, (await this.#options.first?.()) ?? {});
    const isFull = end === chunkEnd(chunk, this.#options.configuration.chunkSize);
    if (end <= open.written) return;
    try {
      await this.#read(open, descriptor);
      await Promise.all(
        [...open.rows.values()].map(async (rows) => {
          const stretch = { partition, chunk, end, leaderEpoch: open.leaderEpoch };
          await this.#options.store.writeRows(rows.view, stretch, rows.takeChanged(end, isFull));
          await this.#options.store.writeProgress(rows.view, stretch);
        }),
      );
      open.written = end;
      this.#open.delete(id);
      if (isFull) this.#finished.set(id, { tables, views: new Set(open.rows.keys()) });
      else {
        this.#open.set(id, open);
        this.#forget(id);
      }
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  /**
   * Forgets the open chunks that were worked on the longest ago if there are too many rows in memory: the next descriptor
   * of such a one reads it from its first event.
   */
  #forget(current: string): void {
    const sizeOf = ({ rows }: OpenChunk) => [...rows.values()].reduce((sum, { size }) => sum + size, 0);
    let rows = 0;
    for (const open of this.#open.values()) rows += sizeOf(open);
    for (const [id, open] of this.#open) {
      if (rows <= (this.#options.mostRows ?? 100_000)) return;
      if (id === current || this.#turns.has(id)) continue;
      this.#open.delete(id);
      rows -= sizeOf(open);
    }
  }

  #openChunk(id: string, { partition, chunk, views, tables }: Descriptor, first: Offsets): OpenChunk {
    let open = this.#open.get(id);
    // A new set of views begins the chunk again, and so do tables that hold nothing yet.
    if (open === undefined || open.tables !== tables || views.some((view) => !open?.rows.has(view))) {
      const start = Math.max(chunkStart(chunk, this.#options.configuration.chunkSize), first[partition] ?? 0);
      const rows = views.flatMap((name) => {
        const view = this.#views.get(name);
        return view === undefined ? [] : [[name, new ChunkRows(view)] as const];
      });
      open = { partition, chunk, tables, read: start, written: start, leaderEpoch: -1, rows: new Map(rows) };
      this.#open.set(id, open);
      for (const [other, { partition: of, chunk: before }] of this.#open)
        if (of === partition && before < chunk - keptChunks) this.#open.delete(other);
    }
    return open;
  }

  /** @throws {Error} with the reason if Kafka does not give the events up to the end */
  async #read(open: OpenChunk, { partition, end }: Descriptor): Promise<void> {
    const { application, configuration, reader, patience = 20_000 } = this.#options;
    const all = [...open.rows.values()];
    const gaveUp = new AbortController();
    const { signal } = gaveUp;
    // What waits for events that never come would keep its place for ever.
    const timer = setTimeout(() => {
      const what = `partition ${partition} gives nothing from offset ${open.read} on`;
      gaveUp.abort(new Error(`${what} for ${patience} ms, of ${end} that the log was seen to reach`));
    }, patience);
    try {
      while (open.read < end) {
        signal.throwIfAborted();
        const options = {
          end,
          // Of another log nothing is taken.
          lastEpoch: open.leaderEpoch,
          maxWaitMilliseconds: Math.min(1_000, patience),
          signal,
        };
        const fetched = await reader.fetch(configuration.topic, partition, open.read, options);
        for (const { value } of fetched.records) {
          const decoded = decodeEvent(application, value, configuration.maxEventBytes);
          // The archiver reports records that are no event, or none for a view.
          if ("event" in decoded) for (const rows of all) rows.add(decoded.event);
        }
        if (fetched.leaderEpoch >= 0) open.leaderEpoch = fetched.leaderEpoch;
        if (fetched.next > open.read) timer.refresh();
        open.read = fetched.next;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
