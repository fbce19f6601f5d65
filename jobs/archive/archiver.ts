import { withBackOff } from "../back-off.ts";
import { UnknownFormatError } from "../formats.ts";
import { TopicRecreatedError } from "../kafka/errors.ts";
import { StorageError } from "../storage/storage-error.ts";
import { topicFolder, topicIdFile } from "./layout.ts";
import { noteMasterDataset } from "./master-dataset-format.ts";
import { type ArchiveServices, PartitionArchiver } from "./partition-archiver.ts";
import { type TrimServices, trim } from "./trim.ts";

/** Milliseconds between two looks at what may be deleted from the log. */
const trimPause = 30_000;

/**
 * Copies a topic into the master dataset until the signal comes; ends early only by an error that does not pass by
 * itself.
 *
 * @throws {TopicRecreatedError} if the topic is not the one whose events are archived
 * @throws {ArchiveError} if the master dataset holds files of another chunk size
 * @throws {UnknownFormatError} if newer code has written to the master dataset or to the dead-letter topic
 */
export async function archive<Event>(
  services: ArchiveServices<Event> & { readonly trimming: TrimServices },
  signal: AbortSignal,
): Promise<void> {
  const { configuration, storage, metrics, log, now = Date.now } = services;
  await withBackOff(
    async () => {
      await claim(services);
      await noteMasterDataset(storage, topicFolder(configuration.masterDataset, configuration.topic), signal);
      await storage.discardUnfinished(topicFolder(configuration.masterDataset, configuration.topic));
    },
    {
      signal,
      isTransient: (error) => !(error instanceof TopicRecreatedError || error instanceof UnknownFormatError),
      onRetry: (error, failures) => {
        metrics.retries.inc({ system: error instanceof StorageError ? storage.system : "Kafka" });
        if (failures % 20 === 1) log(`${error.message}; tries again (failure ${failures})`);
      },
    },
  );
  log(`archiving ${configuration.partitions} partitions of ${configuration.topic}`);
  // If one partition fails for good, the others end too.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const archivers = Array.from(
    { length: configuration.partitions },
    (_, partition) => new PartitionArchiver(services, partition),
  );
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

/** Makes sure that the folder holds the events of this very topic, also if it was deleted and made again. */
async function claim<Event>({ configuration, reader, storage }: ArchiveServices<Event>): Promise<void> {
  const { topic } = configuration;
  const id = await reader.topicId(topic);
  const path = topicIdFile(configuration.masterDataset, topic);
  const text = Buffer.from(id);
  await storage.publish(path, [text], { length: text.length });
  const archived = await storage.readText(path);
  if (archived !== id) throw new TopicRecreatedError(topic, archived, id);
}
