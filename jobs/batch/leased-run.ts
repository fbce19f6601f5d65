import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Client } from "cassandra-driver";
import { openStorage } from "../storage/open-storage.ts";
import type { AnyView } from "./columns.ts";
import type { BatchConfiguration } from "./configuration.ts";
import { Lease } from "./lease.ts";
import { runBatch } from "./run.ts";
import { connectStores } from "./stores.ts";

/** A batch run on the real servers. */
export interface LeasedRunArgs {
  readonly configuration: BatchConfiguration;
  readonly views: readonly AnyView[];
  /** Whether to make a new version even if nothing new is archived. */
  readonly force: boolean;
  /** Gives up everything under way. */
  readonly signal: AbortSignal;
  /** Told of every step. */
  readonly report: (message: string) => void;
}

/**
 * One batch run, unless another one is under way.
 *
 * @returns who else is running a batch; undefined if this one was run
 * @throws {SupersededError} if another run has begun since
 */
export async function runBatchWithLease({
  configuration,
  views,
  force,
  signal: stop,
  report,
}: LeasedRunArgs): Promise<string | undefined> {
  const { contactPoints, localDataCenter, keyspace } = configuration.cassandra;
  const cassandra = new Client({
    contactPoints,
    localDataCenter,
    keyspace,
    // A lightweight transaction on a busy machine takes its time.
    socketOptions: { connectTimeout: 5_000, readTimeout: 15_000 },
  });
  try {
    const holder = `${hostname()} ${process.pid} ${randomUUID()}`;
    const lease = await Lease.acquire(cassandra, `batch-${configuration.topic}`, holder);
    if (!(lease instanceof Lease)) return lease.heldBy;
    await using _held = lease;
    using storage = openStorage(configuration.storage);
    const signal = AbortSignal.any([lease.signal, stop]);
    const stores = connectStores({ configuration, views, cassandra, storage, signal, report });
    const { generations, partitions, chunkSize, sealHours } = configuration;
    await runBatch({ stores, views, generations, partitions, chunkSize, sealHours, force, report });
    return undefined;
  } finally {
    await cassandra.shutdown();
  }
}
