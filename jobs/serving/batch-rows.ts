import DataLoader from "dataloader";
import type { EncodedRow } from "../batch/records.ts";
import type { Version } from "../batch/versions.ts";
import { keyText } from "../views/aggregate.ts";
import type { AnyView } from "./stores.ts";
import { VersionCache } from "./version-cache.ts";

/** Of a version of a batch view, the rows of one key. */
export interface KeyQuestion {
  readonly view: AnyView;
  readonly version: Version;
  readonly key: readonly string[];
  /** Only time steps that start at or after this time, in milliseconds since 1970. Default: from the first. */
  readonly from?: number | undefined;
  /** Only time steps that start before this time, in milliseconds since 1970. Default: to the last. */
  readonly to?: number | undefined;
}

/** Of a version of a batch view, the rows of some keys, which one call can ask for. */
export interface KeysQuestion extends Omit<KeyQuestion, "key"> {
  readonly keys: readonly (readonly string[])[];
}

/** The rows of a call, in any order. @throws what reading throws */
export type ReadRows = (question: KeysQuestion) => Promise<readonly EncodedRow[]>;

/** Rows that were read, by what was asked for. */
export type KeptRows = VersionCache<readonly EncodedRow[]>;

/** @param mostBytes about the most memory that they take. Default: 16 MiB */
export function keptRows(mostBytes = 16 * 2 ** 20): KeptRows {
  return new VersionCache(mostBytes, bytesOf);
}

/** The most keys of a call: its filter is that long. */
const mostKeys = 100;

/**
 * The rows of keys in the versions of one batch view. What was asked for last is kept, since a version never changes.
 * Questions that come while others are being read are then read together: a call costs Druid more than a key, so that
 * under load there are fewer calls a question.
 */
export class BatchRows {
  readonly #read: ReadRows;
  readonly #kept: KeptRows;
  readonly #loader: DataLoader<KeyQuestion, readonly EncodedRow[]>;
  /** Settles, never rejects, when nothing is being read. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @param kept where what is read is kept, perhaps beside other views' */
  constructor(read: ReadRows, kept: KeptRows) {
    this.#read = read;
    this.#kept = kept;
    this.#loader = new DataLoader((questions) => this.#load(questions), {
      cache: false,
      maxBatchSize: mostKeys,
      batchScheduleFn: (load) => void this.#reading.then(load),
    });
  }

  /**
   * The rows of a key, in any order. They are shared: nobody changes them.
   *
   * @throws what reading throws; then nothing is kept
   */
  get(question: KeyQuestion): Promise<readonly EncodedRow[]> {
    const name = JSON.stringify([question.version.datasource, question.from, question.to, question.key]);
    return this.#kept.get(name, () => this.#loader.load(question));
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
    const [{ view, version, from, to }] = questions as [KeyQuestion];
    try {
      const rows = await this.#read({ view, version, from, to, keys: questions.map(({ key }) => key) });
      const byKey = Map.groupBy(rows, ({ key }) => keyText(key));
      return new Map(questions.map((question) => [question, byKey.get(keyText(question.key)) ?? []]));
    } catch (error) {
      return new Map(questions.map((question) => [question, error as Error]));
    }
  }
}

/** About the memory that rows take, in bytes: objects of some words, texts of a byte a character. */
function bytesOf(rows: readonly EncodedRow[]): number {
  let bytes = 64;
  for (const { key, columns } of rows) {
    bytes += 128;
    for (const value of [...key, ...columns]) bytes += typeof value === "string" ? 24 + value.length : 16;
  }
  return bytes;
}
