import { withBackOff } from "../back-off.ts";
import { UnknownFormatError } from "../formats.ts";
import { TopicRecreatedError } from "../kafka/errors.ts";
import { describedLife, type Incarnation } from "../log/incarnation.ts";
import { StorageError } from "../storage/storage-error.ts";
import { topicFolder } from "./layout.ts";
import { noteMasterDataset } from "./master-dataset-format.ts";
import { type ArchiveServices, PartitionArchiver } from "./partition-archiver.ts";
import { type TrimServices, trim } from "./trim.ts";

/** Milliseconds between two looks at what may be deleted from the log. */
const trimPause = 30_000;

/**
 * Copies a topic into the master dataset until the signal comes; ends early only by an error that does not pass by
 * itself.
 *
 * @throws {ArchiveError} if the master dataset holds files of another chunk size
 * @throws {UnknownFormatError} if newer code has written to the master dataset or to the dead-letter topic
 */
export async function archive<Event>(
  services: ArchiveServices<Event> & {
    readonly trimming: TrimServices;
    /** Writes down the life of the log for those who do not reach the storage. */
    readonly note: (life: Incarnation) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  const { configuration, reader, storage, note, metrics, log, now = Date.now } = services;
  const all = Array.from({ length: configuration.partitions }, (_, partition) => partition);
  const notNoted = (error: Error, failures: number) => {
    metrics.retries.inc({ system: "Cassandra" });
    if (failures === 1) log(`the life of the log is not noted: ${error.message}; tries again`);
  };
  let isNoting = false;
  const life = await withBackOff(
    async () => {
      const topicId = await reader.topicId(configuration.topic);
      const claimed = await describedLife(storage, configuration, topicId);
      // Beside the work: events are archived whether Cassandra is there or not.
      if (!isNoting) withBackOff(() => note(claimed), { signal, onRetry: notNoted }).catch(() => {});
      isNoting = true;
      if (claimed.topicId !== topicId) throw new TopicRecreatedError(configuration.topic, claimed.topicId, topicId);
      await noteMasterDataset(storage, topicFolder(configuration.masterDataset, configuration.topic), signal);
      await storage.discardUnfinished(topicFolder(configuration.masterDataset, configuration.topic));
      return claimed;
    },
    {
      signal,
      isTransient: (error) => !(error instanceof UnknownFormatError),
      // Also that the topic is another one passes: a person decides, and this goes on as what it is told to be then.
      onRetry: (error, failures) => {
        for (const partition of all)
          metrics.diverged.set({ partition: String(partition) }, error instanceof TopicRecreatedError ? 1 : 0);
        metrics.retries.inc({ system: error instanceof StorageError ? storage.system : "Kafka" });
        if (failures % 20 === 1) log(`${error.message}; tries again (failure ${failures})`);
      },
    },
  );
  log(`archiving ${configuration.partitions} partitions of ${configuration.topic}`);
  // If one partition fails for good, the others end too.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const archivers = all.map((partition) => new PartitionArchiver(services, partition, life.first[partition]));
  metrics.watchAges(() =>
    archivers.map(({ oldestUnstored }, partition) => [
      partition,
      oldestUnstored === undefined ? 0 : Math.max(0, (now() - oldestUnstored) / 1_000),
    ]),
  );
  const pauseOfTrimming = Math.min(trimPause, (configuration.retentionHours * 3_600_000) / 10);
  const work = [
    ...archivers.map((archiver) => archiver.run(either)),
    trim(services, archivers, pauseOfTrimming, either),
  ];
  await Promise.all(work.map((one) => one.catch((error: unknown) => failed.abort(error))));
  if (failed.signal.aborted) throw failed.signal.reason;
}
