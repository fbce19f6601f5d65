import { fileURLToPath, pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { bindAgent, bindAgentFlag } from "../bind-agent/index.ts";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import { modulePath } from "../module-path.ts";
import type { Distribution, InstanceIdentity, ServiceArgs, Target } from "../target.ts";
import {
  cassandraYaml,
  clientPort,
  jvmOptions,
  logbackXml,
  managementAccess,
  managementPort,
  managementProperties,
  prepareCommand,
  rackProperties,
  storagePort,
  waiting,
} from "./configuration.ts";
import type { WantedCopies, WantedKeyspace } from "./schema-plan.ts";

/** Cassandra's jars. */
export const cassandraDistribution: Distribution = {
  name: "cassandra",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
};

/** Memory of a node beside its heap and direct buffers, in MiB: class data, compiled code, threads, tables' indexes. */
const memoryBesideHeap = 300;

/** A keyspace of a {@link CassandraCluster}. */
export interface CassandraKeyspace {
  /** A lower-case letter, then up to 47 of lower-case letters, digits and underscores. */
  readonly name: string;
  /**
   * How many nodes keep a copy of each row. May be raised and lowered: rows that are there get their further copies by
   * Cassandra's repair, one copy at a time, so that who reads and writes at `LOCAL_QUORUM` misses none meanwhile. Where
   * the target's tasks cannot reach the nodes' data folders (all targets but the local one), a change is an error.
   *
   * @default 3, or all nodes if there are fewer
   */
  readonly replicationFactor?: number;
  /**
   * The CQL that creates its tables, without the keyspace: each one statement `CREATE … IF NOT EXISTS …`, or
   * `ALTER TABLE … ADD IF NOT EXISTS …` after it, run in this order. What exists under the name stays as it is, and so
   * does a table that is taken out of the list.
   *
   * @default none
   */
  readonly tables?: readonly string[];
}

/** The arguments of a {@link CassandraCluster}. */
export interface CassandraClusterArgs {
  /**
   * How many nodes. May be raised and lowered: they join one after the other, and hand their rows to the others, one
   * after the other, before they go. Where the target's tasks cannot reach the nodes' data folders (all targets but the
   * local one), fewer is an error.
   *
   * @default 1
   */
  readonly replicas?: number;
  /**
   * The largest heap of a node, in MiB. Direct buffers take up to half as much again.
   *
   * @default 256
   */
  readonly heap?: number;
  /**
   * The CPU time that a node is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.25
   */
  readonly cpu?: number;
  /**
   * The name of the data center that the nodes are in, which clients ask for as `localDataCenter`.
   *
   * @default "datacenter1"
   */
  readonly dataCenter?: string;
  /**
   * The keyspaces to create, or to bring up to date. A keyspace that is taken out of the list stays in the cluster.
   *
   * @default none
   */
  readonly keyspaces?: readonly CassandraKeyspace[];
}

/**
 * Apache Cassandra: the store of rows that are written often and read by key, with its keyspaces and tables.
 *
 * ```ts
 * const cassandra = new CassandraCluster("cassandra", {
 *   target,
 *   keyspaces: [{ name: "views", tables: ["CREATE TABLE IF NOT EXISTS total (key text PRIMARY KEY, edits bigint)"] }],
 * });
 * export const contactPoints = cassandra.contactPoints;
 * ```
 */
export class CassandraCluster extends pulumi.ComponentResource {
  /** `host:port` of every node. */
  readonly contactPoints: pulumi.Output<string[]>;
  /** The name of the nodes' data center, which every client must be told. */
  readonly localDataCenter: pulumi.Output<string>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: CassandraClusterArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, replicas = 1, heap = 256, cpu = 0.25, dataCenter = "datacenter1", keyspaces = [] } = args;
    checkArgs(name, replicas, heap, cpu, dataCenter, keyspaces);
    super("lambda-architecture:index:CassandraCluster", name, { replicas, heap, cpu, dataCenter, keyspaces }, opts);

    const addresses = Array.from({ length: replicas }, (_, index) => target.placement(identity(name, index)).address);
    const contactPoints = addresses.map((address) => `${address}:${clientPort}`);
    const nodes = target.services(
      {
        replicas: addresses.map((_, index) => node(name, target, addresses, index, heap, cpu, dataCenter)),
        // Two nodes that join at once would be refused.
        ordered: true,
      },
      { parent: this },
    );
    const wanted = keyspaces.map(
      ({ name, replicationFactor = Math.min(replicas, 3), tables = [] }): WantedKeyspace => ({
        name,
        replicationFactor,
        tables: [...tables],
      }),
    );
    const schema =
      keyspaces.length > 0 ? [createSchema(this, name, target, contactPoints, dataCenter, wanted, nodes)] : [];
    createMembership(this, name, target, contactPoints, dataCenter, wanted, [...nodes, ...schema]);

    this.contactPoints = pulumi.output(contactPoints);
    this.localDataCenter = pulumi.output(dataCenter);
    this.registerOutputs({ contactPoints: this.contactPoints, localDataCenter: this.localDataCenter });
  }
}

function checkArgs(
  name: string,
  replicas: number,
  heap: number,
  cpu: number,
  dataCenter: string,
  keyspaces: readonly CassandraKeyspace[],
): void {
  const errors = new InputErrors(`CassandraCluster ${JSON.stringify(name)}`);
  errors.checkWhole(replicas, "replicas", 1);
  errors.checkWhole(heap, "heap", 192);
  errors.checkCpu(cpu, "cpu");
  errors.check(
    /^[A-Za-z0-9_-]+$/.test(dataCenter),
    "dataCenter",
    `must be letters, digits, underscores and hyphens; it is ${JSON.stringify(dataCenter)}`,
  );
  keyspaces.forEach(({ name: keyspace, replicationFactor = 1, tables = [] }, index) => {
    const path = `keyspaces[${index}]`;
    errors.check(
      /^[a-z][a-z0-9_]{0,47}$/.test(keyspace),
      `${path}.name`,
      "must be a lower-case letter and up to 47 lower-case letters, digits and underscores; " +
        `it is ${JSON.stringify(keyspace)}`,
    );
    errors.check(
      keyspaces.findIndex((other) => other.name === keyspace) === index,
      `${path}.name`,
      `must be unique; ${JSON.stringify(keyspace)} is there twice`,
    );
    errors.checkWhole(replicationFactor, `${path}.replicationFactor`, 1, replicas);
    tables.forEach((table, place) => {
      errors.check(
        /^\s*(CREATE|ALTER\s+TABLE\s+\w+\s+ADD)\b[^;]*\sIF\s+NOT\s+EXISTS\s[^;]*;?\s*$/i.test(table),
        `${path}.tables[${place}]`,
        `must be one statement CREATE … IF NOT EXISTS … or ALTER TABLE … ADD IF NOT EXISTS …, so that it can run again; it is ${JSON.stringify(table)}`,
      );
    });
  });
  errors.throwIfAny();
}

function identity(component: string, index: number): InstanceIdentity {
  return { component, role: "node", index };
}

function node(
  component: string,
  target: Target,
  nodes: readonly string[],
  index: number,
  heap: number,
  cpu: number,
  dataCenter: string,
): ServiceArgs {
  const { address, configuration, data, logs, temporary } = target.placement(identity(component, index));
  const directMemory = Math.ceil(heap / 2);
  return {
    identity: identity(component, index),
    command: javaCommand({
      java: target.java,
      heap,
      temporary,
      classPath: [`${target.directory(cassandraDistribution)}/lib/*`],
      mainClass: "org.apache.cassandra.service.CassandraDaemon",
      systemProperties: {
        "cassandra.config": pathToFileURL(`${configuration}/cassandra.yaml`).href,
        "cassandra-rackdc.properties": pathToFileURL(`${configuration}/cassandra-rackdc.properties`).href,
        "logback.configurationFile": pathToFileURL(`${configuration}/logback.xml`).href,
        "cassandra.storagedir": data,
        "cassandra.logdir": logs,
        // Otherwise Cassandra closes its standard output.
        "cassandra-foreground": "yes",
        ...waiting(nodes.length),
        "io.netty.tryReflectionSetAccessible": true,
        ...managementProperties(data, address, configuration),
      },
      flags: [
        // Cassandra binds everything to its address but the port of its management.
        bindAgentFlag(target, address),
        `-XX:MaxDirectMemorySize=${directMemory}m`,
        "-Xss256k",
        "-XX:+ExitOnOutOfMemoryError",
        `@${configuration}/jvm17-server.options`,
      ],
    }),
    files: {
      "cassandra.yaml": { content: cassandraYaml({ cluster: component, nodes, index, data }) },
      "cassandra-rackdc.properties": { content: rackProperties(dataCenter) },
      "logback.xml": { content: logbackXml },
      "jvm17-server.options": { content: jvmOptions },
      "jmxremote.access": { content: managementAccess },
    },
    prepare: prepareCommand(data, address),
    distributions: [cassandraDistribution, bindAgent],
    ports: { client: clientPort, storage: storagePort, management: managementPort },
    clientPorts: ["client"],
    // The last thing that a node opens.
    readiness: { kind: "tcp", port: clientPort },
    readinessTimeout: 180,
    memory: heap + directMemory + memoryBesideHeap,
    cpu,
    stateful: true,
    stopGrace: 20,
  };
}

function createSchema(
  parent: pulumi.Resource,
  component: string,
  target: Target,
  contactPoints: readonly string[],
  dataCenter: string,
  keyspaces: readonly WantedKeyspace[],
  nodes: pulumi.Resource[],
): pulumi.Resource {
  const identity: InstanceIdentity = { component, role: "schema" };
  const program = target.program(modulePath("./schema.ts", import.meta.url));
  const file = `${target.placement(identity).configuration}/keyspaces.json`;
  const command = [
    ...[target.node, program],
    ...["--contact-points", contactPoints.join(",")],
    ...["--local-data-center", dataCenter],
    ...["--keyspaces", file],
  ];
  return target.task(
    {
      identity,
      command,
      checkCommand: [...command, "--check"],
      files: { "keyspaces.json": { content: JSON.stringify(keyspaces, undefined, 2) } },
    },
    { parent, dependsOn: nodes },
  );
}

/** Who comes next finds every row with its copies; nodes that are to go, go after that. */
function createMembership(
  parent: pulumi.Resource,
  component: string,
  target: Target,
  contactPoints: readonly string[],
  dataCenter: string,
  keyspaces: readonly WantedKeyspace[],
  dependsOn: pulumi.Resource[],
): pulumi.Resource {
  const membership: InstanceIdentity = { component, role: "membership" };
  const { configuration, data } = target.placement(membership);
  const copies = keyspaces.map(({ name, replicationFactor }): WantedCopies => ({ name, replicationFactor }));
  const command = [
    target.node,
    target.program(modulePath("./membership.ts", import.meta.url)),
    `--contact-points=${contactPoints.join(",")}`,
    `--local-data-center=${dataCenter}`,
    `--keyspaces=${configuration}/keyspaces.json`,
    `--node-data=${target.placement(identity(component, 0)).data}`,
    `--state=${data}`,
    `--java=${target.java}`,
    `--class-path=${target.directory(cassandraDistribution)}/lib/*`,
  ];
  return target.task(
    {
      identity: membership,
      command,
      checkCommand: [...command, "--check"],
      files: {
        "keyspaces.json": { content: JSON.stringify(copies, undefined, 2) },
        "jvm17-server.options": { content: jvmOptions },
        "logback.xml": { content: logbackXml },
      },
      distributions: [cassandraDistribution],
      // All rows are copied before it is done.
      timeout: 3600,
    },
    { parent, dependsOn },
  );
}
