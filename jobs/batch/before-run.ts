import { Client } from "cassandra-driver";
import type { Application } from "../application.ts";
import type { Offsets } from "../chunks.ts";
import { TopicRecreatedError } from "../kafka/errors.ts";
import { EventProducer } from "../kafka/event-producer.ts";
import { RangeReader } from "../kafka/range-reader.ts";
import { knownEnds } from "../log/divergence.ts";
import { describedLife, noteIncarnation } from "../log/incarnation.ts";
import { beginNextIncarnation } from "../log/next-incarnation.ts";
import { CassandraSpeedStore } from "../speed/store.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { openStorage } from "../storage/open-storage.ts";
import { acceptLosses } from "./accept-loss.ts";
import type { BatchConfiguration } from "./configuration.ts";
import { archivedHorizon } from "./horizon.ts";
import { sealOpenChunks } from "./seal.ts";
import { archivedNames } from "./stores.ts";
import { waitForArchiver } from "./wait-for-archiver.ts";

/** What {@link beforeRun} is asked for. */
export interface BeforeRunArgs<Event> {
  readonly configuration: BatchConfiguration;
  readonly application: Application<Event>;
  /** Whether to close the open chunks, see `sealOpenChunks`. */
  readonly seal: boolean;
  /** Whether to accept what is lost, see `acceptLosses`; that closes the open chunks that lack something. */
  readonly acceptLoss: boolean;
  readonly signal: AbortSignal;
  /** Told of every step. */
  readonly report: (message: string) => void;
}

/**
 * Does what a person asked for beside the run, and waits until the archiver has published what the run is to read.
 *
 * @returns the incarnation of the log that begins, if the log is another one than it was: what is deployed does not know it
 *   yet, and there is nothing to run. Undefined otherwise
 */
export async function beforeRun<Event>(args: BeforeRunArgs<Event>): Promise<number | undefined> {
  const { configuration, application, report, signal } = args;
  const { kafka, topic, partitions, chunkSize } = configuration;
  await using reader = new RangeReader({ ...kafka, clientId: "batch" });
  using storage = openStorage(configuration.storage);
  if (args.acceptLoss) {
    const next = await acceptAnotherLog({ ...args, reader, storage });
    if (next !== undefined) return next;
  }
  const topicId = await reader.topicId(topic);
  const { first, topicId: known } = await describedLife(storage, configuration, topicId);
  if (known !== topicId) throw new TopicRecreatedError(topic, known, topicId);
  await using markers = new EventProducer({ ...kafka, clientId: "batch", topic });
  const common = { configuration, reader, markers, first, report, signal };
  const wanted: Offsets = {
    ...(args.acceptLoss && (await acceptLosses({ ...common, storage }))),
    ...(args.seal && (await sealOpenChunks({ ...common, application }))),
  };
  const archived = async () =>
    archivedHorizon(await archivedNames(configuration, storage, signal), partitions, chunkSize, first);
  await waitForArchiver({ archived, report, signal }, wanted);
  return undefined;
}

/** Begins the next incarnation of the log, if it is another one than the views and the archive are of. */
async function acceptAnotherLog<Event>({
  configuration,
  application,
  reader,
  storage,
  report,
  signal,
}: BeforeRunArgs<Event> & { reader: RangeReader; storage: FileStorage }): Promise<number | undefined> {
  const store = new CassandraSpeedStore({ configuration });
  const { contactPoints, localDataCenter, keyspace } = configuration.cassandra;
  const client = new Client({ contactPoints, localDataCenter, keyspace });
  try {
    const known = await Promise.all(
      application.views.map(async (view) => {
        const { horizon, epochs } = await store.covered(view);
        return [...(await store.progress(view)), ...knownEnds(horizon, epochs)];
      }),
    );
    const next = await beginNextIncarnation({ configuration, reader, storage, known: known.flat(), report, signal });
    if (next === undefined) return undefined;
    await noteIncarnation(client, configuration.topic, next.number, next.life);
    return next.number;
  } finally {
    await Promise.all([store.close(), client.shutdown()]);
  }
}
