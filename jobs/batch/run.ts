import type { Content } from "../archive/content.ts";
import type { Offsets } from "../chunks.ts";
import type { FormerFile, Incarnation } from "../log/incarnation.ts";
import { checkContent } from "./check-content.ts";
import type { AnyView } from "./columns.ts";
import { type Archived, archivedHorizon, isBeyond, smallestHorizon } from "./horizon.ts";
import type { MapReduceResult } from "./map-reduce.ts";
import { nextPointer, type PointerKey, versionsOf } from "./pointer.ts";
import { datasource, isVersion, nextVersion, type Pointer, type Version, versionOfDatasource } from "./versions.ts";

/** Everything outside of the process that a batch run reads and changes. */
export interface BatchStores {
  /** The names of the files of the master dataset, by partition number. */
  archivedFiles(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** Where this life of the log begins, and the files of former ones that count on. */
  life(): Promise<Pick<Incarnation, "first" | "former">>;
  /** What such a file holds, by reading it. */
  formerContent(path: string): Promise<Content>;
  /** What a file of the master dataset holds, by reading it. */
  fileContent(partition: number, name: string): Promise<Content>;
  /** Where it is. */
  filePath(partition: number, name: string): string;
  /** Every pointer there is, those of former generations too. */
  pointers(): Promise<readonly (PointerKey & { readonly pointer: Pointer })[]>;
  /** The generations that nobody asks any more. */
  retiredGenerations(): Promise<readonly PointerKey[]>;
  /** Removes a generation's pointer and speed view; false if it has come back to use meanwhile, and stays. */
  removeGeneration(key: PointerKey, checkClaim: () => Promise<void>): Promise<boolean>;
  /** The runs that claimed any pointer last. */
  runs(): Promise<readonly string[]>;
  /** Makes the run the only one that may move the pointer; the pointer that it begins from. */
  claimPointer(key: PointerKey, run: string): Promise<Pointer | undefined>;
  /** Claims every pointer beside the run's own, see `claimOthers`. */
  claimOthers(own: readonly PointerKey[], run: string): Promise<void>;
  /** Fails if the run is no longer the last one to have claimed the pointer. */
  checkClaim(key: PointerKey, run: string): Promise<void>;
  /** Moves the pointer; fails if another run has claimed it since. */
  movePointer(key: PointerKey, run: string, pointer: Pointer): Promise<void>;
  /** Computes every view over the files and writes the version's output. */
  mapReduce(version: string, archived: Archived, former: readonly FormerFile[]): Promise<MapReduceResult>;
  /** The versions of which there is output. */
  outputs(): Promise<readonly string[]>;
  removeOutput(version: string): Promise<void>;
  /** Loads the view's part of a version's output; resolves when every row can be queried. */
  load(view: AnyView, version: Version): Promise<void>;
  /** The names of all datasources, unfinished ones too. */
  datasources(): Promise<readonly string[]>;
  removeDatasource(name: string): Promise<void>;
  /** Deletes what of the speed view lies below the horizon; how many Cassandra partitions that were. */
  expireSpeedView(key: PointerKey, horizon: Offsets): Promise<number>;
}

/** What a batch run is about. */
export interface BatchRunArgs {
  readonly stores: BatchStores;
  readonly views: readonly AnyView[];
  /** The generation of every view by its name. */
  readonly generations: Readonly<Record<string, string>>;
  readonly partitions: number;
  readonly chunkSize: number;
  /** Hours after which chunks are closed by their age: told where nothing can be computed yet. Default: not told */
  readonly sealHours?: number;
  /** Whether to make a new version even if nothing new is archived. */
  readonly force: boolean;
  /** Told of every step. */
  readonly report: (message: string) => void;
  /** Milliseconds since 1970. Default: the clock */
  readonly now?: () => number;
}

/** What a batch run did: the version it made, or undefined if nothing new is archived. */
export interface BatchRunResult {
  readonly version: string | undefined;
  readonly horizon: Offsets;
}

/**
 * One batch run: all views, recomputed over everything archived, into new datasources, each swapped in at once when
 * it is complete. A run that is killed at any step leaves the pointers valid, and things that no pointer names, which
 * the next run removes. Only one run at a time may be under way, see lease.ts; should two be all the same, the later
 * one's claim stops the earlier one from moving a pointer. Nor can the earlier one delete anything that the later one
 * needs, whenever it wakes: it deletes nothing that is newer than itself, and older versions are needed by none but the
 * pointers that it has claimed, which name none later that they do not name then.
 *
 * @throws {DamagedFilesError} if the master dataset holds something else than was noted when it was written
 * @throws {SupersededError} if another run has begun since
 */
export async function runBatch(args: BatchRunArgs): Promise<BatchRunResult> {
  const { stores, views, report } = args;
  const { first, former } = await stores.life();
  const archived = archivedHorizon(await stores.archivedFiles(), args.partitions, args.chunkSize, first);
  const { horizon, epochs, lost } = archived;
  for (const { partition, from, to } of archived.gaps)
    report(
      `partition ${partition}: offsets ${from} to ${to - 1} are not archived; what is behind them has to wait. If the archiver says ` +
        "that they are lost, `npm run batch -- --accept-loss` goes on without them",
    );

  const run = nextVersion((args.now ?? Date.now)(), await allVersions(stores));
  const keys = views.map((view) => ({ view: view.name, generation: generationOf(args, view) }));
  const before = await Promise.all(keys.map((key) => stores.claimPointer(key, run)));
  await stores.claimOthers(keys, run);
  const checkClaim = () => stores.checkClaim(keys[0] as PointerKey, run);
  await removeGarbage(args, run, checkClaim);

  if (former.length === 0 && !Object.values(horizon).some((offset) => offset > 0)) {
    report(nothingWhole(args));
    return { version: undefined, horizon };
  }
  if (!args.force && before.every((pointer) => pointer !== undefined && !isBeyond(horizon, pointer.horizon))) {
    report(`nothing new is archived since version ${before[0]?.version}`);
    return { version: undefined, horizon };
  }
  for (const [index, pointer] of before.entries())
    if (pointer !== undefined && isBeyond(pointer.horizon, horizon))
      throw new Error(
        `the master dataset ends at ${JSON.stringify(horizon)}, before version ${pointer.version} of ${views[index]?.name}, which covers ${JSON.stringify(pointer.horizon)}: archived files are missing; put them back from a copy or, if they are lost for good, go on without them: npm run batch -- --accept-loss`,
      );

  const files = Object.values(archived.files).reduce((sum, some) => sum + some.length, former.length);
  report(`version ${run}: ${files} files up to ${JSON.stringify(horizon)}`);
  const result = await stores.mapReduce(run, archived, former);
  report(`computed from ${result.content.events} events${remarks(result)}`);
  await checkContent(stores, archived, former, result.content);
  await Promise.all(
    views.map(async (view, index) => {
      const key = keys[index] as PointerKey;
      const rows = result.outputRecords[view.name] ?? 0;
      const name = datasource(view.name, key.generation, run);
      const version = { version: run, datasource: name, horizon, epochs, rows, lost };
      await stores.load(view, version);
      report(`${view.name}: ${rows} rows can be queried`);
      await stores.movePointer(key, run, nextPointer(version, before[index]));
      report(`${view.name}: version ${run} answers`);
    }),
  );
  await removeGarbage(args, run, checkClaim);
  return { version: run, horizon };
}

/**
 * Removes the generations that nobody asks any more, and then what no pointer names: their versions, those no longer
 * retained, and what killed runs left.
 */
async function removeGarbage(
  { stores, views, report, ...args }: BatchRunArgs,
  run: string,
  checkClaim: () => Promise<void>,
): Promise<void> {
  for (const key of await stores.retiredGenerations()) {
    // What this run computes is asked, whatever was noted before.
    if (args.generations[key.view] === key.generation) continue;
    await checkClaim();
    if (!(await stores.removeGeneration(key, checkClaim))) continue;
    report(`removed generation ${key.generation} of ${key.view}, which answers no more`);
  }
  const pointers = await stores.pointers();
  const kept = pointers.flatMap(({ pointer }) => versionsOf(pointer));
  const datasources = new Set(kept.map((version) => version.datasource));
  for (const name of await stores.datasources()) {
    const version = versionOfDatasource(name);
    // Datasources of other names are not batch views, and none of our business; newer ones are another run's.
    if (version === undefined || version > run || datasources.has(name)) continue;
    await checkClaim();
    await stores.removeDatasource(name);
    report(`removed datasource ${name}`);
  }
  const versions = new Set(kept.map((version) => version.version));
  for (const name of await stores.outputs()) {
    if (!isVersion(name) || name > run || versions.has(name)) continue;
    await checkClaim();
    await stores.removeOutput(name);
    report(`removed output ${name}`);
  }
  for (const { view, generation, pointer } of pointers) {
    // The table of a generation that is no longer deployed may be gone.
    if (!views.some(({ name }) => name === view) || args.generations[view] !== generation) continue;
    const horizon = smallestHorizon(versionsOf(pointer).map((version) => version.horizon));
    await checkClaim();
    const expired = await stores.expireSpeedView({ view, generation }, horizon);
    if (expired > 0) report(`${view}: ${expired} expired parts of the speed view deleted`);
  }
}

/** Every version that has left a trace: a new one must sort after all of them. */
async function allVersions(stores: BatchStores): Promise<string[]> {
  const [runs, pointers, datasources, outputs] = await Promise.all([
    stores.runs(),
    stores.pointers(),
    stores.datasources(),
    stores.outputs(),
  ]);
  return [
    ...runs.filter(isVersion),
    ...pointers.flatMap(({ pointer }) => versionsOf(pointer).map((version) => version.version)),
    ...datasources.map(versionOfDatasource).filter((version) => version !== undefined),
    ...outputs.filter(isVersion),
  ];
}

/** What it means that nothing can be computed, and what to do. */
function nothingWhole({ chunkSize, sealHours }: BatchRunArgs): string {
  const byAge = sealHours === undefined ? "" : `, or wait: a chunk is closed ${sealHours} hours after its first event`;
  return (
    `no whole chunk is archived yet: batch views cover whole chunks of ${chunkSize} events of a partition, and none is full. ` +
    `Until then the speed layer alone answers, with all events. To close the open chunks now: npm run batch -- --seal${byAge}`
  );
}

function generationOf({ generations }: BatchRunArgs, view: AnyView): string {
  const generation = generations[view.name];
  if (generation === undefined) throw new TypeError(`the configuration has no generation of view ${view.name}`);
  return generation;
}

/** What was left out, if anything was. */
function remarks({ invalid, skipped }: MapReduceResult): string {
  const parts = Object.entries(skipped)
    .filter(([, count]) => count > 0)
    .map(([view, count]) => `${count} cannot enter ${view}`);
  if (invalid > 0) parts.unshift(`${invalid} lines are no events`);
  return parts.length === 0 ? "" : `; ${parts.join(", ")}`;
}
