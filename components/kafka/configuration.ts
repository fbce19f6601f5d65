import { createHash } from "node:crypto";

/** Where clients and other brokers connect. Every broker has an address of its own, so all use Kafka's standard port. */
export const clientPort = 9092;
/** Where the controllers of the KRaft quorum listen. */
export const controllerPort = 9093;

/** Where clients outside of the target connect, if they reach the brokers under other addresses than those inside. */
export const externalPort = 9094;

/**
 * How many of the brokers, the first ones, are the KRaft controllers too unless one says otherwise. More than three
 * would only slow the quorum down, and it may never change in the life of a cluster, so a cluster of three can grow.
 */
export function defaultControllers(replicas: number): number {
  return replicas < 3 ? 1 : 3;
}

/** How many brokers keep a copy of each partition. */
export function replicationFactor(replicas: number): number {
  return Math.min(replicas, 3);
}

/** How many copies must have a record before `acks=all` is answered: all but one, so that one broker may be lost. */
export function minInSyncReplicas(replicas: number): number {
  return Math.max(replicationFactor(replicas) - 1, 1);
}

/** What a broker's server.properties is made of. */
export interface BrokerConfiguration {
  /** The addresses of all brokers; a broker's node id is its place in this list, from 0. */
  readonly brokers: readonly string[];
  /** This broker's place in `brokers`, from 0. */
  readonly index: number;
  /** How many of the brokers, the first ones, are controllers. */
  readonly controllers: number;
  /** The folder for the partitions' logs. */
  readonly data: string;
  /** `host:port` under which clients outside reach this broker's {@link externalPort}. Default: there is no such port. */
  readonly external?: string;
}

/** The text of a broker's server.properties. */
export function serverProperties({ brokers, index, controllers, data, external }: BrokerConfiguration): string {
  const address = brokers[index];
  const quorum = brokers.slice(0, controllers);
  const isController = index < quorum.length;
  const replication = replicationFactor(brokers.length);
  const inSync = minInSyncReplicas(brokers.length);
  return properties({
    "process.roles": isController ? "broker,controller" : "broker",
    "node.id": index,
    "controller.quorum.voters": quorum.map((voter, node) => `${node}@${voter}:${controllerPort}`).join(","),
    listeners: [
      `PLAINTEXT://${address}:${clientPort}`,
      ...(external === undefined ? [] : [`EXTERNAL://${address}:${externalPort}`]),
      ...(isController ? [`CONTROLLER://${address}:${controllerPort}`] : []),
    ].join(","),
    // A client is told the addresses of the listener that it came by.
    "advertised.listeners": [
      `PLAINTEXT://${address}:${clientPort}`,
      ...(external === undefined ? [] : [`EXTERNAL://${external}`]),
    ].join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${external === undefined ? "" : ",EXTERNAL:PLAINTEXT"}`,
    "log.dirs": data,
    // A topic comes from the code, with its partitions: never from a client's typing error.
    "auto.create.topics.enable": false,
    "default.replication.factor": replication,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replication,
    "transaction.state.log.replication.factor": replication,
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.replication.factor": replication,
    "share.coordinator.state.topic.min.isr": inSync,
    // Consumers need not wait for others to join their group.
    "group.initial.rebalance.delay.ms": 0,
    // The default of 128 MiB for compaction is more than a small heap has.
    "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
  });
}

/**
 * The text of the meta.properties that makes an empty folder a formatted one: what Kafka's StorageTool would write,
 * without starting a JVM. It is the same at every start, so writing it again changes nothing.
 *
 * @param cluster what no two clusters share, e.g. `project/stack/name`
 * @param index the broker's node id
 */
export function metaProperties(cluster: string, index: number): string {
  return properties({
    version: 1,
    "cluster.id": kafkaUuid(cluster),
    "node.id": index,
    "directory.id": kafkaUuid(`${cluster}/${index}`),
  });
}

/** The text of a broker's log4j2.properties: warnings and the server's own steps to standard output. */
export const log4jProperties = properties({
  "appender.stdout.type": "Console",
  "appender.stdout.name": "stdout",
  "appender.stdout.layout.type": "PatternLayout",
  "appender.stdout.layout.pattern": "%d{ISO8601} %p %m (%c{1})%n",
  "rootLogger.level": "warn",
  "rootLogger.appenderRef.stdout.ref": "stdout",
  "logger.server.name": "kafka.server.KafkaRaftServer",
  "logger.server.level": "info",
});

/** 16 bytes of the text's hash as Kafka writes a UUID: 22 characters of base64url, never beginning with `-`. */
function kafkaUuid(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  // Command lines would take a leading `-` for an option; it stands for a high first bit.
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("base64url");
}

function properties(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
