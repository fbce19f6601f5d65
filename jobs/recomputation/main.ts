/**
 * Computes the views whose code has changed and waits until they can take over:
 * `main.ts --configuration FILE --minutes N`. Exit code 0: they can, or there are none; 1: they cannot, with what lags and
 * the fix on standard error; 2: the configuration is wrong.
 */
import { parseArgs } from "node:util";
import { Client } from "cassandra-driver";
import application from "#application";
import { batchConfigurationSchema } from "../batch/configuration.ts";
import { runBatchWithLease } from "../batch/leased-run.ts";
import { readConfiguration } from "../configuration.ts";
import { answeringGenerations } from "../generations/generations.ts";
import { report, stopSignal } from "../program.ts";
import { openStores } from "../serving/open-stores.ts";
import { recompute } from "./recompute.ts";

/** Milliseconds that one call of a store may take. */
const storeTimeout = 15_000;

const configuration = readConfiguration(batchConfigurationSchema);
const { values } = parseArgs({ options: { minutes: { type: "string" } }, strict: false });
const limit = Number(values.minutes) * 60_000;
if (!(limit > 0)) {
  console.error("usage: --configuration FILE --minutes N");
  process.exit(2);
}

const { cassandra, generations, partitions, chunkSize } = configuration;
const { views } = application;
const signal = stopSignal();
const { stores } = openStores(configuration, storeTimeout);
const client = new Client({
  ...cassandra,
  socketOptions: { connectTimeout: 5_000, readTimeout: storeTimeout },
});

try {
  await recompute({
    stores: {
      ...stores,
      answering: () => answeringGenerations(client, cassandra.keyspace),
      batch: () => runBatchWithLease({ configuration, views, force: false, signal, report }),
    },
    views,
    generations,
    partitions,
    chunkSize,
    limit,
    signal,
    report,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
// Clients of stores keep connections open.
process.exit();
