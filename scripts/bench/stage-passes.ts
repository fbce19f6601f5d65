/*
 * The work of a bolt, stage by stage, in a process like a bolt's: fetch alone, then fetch and parse, and so on. Each
 * pass goes over the same events, and what a stage takes is what its pass takes more than the one before.
 *
 *     stage-passes.ts --configuration FILE --module APPLICATION --from OFFSET --events N
 *
 * Prints one JSON object: CPU seconds of each pass.
 */
import { parseArgs } from "node:util";
import { Client } from "cassandra-driver";
import type { Application } from "../../jobs/application.ts";
import { readConfiguration } from "../../jobs/configuration.ts";
import { decodeEvent } from "../../jobs/events/decode.ts";
import type { LogRecord } from "../../jobs/kafka/log-record.ts";
import { RangeReader } from "../../jobs/kafka/range-reader.ts";
import { SpeedViews } from "../../jobs/speed/speed-views.ts";
import { batchesOf, CassandraSpeedStore, type SpeedStore } from "../../jobs/speed/store.ts";
import { createViewTables } from "../../jobs/speed/tables.ts";
import { Aggregate } from "../../jobs/views/aggregate.ts";

const { values } = parseArgs({
  options: {
    configuration: { type: "string" },
    module: { type: "string", default: "" },
    from: { type: "string" },
    events: { type: "string" },
  },
});
const given = readConfiguration();
const application = (await import(values.module)).default as Application<unknown>;
// Rows of its own, beside those of the topology.
const scratch = "00000000";
const configuration = {
  ...given,
  generations: Object.fromEntries(application.views.map(({ name }) => [name, scratch])),
};
const { chunkSize, partitions } = configuration;
const chunks = Math.floor(Number(values.events) / chunkSize / partitions);
const firstChunk = Math.floor(Number(values.from) / chunkSize);

const { cassandra } = configuration;
const client = new Client({
  contactPoints: cassandra.contactPoints,
  localDataCenter: cassandra.localDataCenter,
  keyspace: cassandra.keyspace,
});
for (const { name } of application.views)
  for (const table of createViewTables(name, scratch)) await client.execute(table);
await client.shutdown();

const reader = new RangeReader({ bootstrapServers: configuration.kafka.bootstrapServers, clientId: "bench" });
const store = new CassandraSpeedStore({ configuration });
const nowhere: Pick<SpeedStore, "writeRows" | "writeProgress"> = {
  writeRows: async (_view, _stretch, rows) => {
    batchesOf(rows, configuration.speed.shards);
  },
  writeProgress: async () => {},
};

const passes: Readonly<Record<string, () => Promise<void>>> = {
  fetch: () => overRecords(() => () => {}),
  parse: () =>
    overRecords(
      () =>
        ({ value }) =>
          JSON.parse(value?.toString("utf8") ?? ""),
    ),
  validate: () =>
    overRecords(
      () =>
        ({ value }) =>
          decodeEvent(application, value, configuration.maxEventBytes),
    ),
  aggregate: () => overRecords(aggregating),
  // The bolt encodes what it has aggregated.
  encode: () => overChunks(nowhere),
  upsert: () => overChunks(store),
};

// Twice: the first time, code is not compiled yet.
const took: Record<string, number> = {};
for (let round = 0; round < 2; round++)
  for (const [name, pass] of Object.entries(passes)) {
    const before = process.cpuUsage();
    await pass();
    const { user, system } = process.cpuUsage(before);
    took[name] = (user + system) / 1e6;
  }
console.log(JSON.stringify({ events: chunks * chunkSize * partitions, took }));
process.exit(0);

/** What aggregates the records of a chunk. */
function aggregating(): (record: LogRecord) => void {
  const aggregates = application.views.map((view) => new Aggregate(view));
  return ({ value }) => {
    const decoded = decodeEvent(application, value, configuration.maxEventBytes);
    if ("event" in decoded) for (const aggregate of aggregates) aggregate.add(decoded.event);
  };
}

/**
 * Reads a chunk of each partition at a time, as a bolt does.
 *
 * @param begin begins a chunk, and returns what takes its records
 */
async function overRecords(begin: () => (record: LogRecord) => void): Promise<void> {
  for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++)
    await Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        const take = begin();
        for await (const records of reader.read(
          configuration.topic,
          partition,
          chunk * chunkSize,
          (chunk + 1) * chunkSize,
        ))
          for (const record of records) take(record);
      }),
    );
}

async function overChunks(to: typeof nowhere): Promise<void> {
  const views = application.views.map(({ name }) => name);
  const speedViews = new SpeedViews({ application, configuration, reader, store: to });
  for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++)
    await Promise.all(
      Array.from({ length: partitions }, (_, partition) =>
        speedViews.execute({ partition, chunk, end: (chunk + 1) * chunkSize, views, tables: scratch }),
      ),
    );
}
