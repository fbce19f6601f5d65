import type { AnyView } from "../batch/columns.ts";
import type { Pointer, Version } from "../batch/versions.ts";
import { errorText } from "../bounded-text.ts";
import type { Offsets } from "../chunks.ts";
import type { Watermarks } from "../kafka/range-reader.ts";
import type { KnownEnd } from "../log/divergence.ts";
import type { CheckedLog } from "../log/log-check.ts";
import type { PreviousState } from "../speed/previous-state.ts";
import type { ClosedEra, EraPart, Progress } from "./coverage.ts";
import type { AnswerGranularity, KeySteps, RankedTotals, Step } from "./merge.ts";

export type { AnyView };

/** Which rows of a view are asked for. */
export interface Selection {
  /** The values of the key's fields, in order. Default: every key. */
  readonly key?: readonly string[];
  /** Only time steps that start at or after this time, in milliseconds since 1970. Default: from the first. */
  readonly from?: number;
  /** Only time steps that start before this time, in milliseconds since 1970. Default: to the last. */
  readonly to?: number;
}

/** Which rows of one key are asked for, in which time steps. */
export interface StepsSelection extends Selection {
  readonly key: readonly string[];
  readonly granularity: AnswerGranularity;
}

/** A row of a speed view as it is stored. */
export interface SpeedRow {
  /** The key's canonical text, see `keyText`. */
  readonly key: string;
  readonly bucket: number;
  readonly partition: number;
  readonly chunk: number;
  /** The encoded states as JSON. */
  readonly state: string;
  /** The end offset that the row was written with. */
  readonly written: number;
  /** What `state` was before; undefined if that is not known. */
  readonly previous: PreviousState | undefined;
}

/** What the serving layer reads. Every call may fail, and is given up when `signal` is aborted. */
export interface Stores {
  /** Cassandra: which batch view answers; undefined as long as there is none. */
  pointer(view: AnyView, signal: AbortSignal): Promise<Pointer | undefined>;
  /** Cassandra: the speed layer's progress in a view's chunks from `chunk` on. */
  progress(view: AnyView, chunk: number, signal: AbortSignal): Promise<readonly Progress[]>;
  /**
   * Cassandra: the selected steps of a speed view in a closed part of an era. They are shared: nobody changes them.
   *
   * @param version the version of the batch view whose horizon the era's coverage begins at, if there is one
   */
  speedSteps(
    view: AnyView,
    version: Version | undefined,
    era: ClosedEra,
    selection: StepsSelection,
    signal: AbortSignal,
  ): Promise<readonly Step[]>;
  /** Cassandra: the selected rows of a speed view in the given eras, handed over as they come, in any order. */
  speedRows(
    view: AnyView,
    eras: readonly EraPart[],
    selection: Selection,
    take: (row: SpeedRow) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Druid: the selected steps of one version of a batch view. They are shared: nobody changes them. */
  batchSteps(view: AnyView, version: Version, selection: StepsSelection, signal: AbortSignal): Promise<KeySteps>;
  /** Druid: one measure's totals by key. They are shared: nobody changes them. */
  batchTotals(
    view: AnyView,
    version: Version,
    measure: string,
    selection: Selection,
    signal: AbortSignal,
  ): Promise<RankedTotals>;
  /** Druid: resolves if it takes queries. */
  batchReady(signal: AbortSignal): Promise<void>;
  /** Kafka: every partition's watermarks. */
  watermarks(signal: AbortSignal): Promise<Readonly<Record<number, Watermarks>>>;
  /** Kafka: whether the log is still the one up to whose known ends was read, see `LogCheck`. */
  checkLog(
    known: readonly KnownEnd[],
    watermarks: Readonly<Record<number, Watermarks>>,
    signal: AbortSignal,
  ): Promise<CheckedLog>;
  /** Cassandra: where this life of the log begins, and whether there is anything of former ones, see `KnownIncarnation`. */
  logBegin(signal: AbortSignal): Promise<{ readonly first: Offsets; readonly hasFormer: boolean }>;
  /** Kafka: how many events were set aside, by partition. */
  deadLetters(signal: AbortSignal): Promise<Offsets>;
  /** HDFS or S3: up to which offset the master dataset holds every partition. */
  archived(signal: AbortSignal): Promise<Offsets>;
}

/** The names of the stores, as errors and metrics give them. */
export type StoreName = "Cassandra" | "Druid" | "Kafka" | "storage";

/** The store behind each call. */
export const storeNames: Readonly<Record<keyof Stores, StoreName>> = {
  pointer: "Cassandra",
  progress: "Cassandra",
  speedSteps: "Cassandra",
  speedRows: "Cassandra",
  batchSteps: "Druid",
  batchTotals: "Druid",
  batchReady: "Druid",
  watermarks: "Kafka",
  checkLog: "Kafka",
  logBegin: "Cassandra",
  deadLetters: "Kafka",
  archived: "storage",
};

/** A store did not answer, or with an error. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly store: StoreName;

  constructor(store: StoreName, cause: unknown) {
    super(`${store}: ${errorText(cause)}`, { cause });
    this.store = store;
  }
}

/**
 * The result of a store's call, or a {@link StoreError} if it fails or takes too long; then the call's signal is
 * aborted.
 *
 * @param milliseconds the longest wait
 */
export async function bounded<Result>(
  call: keyof Stores,
  milliseconds: number,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const store = storeNames[call];
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([run(controller.signal), late]);
  } catch (error) {
    controller.abort(error);
    throw error instanceof StoreError ? error : new StoreError(store, error);
  } finally {
    clearTimeout(timer);
  }
}
