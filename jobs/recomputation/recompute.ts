import { setTimeout as sleep } from "node:timers/promises";
import type { PointerKey } from "../batch/pointer.ts";
import type { Offsets } from "../chunks.ts";
import { coverageOf, coveredOffsets, type Hole, logBegin, speedStart } from "../serving/coverage.ts";
import type { AnyView, Stores } from "../serving/stores.ts";

/** Everything outside of the process that a recomputation reads and changes. */
export interface RecomputationStores
  extends Pick<Stores, "pointer" | "progress" | "watermarks" | "logBegin" | "archived"> {
  /** The generations in use, of any view, that have anything to answer from. */
  answering(): Promise<readonly PointerKey[]>;
  /** A batch run of the new code; who else is running one, if it could not be run. */
  batch(): Promise<string | undefined>;
}

/** What a recomputation is about. */
export interface RecomputationArgs {
  readonly stores: RecomputationStores;
  readonly views: readonly AnyView[];
  /** The new generation of every view by its name. */
  readonly generations: Readonly<Record<string, string>>;
  readonly partitions: number;
  readonly chunkSize: number;
  /** Milliseconds that all of it may take. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Told of every step, and of how much is left every few seconds. */
  readonly report: (message: string) => void;
  /** Milliseconds between two looks. Default: 250 */
  readonly poll?: number;
}

/** It could not be done in time, or not at all: the old code goes on answering. */
export class RecomputationError extends Error {
  override readonly name = "RecomputationError";
}

/** Batch runs that may fail before the recomputation does. */
const batchAttempts = 3;
/** Milliseconds between two lines that say how much is left. */
const reportInterval = 5_000;

/**
 * Computes the views whose code has changed beside what answers now, and resolves when their new generations can take
 * over: a batch version where anything is archived, and the speed view up to the log's end as it was at the beginning.
 * A view of which nothing answers yet has nothing to take over, and is not waited for.
 *
 * @returns the names of the views that were waited for
 * @throws {RecomputationError} naming what lags if it is not done in time, and the last failure of a store if there was one
 */
export async function recompute(args: RecomputationArgs): Promise<readonly string[]> {
  const { stores, generations, report, signal } = args;
  const attempt = new Patience(args);
  const answering = await attempt.patiently(() => stores.answering());
  const former = (view: string) =>
    answering.filter((key) => key.view === view && key.generation !== generations[view]).map((key) => key.generation);
  const changed = args.views.filter(({ name }) => former(name).length > 0);
  if (changed.length === 0) {
    report("of no view that answers the code has changed: nothing to recompute");
    return [];
  }
  for (const { name } of changed)
    report(`${name}: code ${generations[name]} is computed beside ${former(name).join(", ")}, which goes on answering`);
  const goal = await attempt.patiently(async () => latestOffsets(await stores.watermarks(signal)));

  await attempt.patiently(() => computeBatchViews(args, changed, attempt));
  let told = Number.NEGATIVE_INFINITY;
  for (let lagging = changed; ; await sleep(args.poll ?? 250, undefined, { signal })) {
    const lags = await attempt.patiently(() => Promise.all(lagging.map((view) => lagOf(args, view, goal))));
    for (const { view, events } of lags) if (events === 0) report(`${view.name}: has caught up`);
    const left = lags.filter(({ events }) => events > 0);
    if (left.length === 0) return changed.map(({ name }) => name);
    lagging = left.map(({ view }) => view);
    attempt.lagging = left.map(describe).join("; ");
    attempt.check();
    await attempt.patiently(() => coverHoles(args, left, attempt));
    if (performance.now() - told < reportInterval) continue;
    told = performance.now();
    report(attempt.lagging);
  }
}

/** Runs a batch if one of the views has no version though something is archived, of this log or of a former one. */
async function computeBatchViews(
  { stores, signal, report, poll = 250 }: RecomputationArgs,
  views: readonly AnyView[],
  attempt: Patience,
): Promise<void> {
  const [archived, { hasFormer }] = await Promise.all([stores.archived(signal), stores.logBegin(signal)]);
  if (!hasFormer && !Object.values(archived).some((offset) => offset > 0)) return;
  for (let told: string | undefined; ; await sleep(8 * poll, undefined, { signal })) {
    const pointers = await Promise.all(views.map((view) => stores.pointer(view, signal)));
    const missing = views.filter((_, index) => pointers[index] === undefined).map(({ name }) => name);
    if (missing.length === 0) return;
    attempt.lagging = `${missing.join(", ")}: no batch version yet`;
    attempt.check();
    const other = await attempt.batch(() => stores.batch());
    // One of the new code may make the versions; after one of the old code it is this one's turn.
    if (other !== undefined && other !== told) report(`waits for another batch run (${other})`);
    told = other;
  }
}

/** Runs a batch if it brings what the speed layer can never read, since the log lost it. */
async function coverHoles({ stores, signal }: RecomputationArgs, lags: readonly Lag[], attempt: Patience) {
  const holes = lags.flatMap((lag) => lag.holes);
  if (holes.length === 0) return;
  const archived = await stores.archived(signal);
  if (holes.some(({ partition, to }) => (archived[partition] ?? 0) >= to)) await attempt.batch(() => stores.batch());
}

interface Lag {
  readonly view: AnyView;
  readonly events: number;
  /** What the speed view will never hold. */
  readonly holes: readonly Hole[];
  /** By partition: the offset that is reached, of those behind the goal. */
  readonly reached: Offsets;
  readonly goal: Offsets;
}

async function lagOf(args: RecomputationArgs, view: AnyView, goal: Offsets): Promise<Lag> {
  const { stores, partitions, chunkSize, signal } = args;
  const [pointer, { first }] = await Promise.all([stores.pointer(view, signal), stores.logBegin(signal)]);
  const [progress, watermarks] = await Promise.all([stores.progress(view, 0, signal), stores.watermarks(signal)]);
  const start = speedStart(pointer?.horizon ?? {}, first, partitions);
  const coverage = coverageOf(start, progress, logBegin(watermarks), chunkSize);
  const covered = coveredOffsets(coverage);
  const behind = Object.entries(goal).filter(([partition, end]) => (covered[partition] ?? 0) < end);
  return {
    view,
    events: behind.reduce((sum, [partition, end]) => sum + end - (covered[partition] ?? 0), 0),
    holes: coverage.holes,
    reached: Object.fromEntries(behind.map(([partition]) => [partition, covered[partition] ?? 0])),
    goal,
  };
}

function describe({ view, events, holes, reached, goal }: Lag): string {
  const partitions = Object.entries(reached).map(([name, offset]) => `partition ${name}: ${offset} of ${goal[name]}`);
  const lost = holes.map(({ partition, from, to }) => `${from} to ${to - 1} of partition ${partition}`);
  const hint =
    holes.length === 0
      ? ""
      : `, of which Kafka no longer has offsets ${lost.join(", ")}: they come with a batch run once they are archived; if they ` +
        "never will be, `npm run batch -- --accept-loss` goes on without them";
  return `${view.name}: ${events} events are left (${partitions.join(", ")})${hint}`;
}

function latestOffsets(watermarks: Readonly<Record<number, { readonly latest: number }>>): Offsets {
  return Object.fromEntries(Object.entries(watermarks).map(([partition, { latest }]) => [partition, latest]));
}

/** Tries again what fails for a while: the servers may be starting beside it. */
class Patience {
  /** What is not done yet, for the error. */
  lagging = "nothing is known of the views yet";
  readonly #args: RecomputationArgs;
  readonly #end: number;
  #failure: string | undefined;
  #failedBatches = 0;

  constructor(args: RecomputationArgs) {
    this.#args = args;
    this.#end = performance.now() + args.limit;
  }

  /** @throws {RecomputationError} once the time is over */
  check(): void {
    this.#args.signal.throwIfAborted();
    if (performance.now() < this.#end) return;
    const failure = this.#failure === undefined ? "" : `\nThe last failure: ${this.#failure}`;
    throw new RecomputationError(
      `the new code has not caught up within ${Math.round(this.#args.limit / 60_000)} min: ${this.lagging}.${failure}\n` +
        "The old code goes on answering. Run `up` again to go on waiting, with more recomputationMinutes if it only needs " +
        "more time; or take the change back and run `up`.",
    );
  }

  async patiently<Result>(operation: () => Promise<Result>): Promise<Result> {
    for (;;) {
      this.check();
      try {
        const result = await operation();
        this.#failure = undefined;
        return result;
      } catch (error) {
        if (error instanceof RecomputationError || this.#args.signal.aborted) throw error;
        const message = error instanceof Error ? error.message : String(error);
        if (message !== this.#failure) this.#args.report(`tries again: ${message}`);
        this.#failure = message;
        await sleep(8 * (this.#args.poll ?? 250), undefined, { signal: this.#args.signal });
      }
    }
  }

  /** @throws {RecomputationError} if it is the last run that may fail */
  async batch(run: () => Promise<string | undefined>): Promise<string | undefined> {
    try {
      return await run();
    } catch (error) {
      if (++this.#failedBatches < batchAttempts) throw error;
      throw new RecomputationError(
        `${batchAttempts} batch runs of the new code failed, the last: ${(error as Error).message}\n` +
          "The old code goes on answering. Fix the new code, or take the change back, and run `up` again.",
      );
    }
  }
}
