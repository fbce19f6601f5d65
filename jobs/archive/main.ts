/** The archiver: a service that copies the events from Kafka to the master dataset. */
import { parseArgs } from "node:util";
import { Client } from "cassandra-driver";
import fastify from "fastify";
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { answeredHosts, misdirected } from "../hosts.ts";
import { EventProducer } from "../kafka/event-producer.ts";
import { RangeReader } from "../kafka/range-reader.ts";
import { type Incarnation, noteIncarnation } from "../log/incarnation.ts";
import { openStorage } from "../storage/open-storage.ts";
import { archive } from "./archiver.ts";
import { connectTrimming } from "./connect-trimming.ts";
import { ArchiveMetrics } from "./metrics.ts";

const configuration = readConfiguration();
const { values } = parseArgs({
  options: { configuration: { type: "string" }, address: { type: "string" }, port: { type: "string" } },
});
if (values.address === undefined || values.port === undefined) {
  console.error("--address HOST and --port N, where /metrics and /healthz answer, are missing");
  process.exit(2);
}

const metrics = new ArchiveMetrics();
const log = (line: string) => console.log(`${new Date().toISOString()} ${line}`);
const onRetry = (error: Error, failures: number) => {
  metrics.retries.inc({ system: "Kafka" });
  if (failures % 20 === 1) log(`${error.message}; tries again (failure ${failures})`);
};
// Smaller fetches than the default: a chunk is buffered anyway, and the archiver shares its machine.
const reader = new RangeReader({ ...configuration.kafka, clientId: "archiver", maxFetchBytes: 1024 * 1024, onRetry });
const deadLetters = new EventProducer({
  ...configuration.kafka,
  clientId: "archiver",
  topic: configuration.deadLetterTopic,
  onRetry,
});
const markers = new EventProducer({
  ...configuration.kafka,
  clientId: "archiver",
  topic: configuration.topic,
  onRetry,
});
const storage = openStorage(configuration.storage);
const { contactPoints, localDataCenter, keyspace } = configuration.cassandra;
const cassandra = new Client({
  contactPoints,
  localDataCenter,
  keyspace,
  socketOptions: { connectTimeout: 5_000, readTimeout: 15_000 },
});
const trimming = connectTrimming(configuration, cassandra);
const note = (life: Incarnation) => noteIncarnation(cassandra, configuration.topic, configuration.incarnation, life);

const server = fastify();
const hosts = answeredHosts(values.address, Number(values.port));
server.addHook("onRequest", async (request, reply) => {
  const problem = misdirected(hosts, request.headers.host);
  if (problem !== undefined) return reply.code(421).send(problem);
});
server.get("/healthz", () => ({ status: "ok" }));
server.get("/metrics", async (_request, reply) =>
  reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
);
await server.listen({ host: values.address, port: Number(values.port) });

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort(new Error(signal)));
try {
  await archive(
    { configuration, application, reader, deadLetters, markers, storage, trimming, note, metrics, log },
    stop.signal,
  );
} catch (error) {
  if (!stop.signal.aborted) {
    log(`cannot go on: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
// What is still on its way is done again by the next archiver, so nothing has to be waited for.
process.exit();
