import type { Client } from "cassandra-driver";
import { HdfsError } from "../hdfs/hdfs-error.ts";
import type { WebHdfs } from "../hdfs/web-hdfs.ts";
import type { AnyView } from "./columns.ts";
import type { BatchConfiguration } from "./configuration.ts";
import { DruidCoordinator } from "./druid-coordinator.ts";
import { loadVersion } from "./druid-load.ts";
import type { Archived } from "./horizon.ts";
import { runMapReduce } from "./map-reduce.ts";
import { claimPointer, movePointer, readAllPointers } from "./pointer.ts";
import type { BatchStores } from "./run.ts";
import { expireSpeedView } from "./speed-expiry.ts";

/** What {@link connectStores} needs. */
export interface StoresOptions {
  readonly configuration: BatchConfiguration;
  readonly views: readonly AnyView[];
  /** Uses the keyspace of the speed views. */
  readonly cassandra: Client;
  readonly hdfs: WebHdfs;
  /** Gives up everything under way. */
  readonly signal: AbortSignal;
  /** Told of the MapReduce job's progress. */
  readonly report: (message: string) => void;
}

/** The servers as a batch run sees them. */
export function connectStores({ configuration, views, cassandra, hdfs, signal, report }: StoresOptions): BatchStores {
  const { topic } = configuration;
  const { masterDataset, batchViews, user } = configuration.hdfs;
  const coordinator = new DruidCoordinator(configuration.druid.coordinator, signal);
  const partitionFolder = (partition: number | string) => `${masterDataset}/${topic}/${partition}`;
  const outputFolder = (version: string) => `${batchViews}/${version}`;

  return {
    archivedFiles: async () => {
      const partitions = Array.from({ length: configuration.partitions }, (_, partition) => partition);
      const names = await Promise.all(
        partitions.map(async (partition) => [partition, await namesIn(hdfs, partitionFolder(partition))] as const),
      );
      return Object.fromEntries(names);
    },
    pointers: () => readAllPointers(cassandra),
    claimPointer: (key, run) => claimPointer(cassandra, key, run),
    movePointer: (key, run, pointer) => {
      signal.throwIfAborted();
      return movePointer(cassandra, key, run, pointer);
    },
    mapReduce: (version, archived) =>
      runMapReduce({
        hadoop: configuration.hadoop,
        user,
        name: `batch-views-${topic}`,
        version,
        views: views.map((view) => view.name),
        input: archivedPaths(archived, partitionFolder),
        output: outputFolder(version),
        onProgress: ({ applicationId, state, percent }) =>
          report(`MapReduce ${applicationId ?? ""} ${state} ${percent.toFixed(0)} %`),
        signal,
      }),
    outputs: () => namesIn(hdfs, batchViews),
    removeOutput: async (version) => {
      await hdfs.delete(outputFolder(version));
    },
    load: async (view, version) => {
      const folder = outputFolder(version.version);
      const files = (await namesIn(hdfs, folder)).filter((name) => name.startsWith("part-"));
      const urls = files.map((name) => hdfs.openUrl(`${folder}/${name}`));
      await loadVersion({ coordinator, broker: configuration.druid.broker, signal }, { view, version, urls });
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
function archivedPaths({ files }: Archived, partitionFolder: (partition: string) => string): string[] {
  return Object.entries(files).flatMap(([partition, some]) =>
    some.map((file) => `${partitionFolder(partition)}/${file.name}`),
  );
}

/** The names in a folder; none if it is not there. */
async function namesIn(hdfs: WebHdfs, folder: string): Promise<string[]> {
  try {
    return (await hdfs.list(folder)).map((status) => status.name);
  } catch (error) {
    if (error instanceof HdfsError && error.isNotFound) return [];
    throw error;
  }
}
