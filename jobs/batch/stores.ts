import type { Client } from "cassandra-driver";
import { contentOf } from "../archive/content.ts";
import { partitionFolder, topicFolder } from "../archive/layout.ts";
import { checkMasterDataset } from "../archive/master-dataset-format.ts";
import { removeGeneration, retiredGenerations } from "../generations/generations.ts";
import { describedLife } from "../log/incarnation.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import type { AnyView } from "./columns.ts";
import type { BatchConfiguration } from "./configuration.ts";
import { DruidCoordinator } from "./druid-coordinator.ts";
import { loadVersion } from "./druid-load.ts";
import type { Archived } from "./horizon.ts";
import { runMapReduce } from "./map-reduce.ts";
import { checkClaim, claimOthers, claimPointer, movePointer, readAllPointers, readRuns } from "./pointer.ts";
import type { BatchStores } from "./run.ts";
import { expireSpeedView } from "./speed-expiry.ts";
import { syncDisks } from "./sync-disks.ts";

/** What {@link connectStores} needs. */
export interface StoresOptions {
  readonly configuration: BatchConfiguration;
  readonly views: readonly AnyView[];
  /** Uses the keyspace of the speed views. */
  readonly cassandra: Client;
  readonly storage: FileStorage;
  /** Gives up everything under way. */
  readonly signal: AbortSignal;
  /** Told of the MapReduce job's progress. */
  readonly report: (message: string) => void;
}

/** The file that says that the output in its folder is complete. */
const successMarker = "_SUCCESS";

/** The servers as a batch run sees them. */
export function connectStores(options: StoresOptions): BatchStores {
  const { configuration, views, cassandra, storage, signal, report } = options;
  const { topic, masterDataset, batchViews } = configuration;
  const coordinator = new DruidCoordinator(configuration.druid.coordinator, signal);
  const folderOf = (partition: number) => partitionFolder(masterDataset, { ...configuration, partition });
  const outputFolder = (version: string) => `${batchViews}/${version}`;

  return {
    life: async () => {
      // The first has all there is: nobody else may describe it before the archiver has.
      if (configuration.incarnation === 1) return { first: {}, former: [] };
      return describedLife(storage, configuration, "");
    },
    formerContent: (path) => contentOf(storage.read(path, signal)),
    archivedFiles: () => archivedNames(configuration, storage, signal),
    fileContent: (partition, name) => contentOf(storage.read(`${folderOf(partition)}/${name}`, signal)),
    filePath: (partition, name) => `${folderOf(partition)}/${name}`,
    pointers: () => readAllPointers(cassandra),
    runs: () => readRuns(cassandra),
    claimOthers: (keys, run) => claimOthers(cassandra, keys, run),
    checkClaim: (key, run) => checkClaim(cassandra, key, run),
    retiredGenerations: () => retiredGenerations(cassandra),
    removeGeneration: (key, checkClaim) => removeGeneration(cassandra, key, checkClaim),
    claimPointer: (key, run) => claimPointer(cassandra, key, run),
    movePointer: (key, run, pointer) => {
      signal.throwIfAborted();
      return movePointer(cassandra, key, run, pointer);
    },
    mapReduce: (version, archived, former) =>
      runMapReduce({
        hadoop: configuration.hadoop,
        name: `batch-views-${topic}`,
        version,
        views: views.map((view) => view.name),
        input: [...former.map(({ path }) => path), ...archivedPaths(archived, folderOf)],
        output: outputFolder(version),
        onProgress: ({ applicationId, state, percent }) =>
          report(`MapReduce ${applicationId ?? ""} ${state} ${percent.toFixed(0)} %`),
        signal,
      }),
    outputs: () => storage.list(batchViews, signal),
    removeOutput: (version) => storage.delete(outputFolder(version)),
    load: async (view, version) => {
      const folder = outputFolder(version.version);
      const names = await storage.list(folder, signal);
      // What Hadoop writes last: without it a part may be missing.
      if (!names.includes(successMarker))
        throw new Error(`${folder} is no complete output: it has no ${successMarker}`);
      const parts = names.filter((name) => name.startsWith("part-"));
      const urls = await Promise.all(parts.map((name) => storage.readUrl(`${folder}/${name}`)));
      const druid = { coordinator, broker: configuration.druid.broker, toDisks: () => syncDisks(), signal };
      await loadVersion(druid, { view, version, urls });
    },
    datasources: () => coordinator.datasources(),
    removeDatasource: (name) => coordinator.remove(name),
    expireSpeedView: (key, horizon) =>
      expireSpeedView(cassandra, key, horizon, {
        chunkSize: configuration.chunkSize,
        chunksPerEra: configuration.speed.chunksPerEra,
      }),
  };
}

/** The paths of all files up to the horizon. */
function archivedPaths({ files }: Archived, folderOf: (partition: number) => string): string[] {
  return Object.entries(files).flatMap(([partition, some]) =>
    some.map((file) => `${folderOf(Number(partition))}/${file.name}`),
  );
}

/**
 * The names in the folders of the master dataset, by partition number.
 *
 * @throws {UnknownFormatError} if newer code has written there
 */
export async function archivedNames(
  configuration: Pick<BatchConfiguration, "masterDataset" | "topic" | "incarnation" | "partitions">,
  storage: Pick<FileStorage, "list">,
  signal: AbortSignal,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const { masterDataset, topic, partitions } = configuration;
  const folder = topicFolder(masterDataset, topic);
  checkMasterDataset(folder, await storage.list(folder, signal));
  const listings = Array.from({ length: partitions }, (_, partition) =>
    storage.list(partitionFolder(masterDataset, { ...configuration, partition }), signal),
  );
  return Object.fromEntries((await Promise.all(listings)).entries());
}
