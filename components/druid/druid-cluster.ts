import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import { type Distribution, instanceName, type Placement, type Readiness, type Target } from "../target.ts";
import {
  type DruidRole,
  derbyPort,
  druidDirectMemory,
  druidFlags,
  druidPorts,
  log4j2,
  runtimeProperties,
} from "./configuration.ts";

/** The arguments of a {@link DruidCluster}. */
export interface DruidClusterArgs {
  /** Where the servers run. */
  readonly target: Target;
  /** `host:port` of the ZooKeeper servers, joined by commas. The cluster keeps to `/druid` there. */
  readonly zooKeeper: pulumi.Input<string>;
  /** Servers that take queries. Default: 1. */
  readonly brokers?: number;
  /** Servers that hold segments; each segment is on up to two of them. Default: 1. */
  readonly historicals?: number;
  /** Servers that load data, each up to three loads at once. Default: 1. */
  readonly indexers?: number;
  /**
   * The folder of the segments' first copies: one that every server of the cluster sees under this path.
   * Default: a folder in the coordinator's data, which all servers share on the local target only.
   */
  readonly deepStorage?: string;
  /** The largest heap of the coordinator (which is the overlord too), in MiB. Default: 224. */
  readonly coordinatorHeap?: number;
  /** The largest heap of a broker, in MiB. Default: 192. */
  readonly brokerHeap?: number;
  /** The largest heap of a historical, in MiB; segments are mapped files beside it. Default: 160. */
  readonly historicalHeap?: number;
  /** The largest heap of an indexer, in MiB, of which loads get a quarter for their rows. Default: 384. */
  readonly indexerHeap?: number;
}

/** The jars of Druid's servers. */
const distribution: Distribution = {
  name: "druid",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
};

/** What a JVM takes beyond its heap and direct memory, in MiB: code, classes, threads. */
const jvmOverhead = 160;

/**
 * Apache Druid: one coordinator, which is the overlord too and holds the metadata (Derby), and brokers, historicals
 * and indexers of any number. Loads are batch tasks (`index_parallel`) that read JSON over HTTP.
 *
 * ```ts
 * const druid = new DruidCluster("druid", { target, zooKeeper: zooKeeper.connectString }, { dependsOn: [zooKeeper] });
 * ```
 */
export class DruidCluster extends pulumi.ComponentResource {
  /** The SQL address: `http://host:port` of the first broker. */
  readonly brokerUrl: pulumi.Output<string>;
  /** `http://host:port` of every broker. */
  readonly brokerUrls: pulumi.Output<string[]>;
  /** Where loads are submitted and segments managed: `http://host:port` of the coordinator-overlord. */
  readonly coordinatorUrl: pulumi.Output<string>;

  constructor(name: string, args: DruidClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("lambda-architecture:index:DruidCluster", name, {}, opts);
    const sizes = checkedSizes(name, args);
    const { target } = args;
    const coordinator = target.placement({ component: name, role: "coordinator" });
    const deepStorage = args.deepStorage ?? join(coordinator.data, "deep-storage");

    const server = (role: DruidRole, index?: number): Placement => {
      const identity = { component: name, role, ...(index === undefined ? {} : { index }) };
      const placement = target.placement(identity);
      const heap = sizes[`${role}Heap`];
      const properties = pulumi.output(args.zooKeeper).apply((zooKeeper) =>
        runtimeProperties({
          role,
          address: placement.address,
          data: placement.data,
          heap,
          zooKeeper,
          metadata: coordinator,
          deepStorage,
        }),
      );
      target.service(
        instanceName(identity),
        {
          identity,
          command: javaCommand({
            java: target.java,
            heap,
            classPath: [join(target.directory(distribution), "lib", "*")],
            mainClass: "org.apache.druid.cli.Main",
            systemProperties: {
              // The files are named instead of found on the class path, so that it holds jars alone.
              "druid.properties.file": join(placement.configuration, "runtime.properties"),
              "log4j.configurationFile": join(placement.configuration, "log4j2.xml"),
              "java.util.logging.manager": "org.apache.logging.log4j.jul.LogManager",
              "java.io.tmpdir": temporaryFolder(placement),
              "user.timezone": "UTC",
              "file.encoding": "UTF-8",
              "derby.stream.error.file": join(placement.logs, "derby.log"),
            },
            flags: druidFlags(role),
            arguments: ["server", role],
          }),
          files: { "runtime.properties": { content: properties }, "log4j2.xml": { content: log4j2 } },
          prepare: ["mkdir", "-p", temporaryFolder(placement)],
          distributions: [distribution],
          ports: { http: druidPorts[role], ...(role === "coordinator" ? { metadata: derbyPort } : {}) },
          readiness: readiness(role),
          memory: heap + druidDirectMemory[role] + jvmOverhead,
          stateful: role !== "broker",
        },
        { parent: this },
      );
      return placement;
    };
    server("coordinator");
    const brokers = indexes(sizes.brokers).map((index) => server("broker", index));
    for (const index of indexes(sizes.historicals)) server("historical", index);
    for (const index of indexes(sizes.indexers)) server("indexer", index);

    const brokerUrls = brokers.map((broker) => `http://${broker.address}:${druidPorts.broker}`);
    this.brokerUrl = pulumi.output(brokerUrls[0] as string);
    this.brokerUrls = pulumi.output(brokerUrls);
    this.coordinatorUrl = pulumi.output(`http://${coordinator.address}:${druidPorts.coordinator}`);
    this.registerOutputs({
      brokerUrl: this.brokerUrl,
      brokerUrls: this.brokerUrls,
      coordinatorUrl: this.coordinatorUrl,
    });
  }
}

/** The structural arguments with their defaults, or everything that is wrong with them. */
function checkedSizes(name: string, args: DruidClusterArgs) {
  const sizes = {
    brokers: args.brokers ?? 1,
    historicals: args.historicals ?? 1,
    indexers: args.indexers ?? 1,
    coordinatorHeap: args.coordinatorHeap ?? 224,
    brokerHeap: args.brokerHeap ?? 192,
    historicalHeap: args.historicalHeap ?? 160,
    indexerHeap: args.indexerHeap ?? 384,
  };
  const errors = new InputErrors(`DruidCluster ${JSON.stringify(name)}`);
  for (const count of ["brokers", "historicals", "indexers"] as const) errors.checkWhole(sizes[count], count, 1);
  for (const heap of ["coordinatorHeap", "brokerHeap", "historicalHeap", "indexerHeap"] as const)
    errors.checkWhole(sizes[heap], heap, 128);
  errors.check(
    args.deepStorage?.startsWith("/") ?? args.target.name === "local",
    "deepStorage",
    `must be the absolute path of a folder that all servers share; it is ${args.deepStorage ?? `not set, and on ${args.target.name} no folder is shared by itself`}`,
  );
  errors.throwIfAny();
  return sizes;
}

function indexes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** The servers need a folder for temporary files of their own, and do not make it. */
function temporaryFolder(placement: Placement): string {
  return join(placement.data, "temporary");
}

/** A server is ready when it does its part: leads, sees the segments, has loaded its own, takes loads. */
function readiness(role: DruidRole): Readiness {
  const port = druidPorts[role];
  switch (role) {
    case "coordinator":
      return { kind: "http", port, path: "/druid/coordinator/v1/isLeader", expect: '"leader":true' };
    case "broker":
      return { kind: "http", port, path: "/druid/broker/v1/readiness" };
    case "historical":
      return { kind: "http", port, path: "/druid/historical/v1/readiness" };
    case "indexer":
      return { kind: "http", port, path: "/druid/worker/v1/enabled", expect: "true" };
  }
}
