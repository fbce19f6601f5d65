import type { Application } from "../application.ts";
import type { Offsets } from "../chunks.ts";
import { EventProducer } from "../kafka/event-producer.ts";
import { RangeReader } from "../kafka/range-reader.ts";
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
  /** Whether to accept what is lost, see `acceptLosses`. */
  readonly acceptLoss: boolean;
  readonly signal: AbortSignal;
  /** Told of every step. */
  readonly report: (message: string) => void;
}

/** Does what a person asked for beside the run, and waits until the archiver has published what the run is to read. */
export async function beforeRun<Event>(args: BeforeRunArgs<Event>): Promise<void> {
  const { configuration, application, report, signal } = args;
  const { kafka, topic, partitions, chunkSize } = configuration;
  await using reader = new RangeReader({ ...kafka, clientId: "batch" });
  using storage = openStorage(configuration.storage);
  let wanted: Offsets = {};
  if (args.acceptLoss) wanted = await acceptLosses({ configuration, reader, storage, report, signal });
  if (args.seal) {
    await using markers = new EventProducer({ ...kafka, clientId: "batch", topic });
    wanted = { ...wanted, ...(await sealOpenChunks({ configuration, application, reader, markers, report, signal })) };
  }
  const archived = async () =>
    archivedHorizon(await archivedNames(configuration, storage, signal), partitions, chunkSize);
  await waitForArchiver({ archived, report, signal }, wanted);
}
