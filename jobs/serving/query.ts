import { setTimeout as sleep } from "node:timers/promises";
import pMap from "p-map";
import { measureColumns } from "../batch/columns.ts";
import { tooManyKeys } from "../batch/query.ts";
import { TooMuchError } from "../batch/too-much-error.ts";
import type { Pointer, Version } from "../batch/versions.ts";
import type { Offsets } from "../chunks.ts";
import { knownEnds } from "../log/divergence.ts";
import type { CheckedLog } from "../log/log-check.ts";
import type { ColumnValue } from "../measures/measure.ts";
import type { ViewColumn } from "../views/view.ts";
import {
  type Coverage,
  coverageOf,
  coveredEras,
  coveredOffsets,
  firstChunk,
  type Hole,
  logBegin,
  rowUse,
  speedStart,
  splitEras,
  withoutOpenChunks,
} from "./coverage.ts";
import {
  answerOf,
  type KeyAnswer,
  type KeySteps,
  mergeToSteps,
  noSteps,
  Ranking,
  type StateRow,
  type TopRow,
  withTotal,
} from "./merge.ts";
import { mostBytes, mostRankedKeys, RowBudget } from "./row-budget.ts";
import {
  type AnyView,
  bounded,
  type Selection,
  type SpeedRow,
  type StepsSelection,
  StoreError,
  type Stores,
} from "./stores.ts";

/** Which layers answer. */
export const layers = ["merged", "batch", "speed"] as const;
export type Layer = (typeof layers)[number];

/**
 * Which events an answer holds: with layer `merged` or `batch` those of every partition before `speed`, with layer
 * `speed` those from `horizon` to `speed`. Exactly those, none twice.
 */
export interface Contains {
  /** The version of the batch view; null as long as there is none. */
  readonly version: string | null;
  /** Where the batch view ends and the speed view begins. */
  readonly horizon: Offsets;
  /** Where the answer ends: with layer `batch` at the horizon. */
  readonly speed: Offsets;
  /** Where the log ends. */
  readonly log: Offsets;
  /** The log's offsets that the answer does not hold yet, in all partitions. */
  readonly lag: number;
  /**
   * Offsets whose events the answer lacks: those that the log lost before any layer had them. The answer ends before a
   * partition's first that nobody has accepted.
   */
  readonly holes: readonly Hole[];
  /** Reasons, in words, why the answer may lack or misplace events. */
  readonly problems: readonly string[];
  /** Whether the answer holds every event there is: nothing lags, no hole that nobody has accepted, no problem. */
  readonly complete: boolean;
}

/** What the queries need to know of the data's layout, and how long they wait. */
export interface QueryOptions {
  readonly stores: Stores;
  readonly partitions: number;
  readonly chunkSize: number;
  readonly chunksPerEra: number;
  /** Milliseconds to wait for one call of a store. Default: 5,000 */
  readonly storeTimeout?: number;
  /** Milliseconds to wait for all of a view's rows, which `top` reads. Default: 30,000 */
  readonly scanTimeout?: number;
  /** The most rows of a key that one question reads of the speed view's open eras. Default: 200,000 */
  readonly mostRows?: number;
  /** The most keys of a speed view that are ranked. Default: 400,000, as of a batch view */
  readonly mostKeys?: number;
}

/** The answer for one key. */
export async function queryKey(
  options: QueryOptions,
  view: AnyView,
  request: StepsSelection & { readonly layer: Layer },
): Promise<KeyAnswer & { readonly contains: Contains }> {
  const timeout = options.storeTimeout ?? 5_000;
  let rows: StateRow[] = [];
  let budget = new RowBudget(view, options.mostRows);
  let batch: KeySteps = noSteps(view);
  const contains = await readLayers(options, view, request.layer, {
    begin: () => {
      rows = [];
      budget = new RowBudget(view, options.mostRows);
    },
    batch: async (version) => {
      const read = await bounded("batchSteps", timeout, (signal) =>
        options.stores.batchSteps(view, version, request, signal),
      );
      return () => {
        batch = read;
      };
    },
    speed: async (version, coverage, take) => {
      const { closed, open } = splitEras(coverage, options.chunksPerEra);
      const [kept] = await Promise.all([
        pMap(
          closed,
          (era) =>
            bounded("speedSteps", timeout, (signal) => options.stores.speedSteps(view, version, era, request, signal)),
          { concurrency: parallel },
        ),
        open.length > 0 &&
          bounded("speedRows", timeout, (signal) => options.stores.speedRows(view, open, request, take, signal)),
      ]);
      for (const { time, states } of kept.flat()) {
        budget.take(0);
        rows.push({ bucket: time, states });
      }
    },
    add: (row) => {
      budget.take(row.state.length);
      rows.push({ bucket: row.bucket, states: view.decode(JSON.parse(row.state)) });
    },
  });
  const speed = withTotal(view, mergeToSteps(view, rows, request.granularity));
  return { ...answerOf(view, batch, speed), contains };
}

/** The keys with the largest values of a measure, largest first. */
export async function queryTop(
  options: QueryOptions,
  view: AnyView,
  request: Omit<Selection, "key"> & { readonly measure: string; readonly limit: number; readonly layer: Layer },
): Promise<{ readonly rows: TopRow[]; readonly contains: Contains }> {
  const measure = view.measures[request.measure];
  if (measure === undefined) throw new TypeError(`view ${view.name} has no measure ${request.measure}`);
  const columns = measureColumns(view, request.measure);
  const firstColumn = view.columns.indexOf(columns[0] as ViewColumn);
  const selection: Selection = { from: request.from, to: request.to };
  const timeout = options.scanTimeout ?? 30_000;
  const mostKeys = options.mostKeys ?? mostRankedKeys;
  let ranking = new Ranking(measure);
  const contains = await readLayers(options, view, request.layer, {
    begin: () => {
      ranking = new Ranking(measure);
    },
    batch: async (version) => {
      const totals = await bounded("batchTotals", timeout, (signal) =>
        options.stores.batchTotals(view, version, request.measure, selection, signal),
      );
      return () => {
        ranking.over(totals);
      };
    },
    speed: (_version, coverage, take) =>
      bounded("speedRows", timeout, (signal) => {
        const eras = coveredEras(coverage, options.chunksPerEra);
        return options.stores.speedRows(view, eras, selection, take, signal);
      }),
    // The other measures' states may be large: they are not looked at.
    add: (row) => {
      const values: ColumnValue[] = JSON.parse(row.state);
      ranking.add(row.key, measure.decode(values.slice(firstColumn, firstColumn + columns.length)));
      if (ranking.size > mostKeys || ranking.keyCharacters > mostBytes)
        throw new TooMuchError(tooManyKeys(view, mostKeys));
    },
  });
  return { rows: ranking.top(request.limit), contains };
}

/** How a query reads the two layers and takes up what is good of them. */
interface Reading {
  /** Forgets what was taken up: the speed view is read, perhaps again. */
  begin(): void;
  /** Reads the version's rows; the function returned takes them up, after those of the speed view. */
  batch(version: Version): Promise<() => void>;
  /** Reads the rows of the speed view that are covered, if any is; what never changes it may take up itself. */
  speed(version: Version | undefined, coverage: Coverage, take: (row: SpeedRow) => void): Promise<void>;
  /** Takes up a row of the speed view. */
  add(row: SpeedRow): void;
}

/** Closed eras of the speed view that are read at once. */
const parallel = 8;
/** How often a query begins again because its version was dropped while it read. */
const versionAttempts = 5;
/** How often the speed view is read again because rows were being written, with pauses in milliseconds. */
const pauses = [5, 20];
/** Reading again is for short reads: after so many milliseconds the open chunk is left out instead. */
const rereadBudget = 250;

/**
 * Reads both layers so that the answer is exactly the events that the result says.
 *
 * The version that is read at the beginning must still be kept at the end: else its datasource, or the speed rows
 * past its horizon, may have been dropped in between, and the reading begins again.
 */
async function readLayers(options: QueryOptions, view: AnyView, layer: Layer, reading: Reading): Promise<Contains> {
  const timeout = options.storeTimeout ?? 5_000;
  const pointerNow = () => bounded("pointer", timeout, (signal) => options.stores.pointer(view, signal));
  let pointer = await pointerNow();
  for (let attempt = 1; ; attempt++) {
    const version = pointer;
    const both = await Promise.allSettled([
      version === undefined || layer === "speed" ? undefined : reading.batch(version),
      readSpeed(options, view, layer, version, reading),
    ]);
    pointer = await pointerNow();
    if (isKept(version, pointer)) {
      const [batch, speed] = both;
      if (speed.status === "rejected") throw speed.reason;
      if (batch.status === "rejected") throw batch.reason;
      batch.value?.();
      return { version: version?.version ?? null, ...speed.value };
    }
    if (attempt === versionAttempts)
      throw new StoreError(
        "Cassandra",
        new Error(`the version of ${view.name} changed ${attempt} times while reading`),
      );
  }
}

function isKept(read: Pointer | undefined, now: Pointer | undefined): boolean {
  if (read === undefined || now === undefined) return read === now;
  return now.version === read.version || now.retained.some((version) => version.version === read.version);
}

/**
 * Reads the speed view from the horizon on. Progress is read before the rows: what it says was acknowledged before it
 * was written is there. A row that is newer is of a write under way, and holds what it was before. If that is another
 * state than the one at the progress (the progress was read too early, or a process began the chunk again), the read is
 * repeated, and if that does not help, the answer ends at the open chunk's edge, because closed chunks never change.
 */
async function readSpeed(
  options: QueryOptions,
  view: AnyView,
  layer: Layer,
  version: Version | undefined,
  reading: Reading,
): Promise<Omit<Contains, "version">> {
  const timeout = options.storeTimeout ?? 5_000;
  const horizon = version?.horizon ?? {};
  const { partitions, chunkSize, stores } = options;
  const begin = await bounded("logBegin", timeout, (signal) => stores.logBegin(signal));
  const start = speedStart(horizon, begin.first, partitions);
  // What is known of the log where nothing is read past the horizon yet is noted of the chunk before it.
  const first = firstChunk(start, chunkSize);
  const began = performance.now();
  for (let attempt = 0; ; attempt++) {
    const [progress, watermarks] = await Promise.all([
      layer === "batch"
        ? []
        : bounded("progress", timeout, (signal) => stores.progress(view, Math.max(0, first - 1), signal)),
      bounded("watermarks", timeout, (signal) => stores.watermarks(signal)),
    ]);
    // Without the speed layer nothing is said of what it holds.
    const coverage = coverageOf(start, progress, layer === "batch" ? {} : logBegin(watermarks), chunkSize);
    const open: SpeedRow[] = [];
    const underWay = new Set<number>();
    reading.begin();
    const take = (row: SpeedRow) => {
      const use = rowUse(coverage, row);
      if (use === "closed") reading.add(row);
      else if (use === "open") open.push(row);
      else if (use === "previous" && row.previous?.state) open.push({ ...row, state: row.previous.state });
      else if (use === "underWay") underWay.add(row.partition);
    };
    // Where nothing is read of this life of the log yet, it reaches to its begin at least.
    const known = [...progress, ...knownEnds(start, version?.epochs)];
    const [checked] = await Promise.all([
      bounded("checkLog", timeout, (signal) => stores.checkLog(known, watermarks, signal)),
      reading.speed(version, coverage, take),
    ]);
    const pause = pauses[attempt];
    if (underWay.size > 0 && pause !== undefined && performance.now() - began < rereadBudget) {
      await sleep(pause);
      continue;
    }
    for (const row of open) if (!underWay.has(row.partition)) reading.add(row);
    return containsOf(version, start, withoutOpenChunks(coverage, underWay), checked, begin.hasFormer);
  }
}

function containsOf(
  version: Version | undefined,
  horizon: Offsets,
  coverage: Coverage,
  { ends, problems: found }: CheckedLog,
  hasFormer: boolean,
): Omit<Contains, "version"> {
  const speed = coveredOffsets(coverage);
  // Where the log ends before what was made of it, that is a problem: nothing is adjusted.
  const log = Object.fromEntries(Object.keys(speed).map((name) => [name, ends[Number(name)]?.latest ?? 0]));
  const lag = Object.entries(log).reduce((sum, [name, end]) => sum + Math.max(0, end - (speed[name] ?? 0)), 0);
  // What the version lacks, a person has accepted; what the speed view lacks, nobody yet.
  const holes = [...(version?.lost ?? []).map((range) => ({ ...range, accepted: true })), ...coverage.holes];
  const problems = found.map(({ reason }) => reason);
  if (hasFormer && version === undefined)
    problems.push("no batch view has the events of the former lives of the log yet: a batch run brings them");
  const complete = lag === 0 && holes.every(({ accepted }) => accepted) && problems.length === 0;
  return { horizon, speed, log, lag, holes, problems, complete };
}
