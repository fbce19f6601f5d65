/**
 * Makes a cluster's topics what they shall be: creates, adds partitions, changes settings, and puts the copies of all
 * partitions, of internal topics too, on the brokers that the cluster shall have. Running it again changes nothing.
 * Exit code 1 with one line a reason if it cannot.
 *
 * `topics.ts --connection FILE --topics FILE [--brokers N --replication-factor N] [--check]`: JSON as of
 * `kafkaConnectionSchema` and of `wantedTopicsSchema`. Without `--brokers` the copies of partitions stay where they
 * are. With `--check` nothing is changed: exit code 1 with one line for each thing to do.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  Admin,
  alterPartitionReassignmentsV0,
  ConfigResourceTypes,
  ConfigSources,
  GenericError,
  IncrementalAlterConfigOperationTypes,
  listPartitionReassignmentsV0,
  MultipleErrors,
  metadataV12,
  ResponseError,
} from "@platformatic/kafka";
import { connectionOptions, type KafkaConnection, kafkaConnectionSchema } from "../../jobs/kafka/connection.ts";
import { runTaskProgram, untilNothingIsLeft } from "../task-program.ts";
import { type Move, type PartitionCopies, planPartitions } from "./partition-plan.ts";
import { type ExistingTopic, planTopics, type TopicPlan, topicSentences, wantedTopicsSchema } from "./topic-plan.ts";

/** Milliseconds that brokers have to register with the controller after they listen. */
const registrationTimeout = 60_000;
/** Milliseconds that the controller has to answer a request. */
const requestTimeout = 30_000;

async function main(): Promise<readonly string[]> {
  const { values } = parseArgs({
    options: {
      connection: { type: "string" },
      brokers: { type: "string" },
      "replication-factor": { type: "string" },
      topics: { type: "string" },
      check: { type: "boolean", default: false },
    },
  });
  const { connection: connectionFile, brokers: count, "replication-factor": factor, topics: file, check } = values;
  if (!connectionFile || !file || (count === undefined) !== (factor === undefined))
    throw new Error(
      "--connection FILE and --topics FILE are needed; --brokers N and --replication-factor N come together",
    );
  const connection = kafkaConnectionSchema.parse(JSON.parse(readFileSync(connectionFile, "utf8")));
  const wanted = wantedTopicsSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const names = wanted.map(({ name }) => name);
  const brokers = Array.from({ length: Number(count ?? 0) }, (_, index) => index);
  await using admin = openAdmin(connection, check);

  const plan = planTopics(wanted, await existingTopics(admin, names));
  if (check) {
    const { moves, refused } =
      count === undefined
        ? { moves: [], refused: [] }
        : planPartitions(await partitionCopies(admin), brokers, Number(factor));
    return [...plan.refused, ...topicSentences(plan), ...moves.map(moveSentence), ...refused];
  }
  if (plan.refused.length > 0) throw new Error(plan.refused.join("\n"));
  if (count !== undefined) await brokersRegistered(admin, brokers);
  await execute(admin, plan);
  if (count !== undefined) await place(admin, brokers, Number(factor));
  // Returns once every partition has a leader, so that who comes next can write at once.
  if (names.length > 0) await admin.metadata({ topics: names, forceUpdate: true });
  for (const { name, partitions } of wanted)
    console.log(`topic ${name}: ${partitions} partitions, ${stepOf(plan, name)}`);
  return [];
}

function openAdmin(connection: KafkaConnection, once: boolean): Admin & AsyncDisposable {
  const patience = once ? { retries: 1, connectTimeout: 3_000 } : { retries: 20 };
  const admin = new Admin({
    clientId: "lambda-architecture-topics",
    bootstrapBrokers: [...connection.bootstrapServers],
    ...connectionOptions(connection),
    retryDelay: 500,
    ...patience,
  });
  return Object.assign(admin, { [Symbol.asyncDispose]: () => admin.close() });
}

async function existingTopics(admin: Admin, names: readonly string[]): Promise<Map<string, ExistingTopic>> {
  const all = new Set(await admin.listTopics());
  const found = names.filter((name) => all.has(name));
  if (found.length === 0) return new Map();
  const [metadata, descriptions] = await Promise.all([
    admin.metadata({ topics: found, forceUpdate: true }),
    admin.describeConfigs({
      resources: found.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName })),
    }),
  ]);
  return new Map(
    descriptions.map(({ resourceName, configs }) => [
      resourceName,
      {
        partitions: metadata.topics.get(resourceName)?.partitionsCount ?? 0,
        configuration: Object.fromEntries(
          configs
            .filter(({ configSource }) => configSource === ConfigSources.TOPIC_CONFIG)
            .map(({ name, value }) => [name, value ?? ""]),
        ),
      },
    ]),
  );
}

/**
 * Every partition of the cluster: also of Kafka's internal topics, which the client's own metadata leaves out, and which
 * are there as soon as anyone consumes in a group.
 */
async function partitionCopies(admin: Admin): Promise<PartitionCopies[]> {
  const topics = await allTopics(admin);
  return topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, leaderId, replicaNodes }) => ({
      topic: String(name),
      partition: partitionIndex,
      replicas: replicaNodes,
      leader: leaderId,
    })),
  );
}

async function allTopics(admin: Admin) {
  try {
    return (await metadataV12.api.async(await anyConnection(admin), null, false, false)).topics;
  } catch (error) {
    // A partition without a leader makes the whole answer an error, which has the answer all the same.
    if (error instanceof ResponseError) return (error.response as metadataV12.MetadataResponse).topics;
    throw error;
  }
}

/** Waits until the controller has taken in all brokers. */
async function brokersRegistered(admin: Admin, wanted: readonly number[]): Promise<void> {
  for (const deadline = Date.now() + registrationTimeout; ; await sleep(200)) {
    const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
    const missing = wanted.filter((broker) => !brokers.has(broker));
    if (missing.length === 0) return;
    if (Date.now() > deadline) throw new Error(`broker ${missing.join(", ")} is not in the cluster; see its log`);
  }
}

async function execute(admin: Admin, plan: TopicPlan): Promise<void> {
  for (const { name, partitions, configuration } of plan.create) {
    await whenBrokersAreThere(() =>
      admin.createTopics({
        topics: [{ topic: name, partitions }],
        configs: Object.entries(configuration).map(([key, value]) => ({ name: key, value })),
      }),
    );
  }
  if (plan.expand.length > 0) {
    await whenBrokersAreThere(() =>
      admin.createPartitions({ topics: plan.expand.map(({ name, partitions }) => ({ name, count: partitions })) }),
    );
  }
  if (plan.configure.length > 0) {
    await admin.incrementalAlterConfigs({
      resources: plan.configure.map(({ name, set, unset }) => ({
        resourceType: ConfigResourceTypes.TOPIC,
        resourceName: name,
        configs: [
          ...Object.entries(set).map(([key, value]) => ({
            name: key,
            configOperation: IncrementalAlterConfigOperationTypes.SET,
            value,
          })),
          ...unset.map((key) => ({ name: key, configOperation: IncrementalAlterConfigOperationTypes.DELETE })),
        ],
      })),
    });
  }
}

/** Moves copies where they shall be, and waits until they are there: then a broker without any can go. */
async function place(admin: Admin, brokers: readonly number[], replicationFactor: number): Promise<void> {
  const { moves, refused } = planPartitions(await partitionCopies(admin), brokers, replicationFactor);
  if (moves.length > 0 && refused.length > 0) throw new Error(refused.join("\n"));
  if (moves.length > 0) {
    for (const move of moves) console.log(moveSentence(move));
    const topics = Map.groupBy(moves, ({ topic }) => topic);
    await alterPartitionReassignmentsV0.api.async(
      await anyConnection(admin),
      requestTimeout,
      true,
      [...topics].map(([name, ofTopic]) => ({
        name,
        partitions: ofTopic.map(({ partition, to }) => ({ partitionIndex: partition, replicas: [...to] })),
      })),
    );
  }
  // Those of a run that was interrupted count too.
  await untilNothingIsLeft(async () => {
    const { topics } = await listPartitionReassignmentsV0.api.async(await anyConnection(admin), requestTimeout, null);
    const left = topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
    return left === 0 ? [] : [`${left} partitions are being copied`];
  });
}

/** Every broker hands on to the controller what is the controller's to do. */
async function anyConnection(admin: Admin) {
  const [connection] = (await admin.connectToBrokers()).values();
  if (connection === undefined) throw new Error("no broker takes connections");
  return connection;
}

/** Tries again while the controller knows of fewer brokers than a partition needs copies. */
async function whenBrokersAreThere<T>(attempt: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + registrationTimeout; ; await sleep(200)) {
    try {
      return await attempt();
    } catch (error) {
      const few = error instanceof MultipleErrors && error.findBy("apiId", "INVALID_REPLICATION_FACTOR") !== null;
      if (!few || Date.now() > deadline) throw error;
    }
  }
}

function moveSentence({ topic, partition, from, to }: Move): string {
  const list = (brokers: readonly number[]) => brokers.join(", ");
  return `partition ${partition} of topic ${topic} is on broker ${list(from)} instead of ${list(to)}`;
}

function stepOf(plan: TopicPlan, name: string): string {
  const isOf = (topic: { readonly name: string }) => topic.name === name;
  if (plan.create.some(isOf)) return "created";
  const steps = [...(plan.expand.some(isOf) ? ["expanded"] : []), ...(plan.configure.some(isOf) ? ["configured"] : [])];
  return steps.join(" and ") || "unchanged";
}

/** What an error says, and those that it wraps: Kafka's own words come last. */
function messages(error: unknown): string[] {
  if (error instanceof AggregateError) return [error.message, ...error.errors.flatMap(messages)];
  if (error instanceof GenericError && error.serverErrorMessage) return [String(error.serverErrorMessage)];
  return [error instanceof Error ? error.message : String(error)];
}

await runTaskProgram(main, messages);
