/** The spout of the speed topology: a process that says which stretches of Kafka are due. Started by a Storm worker. */
import { parseArgs } from "node:util";
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { RangeReader } from "../kafka/range-reader.ts";
import { KnownIncarnation } from "../log/incarnation.ts";
import { LogCheck } from "../log/log-check.ts";
import { DescriptorSpout } from "./descriptor-spout.ts";
import { redirectConsole, runSpout } from "./multilang.ts";
import { CassandraSpeedStore } from "./store.ts";

const configuration = readConfiguration();
const { values } = parseArgs({ options: { "most-under-way": { type: "string" } }, strict: false });

await runSpout((reporter) => {
  redirectConsole(reporter);
  const { topic, partitions, incarnation } = configuration;
  const reader = new RangeReader({ ...configuration.kafka, clientId: "speed-spout" });
  const store = new CassandraSpeedStore({ configuration });
  const life = new KnownIncarnation(incarnation, () => store.incarnation());
  return new DescriptorSpout({
    views: application.views,
    configuration,
    reader,
    store,
    check: new LogCheck({ topic, partitions, reader, topicId: () => life.topicId() }),
    first: () => life.first(),
    reporter,
    mostUnderWay: Number(values["most-under-way"] ?? 16),
  });
});

process.exit(0);
