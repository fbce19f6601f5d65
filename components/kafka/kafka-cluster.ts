import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { KafkaConnection } from "../../jobs/kafka/connection.ts";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import { modulePath } from "../module-path.ts";
import type { Distribution, InstanceIdentity, ServiceArgs, Target } from "../target.ts";
import {
  clientPort,
  controllerPort,
  defaultControllers,
  externalPort,
  log4jProperties,
  metaProperties,
  replicationFactor,
  serverProperties,
} from "./configuration.ts";
import type { WantedTopic } from "./topic-plan.ts";

/** Kafka's jars. */
export const kafkaDistribution: Distribution = {
  name: "kafka",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
};

/** Memory of a broker beside its heap, in MiB: class data, compiled code, threads, network buffers. */
const memoryBesideHeap = 160;

/** A topic of a {@link KafkaCluster}. */
export interface KafkaTopic {
  readonly name: string;
  /**
   * Into how many partitions it is split. May be raised later, never lowered.
   *
   * @default 1
   */
  readonly partitions?: number;
  /**
   * Hours until a record may be deleted.
   *
   * @default Kafka's: 168, a week
   */
  readonly retentionHours?: number;
  /**
   * Further settings of the topic as in Kafka's documentation, e.g. `{"compression.type": "zstd"}`. A setting that is
   * taken out goes back to the broker's default.
   *
   * @default none
   */
  readonly configuration?: Readonly<Record<string, string>>;
}

/** The arguments of a {@link KafkaCluster}. */
export interface KafkaClusterArgs {
  /**
   * How many brokers. With three or more, every partition has three copies, and one broker may be lost without losing
   * an acknowledged record. May be raised and lowered: partitions get the copies that the number allows, and leave a
   * broker before it goes.
   *
   * @default 1
   */
  readonly replicas?: number;
  /**
   * How many of the brokers, the first ones, are KRaft controllers too: an odd number, of which a majority must run.
   * It can never change while the cluster has data, so a cluster of one that is to have three brokers keeps `1`.
   *
   * @default 1, or 3 from three brokers on
   */
  readonly controllers?: number;
  /**
   * The largest heap of a broker, in MiB.
   *
   * @default 256
   */
  readonly heap?: number;
  /**
   * The CPU time that a broker is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.15
   */
  readonly cpu?: number;
  /**
   * The topics to create, or to bring up to date. A topic that is taken out of the list stays in the cluster.
   *
   * @default none
   */
  readonly topics?: readonly KafkaTopic[];
}

/**
 * Apache Kafka in KRaft mode: the log that takes events in, with its topics.
 *
 * ```ts
 * const kafka = new KafkaCluster("kafka", { target, topics: [{ name: "edits", partitions: 2, retentionHours: 24 }] });
 * export const bootstrapServers = kafka.bootstrapServers;
 * ```
 */
export class KafkaCluster extends pulumi.ComponentResource {
  /** `host:port` of every broker. */
  readonly bootstrapServers: pulumi.Output<string[]>;
  /** `host:port` of every broker for clients outside of the target, see `Target.published`. */
  readonly publishedBootstrapServers: pulumi.Output<string[]>;
  /** How clients reach the brokers: their addresses and, where the target wants it, as whom. */
  readonly connection: pulumi.Output<KafkaConnection>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: KafkaClusterArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, replicas = 1, controllers = defaultControllers(replicas) } = args;
    const { heap = 256, cpu = 0.15, topics = [] } = args;
    checkArgs(name, replicas, controllers, heap, cpu, topics);
    const isManaged = target.managed?.kafka !== undefined;
    const { target: _, ...given } = args;
    const inputs = isManaged ? given : { replicas, controllers, heap, cpu, topics };
    super("lambda-architecture:index:KafkaCluster", name, inputs, opts);

    const cluster = isManaged
      ? managedBrokers(this, name, args)
      : ownBrokers(this, name, target, replicas, controllers, heap, cpu);
    const { connection } = cluster;
    // The task also places the copies of internal topics; a managed cluster does that by itself.
    if (topics.length > 0 || !isManaged)
      createTopics(this, name, target, cluster, topics, isManaged ? undefined : replicas);

    this.connection = connection;
    this.bootstrapServers = connection.apply(({ bootstrapServers }) => [...bootstrapServers]);
    this.publishedBootstrapServers = this.bootstrapServers.apply((servers) =>
      servers.map((server, index) => (isManaged ? undefined : external(target, identity(name, index))) ?? server),
    );
    this.registerOutputs({
      bootstrapServers: this.bootstrapServers,
      publishedBootstrapServers: this.publishedBootstrapServers,
    });
  }
}

/** How to reach the brokers, and what to depend on. */
interface Brokers {
  readonly connection: pulumi.Output<KafkaConnection>;
  readonly brokers: pulumi.Resource[];
}

function ownBrokers(
  parent: pulumi.Resource,
  name: string,
  target: Target,
  replicas: number,
  controllers: number,
  heap: number,
  cpu: number,
): Brokers {
  const addresses = Array.from({ length: replicas }, (_, index) => target.placement(identity(name, index)).address);
  const bootstrapServers = addresses.map((address) => `${address}:${clientPort}`);
  const brokers = target.services(
    { replicas: addresses.map((_, index) => broker(name, target, addresses, index, controllers, heap, cpu)) },
    { parent },
  );
  return { connection: pulumi.output({ bootstrapServers }), brokers };
}

function managedBrokers(
  parent: pulumi.Resource,
  name: string,
  { target, replicas, heap, cpu }: KafkaClusterArgs & { target: Target },
): Brokers {
  const args = {
    ...(replicas !== undefined && { replicas }),
    ...(heap !== undefined && { heap }),
    ...(cpu !== undefined && { cpu }),
  };
  const made = target.managed?.kafka?.(name, args, { parent });
  if (made === undefined) throw new Error(`the target ${target.name} makes no Kafka clusters`);
  return { connection: made.connection, brokers: [made.resource] };
}

function checkArgs(
  name: string,
  replicas: number,
  controllers: number,
  heap: number,
  cpu: number,
  topics: readonly KafkaTopic[],
): void {
  const errors = new InputErrors(`KafkaCluster ${JSON.stringify(name)}`);
  errors.checkWhole(replicas, "replicas", 1);
  errors.checkWhole(controllers, "controllers", 1, Math.max(replicas, 1));
  errors.check(controllers % 2 !== 0, "controllers", `must be odd, so that there is a majority; it is ${controllers}`);
  errors.checkWhole(heap, "heap", 128);
  errors.checkCpu(cpu, "cpu");
  topics.forEach(({ name: topic, partitions = 1, retentionHours, configuration = {} }, index) => {
    const path = `topics[${index}]`;
    errors.check(
      /^[a-zA-Z0-9._-]{1,249}$/.test(topic) && !/^\.{1,2}$/.test(topic),
      `${path}.name`,
      `must be 1 to 249 letters, digits, dots, underscores and hyphens; it is ${JSON.stringify(topic)}`,
    );
    errors.check(
      topics.findIndex((other) => other.name === topic) === index,
      `${path}.name`,
      `must be unique; ${JSON.stringify(topic)} is there twice`,
    );
    errors.checkWhole(partitions, `${path}.partitions`, 1);
    if (retentionHours === undefined) return;
    errors.checkWhole(retentionHours, `${path}.retentionHours`, 1);
    errors.check(
      !("retention.ms" in configuration),
      `${path}.configuration`,
      "must not have retention.ms beside retentionHours; leave one of them out",
    );
  });
  errors.throwIfAny();
}

function identity(component: string, index: number): InstanceIdentity {
  return { component, role: "broker", index };
}

/** Where clients outside reach the broker; undefined if they reach it at its own address. */
function external(target: Target, broker: InstanceIdentity): string | undefined {
  const published = target.published(broker, externalPort);
  return published === `${target.placement(broker).address}:${externalPort}` ? undefined : published;
}

function broker(
  component: string,
  target: Target,
  brokers: readonly string[],
  index: number,
  controllers: number,
  heap: number,
  cpu: number,
): ServiceArgs {
  const placement = target.placement(identity(component, index));
  const isController = index < controllers;
  const outside = external(target, identity(component, index));
  const cluster = `${pulumi.getProject()}/${pulumi.getStack()}/${component}`;
  return {
    identity: identity(component, index),
    command: javaCommand({
      java: target.java,
      heap,
      temporary: placement.temporary,
      classPath: [`${target.directory(kafkaDistribution)}/lib/*`],
      mainClass: "kafka.Kafka",
      systemProperties: { "log4j2.configurationFile": `${placement.configuration}/log4j2.properties` },
      flags: ["-XX:+ExitOnOutOfMemoryError"],
      arguments: [`${placement.configuration}/server.properties`],
    }),
    files: {
      "server.properties": {
        content: serverProperties({
          brokers,
          index,
          controllers,
          data: placement.data,
          ...(outside !== undefined && { external: outside }),
        }),
      },
      "meta.properties": { content: metaProperties(cluster, index) },
      "log4j2.properties": { content: log4jProperties },
    },
    prepare: ["cp", `${placement.configuration}/meta.properties`, `${placement.data}/meta.properties`],
    distributions: [kafkaDistribution],
    ports: {
      client: clientPort,
      ...(isController ? { controller: controllerPort } : {}),
      ...(outside === undefined ? {} : { external: externalPort }),
    },
    clientPorts: ["client"],
    ...(outside === undefined ? {} : { publishes: ["external"] }),
    readiness: { kind: "tcp", port: clientPort },
    memory: heap + memoryBesideHeap,
    cpu,
    stateful: true,
    permanent: { controllers },
  };
}

/** @param replicas how many brokers the copies of partitions are put on; undefined: the cluster does that by itself */
function createTopics(
  parent: pulumi.Resource,
  component: string,
  target: Target,
  { connection, brokers }: Brokers,
  topics: readonly KafkaTopic[],
  replicas: number | undefined,
): pulumi.Resource {
  const identity: InstanceIdentity = { component, role: "topics" };
  const program = target.program(modulePath("./topics.ts", import.meta.url));
  const { configuration } = target.placement(identity);
  const command = [
    ...[target.node, program],
    ...["--connection", `${configuration}/connection.json`],
    ...(replicas === undefined
      ? []
      : ["--brokers", String(replicas), "--replication-factor", String(replicationFactor(replicas))]),
    ...["--topics", `${configuration}/topics.json`],
  ];
  return target.task(
    {
      identity,
      access: { topics: topics.map(({ name }) => ({ name, operations: ["manage"] })) },
      command,
      checkCommand: [...command, "--check"],
      files: {
        "connection.json": { content: connection.apply((known) => JSON.stringify(known, undefined, 2)) },
        "topics.json": { content: JSON.stringify(topics.map(wantedTopic), undefined, 2) },
      },
      // A broker that goes or comes has all its partitions copied before.
      timeout: 3600,
    },
    { parent, dependsOn: brokers },
  );
}

/** The topic as the topics task takes it. */
function wantedTopic({ name, partitions = 1, retentionHours, configuration = {} }: KafkaTopic): WantedTopic {
  if (retentionHours === undefined) return { name, partitions, configuration };
  return { name, partitions, configuration: { "retention.ms": String(retentionHours * 3_600_000), ...configuration } };
}
