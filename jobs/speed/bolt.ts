/** The bolt of the speed topology: a process that works descriptors off. Started by a Storm worker. */
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { RangeReader } from "../kafka/range-reader.ts";
import { KnownIncarnation } from "../log/incarnation.ts";
import { fromTuple } from "./descriptor.ts";
import { redirectConsole, runBolt } from "./multilang.ts";
import { reportRetries } from "./report-retries.ts";
import { SpeedViews } from "./speed-views.ts";
import { CassandraSpeedStore } from "./store.ts";

const configuration = readConfiguration();

await runBolt((reporter) => {
  redirectConsole(reporter);
  const store = new CassandraSpeedStore({
    configuration,
    onRetry: reportRetries(reporter, "Cassandra does not take rows"),
  });
  const life = new KnownIncarnation(configuration.incarnation, () => store.incarnation());
  const speedViews = new SpeedViews({
    application,
    configuration,
    reader: new RangeReader({
      ...configuration.kafka,
      clientId: "speed-bolt",
      onRetry: reportRetries(reporter, "Kafka does not give the events"),
    }),
    store,
    first: () => life.first(),
  });
  reporter.log("info", "the speed layer's bolt is ready");
  return { execute: (tuple) => speedViews.execute(fromTuple(tuple)) };
});

// The worker is gone. Whatever is still being written may be: it changes nothing when it is written again.
process.exit(0);
