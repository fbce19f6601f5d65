import type { Application } from "../application.ts";
import { type Content, ContentCount } from "../archive/content.ts";
import { decodeEvent } from "../events/decode.ts";
import { Aggregate } from "../views/aggregate.ts";
import { RecordFormat } from "./records.ts";

/** What a map task has counted. */
export interface MapCounts {
  /** What was read: the sums over all tasks are those over the files' manifests, or a file is damaged. */
  readonly content: Content;
  /** Lines that are no event by the application's schema. */
  readonly invalid: number;
  /** By view: events that have a problem in that view. */
  readonly skipped: Readonly<Record<string, number>>;
}

const none: readonly string[] = [];

/** The most characters of keys in memory, over all views: keys of tens of thousands of characters would take gigabytes. */
const mostKeyCharacters = 16 * 1024 * 1024;

/**
 * The map phase: every view over some lines of the master dataset. Rows are combined in memory, which saves most of
 * the sorting and copying, and given out when there are too many of them.
 */
export class Mapper<Event> {
  readonly #application: Application<Event>;
  readonly #mostRows: number;
  readonly #skipped = new Map<string, number>();
  readonly #formats: readonly RecordFormat[];
  #aggregates: Aggregate<Event>[] = [];
  readonly #content = new ContentCount();
  #invalid = 0;

  /** @param mostRows rows in memory, over all views, at which they are given out */
  constructor(application: Application<Event>, mostRows = 20_000) {
    this.#application = application;
    this.#mostRows = mostRows;
    for (const view of application.views) this.#skipped.set(view.name, 0);
    this.#formats = application.views.map((view) => new RecordFormat(view));
    this.#forget();
  }

  /** What has been counted so far. */
  get counts(): MapCounts {
    const { events, bytes, digest } = this.#content;
    return { content: { events, bytes, digest }, invalid: this.#invalid, skipped: Object.fromEntries(this.#skipped) };
  }

  /** Takes a line; returns the records to give out, usually none. */
  add(line: Buffer): readonly string[] {
    this.#content.add(line);
    const { event, reason } = decodeEvent(this.#application, line, Number.POSITIVE_INFINITY);
    if (reason !== undefined) {
      this.#invalid++;
      return none;
    }
    let [rows, characters] = [0, 0];
    for (const aggregate of this.#aggregates) {
      const { name } = aggregate.view;
      if (aggregate.add(event) !== undefined) this.#skipped.set(name, (this.#skipped.get(name) as number) + 1);
      rows += aggregate.size;
      characters += aggregate.keyCharacters;
    }
    return rows < this.#mostRows && characters < mostKeyCharacters ? none : this.flush();
  }

  /** The records of all rows in memory, which are then forgotten. */
  flush(): string[] {
    const records: string[] = [];
    for (const [index, format] of this.#formats.entries())
      for (const row of this.#aggregates[index]?.rows() ?? []) records.push(format.record(row));
    this.#forget();
    return records;
  }

  #forget(): void {
    this.#aggregates = this.#application.views.map((view) => new Aggregate(view));
  }
}
