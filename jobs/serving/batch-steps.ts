import DataLoader from "dataloader";
import { decodeRow, type EncodedRow } from "../batch/records.ts";
import type { Version } from "../batch/versions.ts";
import { keyText } from "../views/aggregate.ts";
import { KeySteps } from "./merge.ts";
import type { AnyView, StepsSelection } from "./stores.ts";
import { VersionCache } from "./version-cache.ts";

/** Of a version of a batch view, the rows of some keys in the same times, which one call can ask for. */
export interface RowsQuestion extends Pick<StepsSelection, "from" | "to"> {
  readonly view: AnyView;
  readonly version: Version;
  readonly keys: readonly (readonly string[])[];
}

/** The rows of a call, in any order. @throws what reading throws */
export type ReadRows = (question: RowsQuestion) => Promise<readonly EncodedRow[]>;

/** One key's steps and about the memory that they take, in bytes. */
interface Kept {
  readonly steps: KeySteps;
  readonly bytes: number;
}

/** Steps that were read, by what was asked for. */
export type KeptSteps = VersionCache<Kept>;

/** @param mostBytes about the most memory that they take. Default: 32 MiB */
export function keptSteps(mostBytes = 32 * 2 ** 20): KeptSteps {
  return new VersionCache(mostBytes, ({ bytes }) => bytes);
}

/** The most keys of a call: its filter is that long. */
const mostKeys = 100;

type KeyQuestion = Omit<RowsQuestion, "keys"> & { readonly key: readonly string[] };

/**
 * What the versions of one batch view hold of keys. What was asked for last is kept, since a version never changes.
 * Questions that come while others are being read are then read together: a call costs Druid more than a key, so that
 * under load there are fewer calls a question.
 */
export class BatchSteps {
  readonly #view: AnyView;
  readonly #read: ReadRows;
  readonly #kept: KeptSteps;
  readonly #rows: DataLoader<KeyQuestion, readonly EncodedRow[]>;
  /** Settles, never rejects, when nothing is being read. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @param kept where what is read is kept, perhaps beside other views' */
  constructor(view: AnyView, read: ReadRows, kept: KeptSteps) {
    this.#view = view;
    this.#read = read;
    this.#kept = kept;
    this.#rows = new DataLoader((questions) => this.#load(questions), {
      cache: false,
      maxBatchSize: mostKeys,
      batchScheduleFn: (load) => void this.#reading.then(load),
    });
  }

  /**
   * The steps of a key. They are shared: nobody changes them.
   *
   * @throws what reading throws; then nothing is kept
   */
  async get(version: Version, { key, from, to, granularity }: StepsSelection): Promise<KeySteps> {
    const view = this.#view;
    const { steps } = await this.#kept.get(
      JSON.stringify([version.datasource, from, to, granularity, key]),
      async () => {
        const rows = await this.#rows.load({ view, version, key, from, to });
        const merged = new KeySteps(
          view,
          rows.map((row) => decodeRow(view, row)),
          granularity,
        );
        return { steps: merged, bytes: merged.compact() };
      },
    );
    return steps;
  }

  /** The rows of each question, or why there are none. */
  #load(questions: readonly KeyQuestion[]): Promise<(readonly EncodedRow[] | Error)[]> {
    const calls = Object.values(
      Object.groupBy(questions, ({ version, from, to }) => JSON.stringify([version.datasource, from, to])),
    ) as KeyQuestion[][];
    const answered = Promise.all(calls.map((call) => this.#call(call))).then((answers) => {
      const all = new Map(answers.flatMap((answer) => [...answer]));
      return questions.map((question) => all.get(question) as readonly EncodedRow[] | Error);
    });
    this.#reading = answered;
    return answered;
  }

  /** Questions of the same version and times. */
  async #call(questions: readonly KeyQuestion[]): Promise<Map<KeyQuestion, readonly EncodedRow[] | Error>> {
    const [{ key: _, ...same }] = questions as [KeyQuestion];
    try {
      const rows = await this.#read({ ...same, keys: questions.map(({ key }) => key) });
      const byKey = Map.groupBy(rows, ({ key }) => keyText(key));
      return new Map(questions.map((question) => [question, byKey.get(keyText(question.key)) ?? []]));
    } catch (error) {
      return new Map(questions.map((question) => [question, error as Error]));
    }
  }
}
