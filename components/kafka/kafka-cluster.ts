import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
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

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: KafkaClusterArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, replicas = 1, controllers = defaultControllers(replicas), heap = 256, topics = [] } = args;
    checkArgs(name, replicas, controllers, heap, topics);
    super("lambda-architecture:index:KafkaCluster", name, { replicas, controllers, heap, topics }, opts);

    const addresses = Array.from({ length: replicas }, (_, index) => target.placement(identity(name, index)).address);
    const bootstrapServers = addresses.map((address) => `${address}:${clientPort}`);
    const brokers = target.services(
      { replicas: addresses.map((_, index) => broker(name, target, addresses, index, controllers, heap)) },
      { parent: this },
    );
    createTopics(this, name, target, bootstrapServers, topics, brokers);

    this.bootstrapServers = pulumi.output(bootstrapServers);
    this.publishedBootstrapServers = pulumi.output(
      addresses.map((_, index) => external(target, identity(name, index)) ?? (bootstrapServers[index] as string)),
    );
    this.registerOutputs({
      bootstrapServers: this.bootstrapServers,
      publishedBootstrapServers: this.publishedBootstrapServers,
    });
  }
}

function checkArgs(
  name: string,
  replicas: number,
  controllers: number,
  heap: number,
  topics: readonly KafkaTopic[],
): void {
  const errors = new InputErrors(`KafkaCluster ${JSON.stringify(name)}`);
  errors.checkWhole(replicas, "replicas", 1);
  errors.checkWhole(controllers, "controllers", 1, Math.max(replicas, 1));
  errors.check(controllers % 2 !== 0, "controllers", `must be odd, so that there is a majority; it is ${controllers}`);
  errors.checkWhole(heap, "heap", 128);
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
    stateful: true,
    permanent: { controllers },
  };
}

function createTopics(
  parent: pulumi.Resource,
  component: string,
  target: Target,
  bootstrapServers: readonly string[],
  topics: readonly KafkaTopic[],
  brokers: pulumi.Resource[],
): pulumi.Resource {
  const identity: InstanceIdentity = { component, role: "topics" };
  const program = target.program(modulePath("./topics.ts", import.meta.url));
  const file = `${target.placement(identity).configuration}/topics.json`;
  const replicas = bootstrapServers.length;
  const command = [
    ...[target.node, program],
    ...["--bootstrap-servers", bootstrapServers.join(",")],
    ...["--brokers", String(replicas)],
    ...["--replication-factor", String(replicationFactor(replicas))],
    ...["--topics", file],
  ];
  return target.task(
    {
      identity,
      command,
      checkCommand: [...command, "--check"],
      files: { "topics.json": { content: JSON.stringify(topics.map(wantedTopic), undefined, 2) } },
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
