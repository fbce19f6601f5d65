import DataLoader from "dataloader";
import { LRUCache } from "lru-cache";
import pLimit from "p-limit";
import { decodeRow, type EncodedRow } from "../batch/records.ts";
import { TooMuchError } from "../batch/too-much-error.ts";
import type { Version } from "../batch/versions.ts";
import { keyText } from "../views/aggregate.ts";
import { compactStates, type KeySteps, type SizedStates, type Step, withTotal } from "./merge.ts";
import { keptSteps, SpanCache, type TimeRange } from "./span-cache.ts";
import type { AnyView, StepsSelection } from "./stores.ts";

/** Of a version of a batch view, the rows of some keys in the same times, which one call can ask for. */
export interface RowsQuestion extends TimeRange {
  readonly view: AnyView;
  readonly version: Version;
  readonly keys: readonly (readonly string[])[];
}

/** The rows of a call, in any order. @throws what reading throws */
export type ReadRows = (question: RowsQuestion) => Promise<readonly EncodedRow[]>;

/** What is kept of what was asked for last, perhaps of several views. */
export class KeptSteps {
  readonly spans: SpanCache;
  /** Merging the steps of a long range takes longer than all else of an answer. */
  readonly totals: LRUCache<string, SizedStates, { readonly view: AnyView; readonly steps: readonly Step[] }>;

  /** @param mostBytes about the most memory that it takes. Default: 48 MiB */
  constructor(mostBytes = 48 * 2 ** 20) {
    this.spans = new SpanCache(Math.ceil(mostBytes * 0.8));
    this.totals = new LRUCache({
      maxSize: Math.ceil(mostBytes * 0.2),
      // With the question.
      sizeCalculation: ({ bytes }) => bytes + 512,
      memoMethod: (_question, _total, { context: { view, steps } }) =>
        compactStates(view, withTotal(view, steps).total),
    });
  }
}

/** The most keys of a call: its filter is that long. */
const mostKeys = 100;
/** About the most rows of a call, unless a key has more: some megabytes of text, which are parsed at once. */
const rowsOfCall = 20_000;
/** Calls at once: one is answered while another's answer is parsed. */
const parallel = 2;

type KeyQuestion = Omit<RowsQuestion, "keys"> & { readonly key: readonly string[] };

/**
 * What the versions of one batch view hold of keys. What was asked for last is kept, since a version never changes.
 * Questions that come while others are being read are then read together: a call costs Druid more than a key, so that
 * under load there are fewer calls a question. But keys of many rows are read in calls of their own: all at once they
 * would take more time than a question has, and more memory than this process.
 */
export class BatchSteps {
  readonly #view: AnyView;
  readonly #read: ReadRows;
  readonly #kept: KeptSteps;
  readonly #rows: DataLoader<KeyQuestion, Promise<readonly EncodedRow[]>>;
  readonly #limit = pLimit(parallel);
  /** About how many rows a key has, by those that were read last. */
  #rowsOfKey = 1;
  /** Settles, never rejects, when nothing is being read. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @param kept where what is read is kept, perhaps beside other views' */
  constructor(view: AnyView, read: ReadRows, kept: KeptSteps) {
    this.#view = view;
    this.#read = read;
    this.#kept = kept;
    this.#rows = new DataLoader((questions) => this.#load(questions), {
      cache: false,
      batchScheduleFn: (load) => void this.#reading.then(load),
    });
  }

  /**
   * The steps of a key. They are shared: nobody changes them.
   *
   * @throws what reading throws; then nothing of it is kept
   */
  async get(version: Version, selection: StepsSelection): Promise<KeySteps> {
    const view = this.#view;
    const { key, granularity, from, to } = selection;
    const { spans, totals } = this.#kept;
    const steps = await keptSteps(spans, [version.datasource], view, selection, async (range) => {
      const rows = await this.#rows.load({ view, version, key, ...range });
      return rows.map((row) => decodeRow(view, row));
    });
    const question = JSON.stringify([version.datasource, granularity, key, from, to]);
    const total = totals.memo(question, { context: { view, steps } });
    return { steps, total: total.states };
  }

  /** The rows of each question, each as soon as its own call has ended. */
  async #load(questions: readonly KeyQuestion[]): Promise<Promise<readonly EncodedRow[]>[]> {
    const alike = Object.groupBy(questions, ({ version, from, to }) => JSON.stringify([version.datasource, from, to]));
    const keys = Math.min(mostKeys, Math.max(1, Math.floor(rowsOfCall / this.#rowsOfKey)));
    const answers = new Map<KeyQuestion, Promise<readonly EncodedRow[]>>();
    for (const group of Object.values(alike) as KeyQuestion[][])
      for (let from = 0; from < group.length; from += keys) {
        const call = group.slice(from, from + keys);
        const answer = this.#limit(() => this.#call(call));
        for (const question of call) {
          const alone = () => this.#limit(() => this.#call([question]));
          const own = answer.catch((error) => {
            // Too much together may be one key's alone.
            if (error instanceof TooMuchError && call.length > 1) return alone();
            throw error;
          });
          answers.set(
            question,
            own.then((rows) => rows.get(keyText(question.key)) ?? []),
          );
        }
      }
    this.#reading = Promise.allSettled(answers.values());
    return questions.map((question) => answers.get(question) as Promise<readonly EncodedRow[]>);
  }

  /** The rows of questions of the same version and times, by key. */
  async #call(questions: readonly KeyQuestion[]): Promise<ReadonlyMap<string, readonly EncodedRow[]>> {
    const [{ key: _, ...same }] = questions as [KeyQuestion];
    const rows = await this.#read({ ...same, keys: questions.map(({ key }) => key) });
    this.#rowsOfKey += (rows.length / questions.length - this.#rowsOfKey) / 4;
    return Map.groupBy(rows, ({ key }) => keyText(key));
  }
}
