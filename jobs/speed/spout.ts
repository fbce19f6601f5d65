/** The spout of the speed topology: a process that says which stretches of Kafka are due. Started by a Storm worker. */
import { parseArgs } from "node:util";
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { RangeReader } from "../kafka/range-reader.ts";
import { DescriptorSpout } from "./descriptor-spout.ts";
import { redirectConsole, runSpout } from "./multilang.ts";
import { CassandraSpeedStore } from "./store.ts";

const configuration = readConfiguration();
const { values } = parseArgs({ options: { "most-under-way": { type: "string" } }, strict: false });

await runSpout((reporter) => {
  redirectConsole(reporter);
  return new DescriptorSpout({
    views: application.views,
    configuration,
    reader: new RangeReader({ ...configuration.kafka, clientId: "speed-spout" }),
    store: new CassandraSpeedStore({ configuration }),
    reporter,
    mostUnderWay: Number(values["most-under-way"] ?? 16),
  });
});

process.exit(0);
