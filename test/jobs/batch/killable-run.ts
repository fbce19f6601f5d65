/**
 * A batch run as jobs/batch/main.ts makes it, but for MapReduce, which happens in this process: a program of its own,
 * so that a test can kill it. `killable-run.ts CONFIGURATION`, the JSON text of a batch configuration.
 */
import { Client } from "cassandra-driver";
import { ContentCount } from "../../../jobs/archive/content.ts";
import { batchConfigurationSchema } from "../../../jobs/batch/configuration.ts";
import { Lease } from "../../../jobs/batch/lease.ts";
import { RecordFormat } from "../../../jobs/batch/records.ts";
import { runBatch } from "../../../jobs/batch/run.ts";
import { connectStores } from "../../../jobs/batch/stores.ts";
import { openStorage } from "../../../jobs/storage/open-storage.ts";
import { Aggregate } from "../../../jobs/views/aggregate.ts";
import type { WikipediaEdit } from "../../../jobs/wikipedia/event.ts";
import application from "../../../jobs/wikipedia/index.ts";

const configuration = batchConfigurationSchema.parse(JSON.parse(process.argv[2] ?? ""));
const { masterDataset, batchViews } = configuration;
const storage = openStorage(configuration.storage);
const cassandra = new Client({ ...configuration.cassandra, socketOptions: { readTimeout: 30_000 } });
const lease = await Lease.acquire(cassandra, configuration.topic, String(process.pid));
if (!(lease instanceof Lease)) process.exit(3);
const report = (message: string) => console.log(message);
const stores = connectStores({
  configuration,
  views: application.views,
  cassandra,
  storage,
  signal: lease.signal,
  report,
});
await runBatch({
  stores: {
    ...stores,
    mapReduce: async (version, archived) => {
      const aggregates = application.views.map((view) => new Aggregate(view));
      const content = new ContentCount();
      for (const [partition, files] of Object.entries(archived.files))
        for (const { name } of files) {
          const text = await storage.readText(`${masterDataset}/${configuration.topic}/${partition}/${name}`);
          for (const line of text.split("\n").filter((line) => line !== "")) {
            content.add(Buffer.from(line));
            for (const aggregate of aggregates) aggregate.add(JSON.parse(line) as WikipediaEdit);
          }
        }
      const lines = aggregates.flatMap((aggregate) => {
        const format = new RecordFormat(aggregate.view);
        return [...aggregate.rows()].map((row) => `${format.line(row)}\n`);
      });
      const output = Buffer.from(lines.join(""));
      await storage.publish(`${batchViews}/${version}/part-00000`, [output], { length: output.length });
      await storage.publish(`${batchViews}/${version}/_SUCCESS`, [], { length: 0 });
      const outputRecords = Object.fromEntries(aggregates.map(({ view, size }) => [view.name, size]));
      return { applicationId: "none", content, invalid: 0, skipped: {}, outputRecords };
    },
  },
  views: application.views,
  generations: configuration.generations,
  partitions: configuration.partitions,
  chunkSize: configuration.chunkSize,
  force: false,
  report,
});
await lease[Symbol.asyncDispose]();
process.exit(0);
