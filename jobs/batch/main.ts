/**
 * One batch run: `main.ts --configuration FILE [--force]`. Exit code 0: every view answers from everything archived;
 * 1: it failed, with the reason on standard error; 2: the configuration is wrong; 3: another run is under way.
 *
 * `--force` makes a new version even if nothing new is archived.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { Client } from "cassandra-driver";
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { openStorage } from "../storage/open-storage.ts";
import { batchConfigurationSchema } from "./configuration.ts";
import { Lease } from "./lease.ts";
import { SupersededError } from "./pointer.ts";
import { runBatch } from "./run.ts";
import { connectStores } from "./stores.ts";

const configuration = readConfiguration(batchConfigurationSchema);
const { values: flags } = parseArgs({ options: { force: { type: "boolean", default: false } }, strict: false });

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return error instanceof SupersededError ? 3 : 1;
});
// What is still under way, e.g. an abandoned request, must not keep a failed run from ending.
process.exit();

async function main(): Promise<number> {
  const { contactPoints, localDataCenter, keyspace } = configuration.cassandra;
  const cassandra = new Client({
    contactPoints,
    localDataCenter,
    keyspace,
    // A lightweight transaction on a busy machine takes its time.
    socketOptions: { connectTimeout: 5_000, readTimeout: 15_000 },
  });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  try {
    const lease = await Lease.acquire(
      cassandra,
      `batch-${configuration.topic}`,
      `${hostname()} ${process.pid} ${randomUUID()}`,
    );
    if (!(lease instanceof Lease)) {
      console.error(
        `another batch run is under way (${lease.heldBy}); one that was killed is waited for half a minute`,
      );
      return 3;
    }
    await using _held = lease;
    using storage = openStorage(configuration.storage);
    const signal = AbortSignal.any([lease.signal, stop.signal]);
    const stores = connectStores({ configuration, views: application.views, cassandra, storage, signal, report });
    const { generations, partitions, chunkSize } = configuration;
    const force = flags.force === true;
    await runBatch({ stores, views: application.views, generations, partitions, chunkSize, force, report });
    return 0;
  } finally {
    await cassandra.shutdown();
  }
}

/** A line of progress with the seconds since the start. */
function report(message: string): void {
  console.log(`[${(performance.now() / 1_000).toFixed(1).padStart(6)} s] ${message}`);
}
