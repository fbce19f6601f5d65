/**
 * Makes a cluster's topics what they shall be: creates, adds partitions, changes settings. Running it again changes
 * nothing. Exit code 1 with one line a reason if it cannot.
 *
 * `topics.ts --connection FILE --topics FILE`: JSON as of `kafkaConnectionSchema` and of `wantedTopicsSchema`.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  Admin,
  ConfigResourceTypes,
  ConfigSources,
  GenericError,
  IncrementalAlterConfigOperationTypes,
  MultipleErrors,
} from "@platformatic/kafka";
import { connectionOptions, type KafkaConnection, kafkaConnectionSchema } from "../../jobs/kafka/connection.ts";
import { type ExistingTopic, planTopics, type TopicPlan, wantedTopicsSchema } from "./topic-plan.ts";

/** Milliseconds that brokers have to register with the controller after they listen. */
const registrationTimeout = 30_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { connection: { type: "string" }, topics: { type: "string" } } });
  if (!values.connection || !values.topics) throw new Error("--connection FILE and --topics FILE are needed");
  const connection = kafkaConnectionSchema.parse(JSON.parse(readFileSync(values.connection, "utf8")));
  const wanted = wantedTopicsSchema.parse(JSON.parse(readFileSync(values.topics, "utf8")));
  const names = wanted.map(({ name }) => name);
  await using admin = openAdmin(connection);

  const plan = planTopics(wanted, await existingTopics(admin, names));
  if (plan.refused.length > 0) throw new Error(plan.refused.join("\n"));
  await execute(admin, plan);
  // Returns once every partition has a leader, so that who comes next can write at once.
  await admin.metadata({ topics: names, forceUpdate: true });
  for (const { name, partitions } of wanted)
    console.log(`topic ${name}: ${partitions} partitions, ${stepOf(plan, name)}`);
}

function openAdmin(connection: KafkaConnection): Admin & AsyncDisposable {
  const admin = new Admin({
    clientId: "lambda-architecture-topics",
    bootstrapBrokers: [...connection.bootstrapServers],
    ...connectionOptions(connection),
    retries: 20,
    retryDelay: 500,
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

try {
  await main();
} catch (error) {
  console.error([...new Set(messages(error))].join("\n"));
  process.exitCode = 1;
}
