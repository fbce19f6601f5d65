/**
 * The serving layer as a program: `--configuration FILE --address HOST --port N [--store-timeout MILLISECONDS]`.
 * It ends in order on SIGTERM and SIGINT.
 */
import { parseArgs } from "node:util";
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { answeredHosts } from "../hosts.ts";
import { drain } from "./drain.ts";
import { openStores } from "./open-stores.ts";
import { createServingLayer } from "./serving-layer.ts";

const { values } = parseArgs({
  options: {
    configuration: { type: "string" },
    address: { type: "string" },
    port: { type: "string" },
    "store-timeout": { type: "string", default: "5000" },
  },
});
const { address } = values;
const port = Number(values.port);
const storeTimeout = Number(values["store-timeout"]);
if (address === undefined || !Number.isInteger(port) || port < 1 || port > 65_535 || !(storeTimeout > 0)) {
  console.error("usage: --configuration FILE --address HOST --port N [--store-timeout MILLISECONDS]");
  process.exit(2);
}
const configuration = readConfiguration();
const { stores, close } = openStores(configuration, storeTimeout);
const hosts = answeredHosts(address, port);
const app = await createServingLayer({
  views: application.views,
  stores,
  partitions: configuration.partitions,
  chunkSize: configuration.chunkSize,
  chunksPerEra: configuration.speed.chunksPerEra,
  storeTimeout,
  ...(hosts !== undefined && { hosts }),
  log: true,
});

for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.once(signal, async () => {
    await drain(app);
    await close();
    process.exit(0);
  });
// Another one may take its place while it still answers. Where there is no such thing, nobody starts another beside it.
const where = { host: address, port, reusePort: process.platform === "linux" };
await app.listen(where);
