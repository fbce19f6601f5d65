import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { clientSite, coreSite } from "../hdfs/configuration.ts";
import type { HdfsStorage } from "../hdfs/index.ts";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import { modulePath } from "../module-path.ts";
import { type S3Access, type S3Storage, s3aDistribution, s3Environment } from "../s3/index.ts";
import type {
  DataAccess,
  Distribution,
  InstanceIdentity,
  Placement,
  Readiness,
  ServiceArgs,
  Target,
} from "../target.ts";
import {
  type DeepStorage,
  type DruidRole,
  derbyPort,
  druidDirectMemory,
  druidFlags,
  druidPorts,
  log4j2,
  runtimeProperties,
} from "./configuration.ts";

/** Druid's jars: its servers without extensions, since loading JSON over HTTP needs none. */
export const druidDistribution: Distribution = {
  name: "druid",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
};

/** The extension with which segments are kept in a file system of Hadoop's: HDFS, or S3 with `s3aDistribution`. */
export const druidHdfsDistribution: Distribution = {
  name: "druid-hdfs",
  parts: { lib: fileURLToPath(new URL("./hdfs-distribution", import.meta.url)) },
};

/** Memory of a server beside its heap and direct buffers, in MiB: class data, compiled code, threads. */
const memoryBesideHeap = 120;

/** HDFS, as far as Druid has to know it. */
export type HdfsDeepStorage = Pick<HdfsStorage, "fileSystem" | "superuser" | "replication">;

/** A bucket of S3, likewise. */
export type S3DeepStorage = Pick<S3Storage, "fileSystem" | keyof S3Access>;

/** The arguments of a {@link DruidCluster}. */
export interface DruidClusterArgs {
  /** `host:port` of the ZooKeeper servers, joined by commas. Druid keeps to the path `/druid` there. */
  readonly zooKeeper: pulumi.Input<string>;
  /**
   * How many servers take queries.
   *
   * @default 1
   */
  readonly brokers?: number;
  /**
   * How many servers hold segments. With more than one, each segment is on two of them, by the cluster's default rule;
   * rules of a datasource's own are left as they are. May be raised and lowered: one gives its segments to the others
   * before it goes, so that queries miss none.
   *
   * @default 1
   */
  readonly historicals?: number;
  /**
   * How many servers load data, each up to three loads at once.
   *
   * @default 1
   */
  readonly indexers?: number;
  /**
   * Where the segments' first copies are: in HDFS or a bucket of S3, in its folder `druid`, or in a folder, an absolute
   * path, that all servers share.
   *
   * @default a folder in the coordinator's data, which servers share on the local target only
   */
  readonly deepStorage?: string | HdfsDeepStorage | S3DeepStorage;
  /**
   * The largest heap of the coordinator, which is the overlord too, in MiB.
   *
   * @default 224
   */
  readonly coordinatorHeap?: number;
  /**
   * The CPU time that the coordinator is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.1
   */
  readonly coordinatorCpu?: number;
  /**
   * The largest heap of a broker, in MiB. It merges the rows of an answer.
   *
   * @default 192
   */
  readonly brokerHeap?: number;
  /**
   * The CPU time that a broker is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.1
   */
  readonly brokerCpu?: number;
  /**
   * The largest heap of a historical, in MiB. Segments are mapped files beside it.
   *
   * @default 160
   */
  readonly historicalHeap?: number;
  /**
   * The CPU time that a historical is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.1
   */
  readonly historicalCpu?: number;
  /**
   * The largest heap of an indexer, in MiB. Loads get a quarter of it for their rows.
   *
   * @default 384
   */
  readonly indexerHeap?: number;
  /**
   * The CPU time that an indexer is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.15
   */
  readonly indexerCpu?: number;
}

type Sizes = Required<Omit<DruidClusterArgs, "zooKeeper" | "deepStorage">>;

/**
 * Apache Druid: the store of batch views. Brokers, historicals and indexers in any number, and one coordinator, which
 * is the overlord too and keeps the metadata (in Derby): while it is away queries go on, loads wait.
 *
 * ```ts
 * const druid = new DruidCluster("druid", { target, zooKeeper: zooKeeper.connectString }, { dependsOn: [zooKeeper] });
 * export const sqlUrl = pulumi.interpolate`${druid.brokerUrl}/druid/v2/sql`;
 * ```
 */
export class DruidCluster extends pulumi.ComponentResource {
  /** Where queries go: `http://host:port` of the first broker. */
  readonly brokerUrl: pulumi.Output<string>;
  /** `http://host:port` of every broker. */
  readonly brokerUrls: pulumi.Output<string[]>;
  /** Where loads are submitted and segments managed: `http://host:port` of the coordinator-overlord. */
  readonly coordinatorUrl: pulumi.Output<string>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: DruidClusterArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, zooKeeper, deepStorage, ...given } = args;
    const sizes = checkArgs(name, given, target, deepStorage);
    const storage = deepStorage === undefined ? {} : { deepStorage: describe(deepStorage) };
    super("lambda-architecture:index:DruidCluster", name, { zooKeeper, ...storage, ...sizes }, opts);

    const coordinator = target.placement(identity(name, "coordinator"));
    const cluster: Cluster = {
      component: name,
      target,
      zooKeeper,
      metadata: coordinator,
      deepStorage: deepStorage ?? join(coordinator.data, "deep-storage"),
    };
    const brokers = identities(name, "broker", sizes.brokers);
    const createServers = (role: DruidRole, replicas: readonly InstanceIdentity[]) => {
      const [heap, cpu] = [sizes[`${role}Heap` as const], sizes[`${role}Cpu` as const]];
      return target.services(
        { replicas: replicas.map((each) => server(cluster, each, role, heap, cpu)) },
        { parent: this },
      );
    };
    const historicals = identities(name, "historical", sizes.historicals);
    const coordinators = createServers("coordinator", [identity(name, "coordinator")]);
    createServers("broker", brokers);
    const holders = createServers("historical", historicals);
    createServers("indexer", identities(name, "indexer", sizes.indexers));

    const coordinatorUrl = `http://${coordinator.address}:${druidPorts.coordinator}`;
    const hosts = historicals.map((each) => `${target.placement(each).address}:${druidPorts.historical}`);
    createMembership(this, name, target, coordinatorUrl, hosts, [...coordinators, ...holders]);

    const brokerUrls = brokers.map((broker) => `http://${target.placement(broker).address}:${druidPorts.broker}`);
    this.brokerUrl = pulumi.output(brokerUrls[0] as string);
    this.brokerUrls = pulumi.output(brokerUrls);
    this.coordinatorUrl = pulumi.output(coordinatorUrl);
    this.registerOutputs({
      brokerUrl: this.brokerUrl,
      brokerUrls: this.brokerUrls,
      coordinatorUrl: this.coordinatorUrl,
    });
  }
}

/** The arguments with their defaults. */
function checkArgs(
  name: string,
  given: Partial<Sizes>,
  target: Target,
  deepStorage: DruidClusterArgs["deepStorage"],
): Sizes {
  const sizes: Sizes = {
    brokers: given.brokers ?? 1,
    historicals: given.historicals ?? 1,
    indexers: given.indexers ?? 1,
    coordinatorHeap: given.coordinatorHeap ?? 224,
    coordinatorCpu: given.coordinatorCpu ?? 0.1,
    brokerHeap: given.brokerHeap ?? 192,
    brokerCpu: given.brokerCpu ?? 0.1,
    historicalHeap: given.historicalHeap ?? 160,
    historicalCpu: given.historicalCpu ?? 0.1,
    indexerHeap: given.indexerHeap ?? 384,
    indexerCpu: given.indexerCpu ?? 0.15,
  };
  const errors = new InputErrors(`DruidCluster ${JSON.stringify(name)}`);
  for (const count of ["brokers", "historicals", "indexers"] as const) errors.checkWhole(sizes[count], count, 1);
  for (const heap of ["coordinatorHeap", "brokerHeap", "historicalHeap", "indexerHeap"] as const)
    errors.checkWhole(sizes[heap], heap, 128);
  for (const cpu of ["coordinatorCpu", "brokerCpu", "historicalCpu", "indexerCpu"] as const)
    errors.checkCpu(sizes[cpu], cpu);
  errors.check(
    deepStorage === undefined
      ? target.name === "local"
      : typeof deepStorage !== "string" || deepStorage.startsWith("/"),
    "deepStorage",
    deepStorage === undefined
      ? `must be set: on the target ${target.name} servers share no folder by themselves`
      : `must be an absolute path; it is ${JSON.stringify(deepStorage)}`,
  );
  errors.throwIfAny();
  return sizes;
}

function identity(component: string, role: DruidRole): InstanceIdentity {
  return { component, role };
}

function identities(component: string, role: DruidRole, replicas: number): InstanceIdentity[] {
  return Array.from({ length: replicas }, (_, index) => ({ component, role, index }));
}

/** What the servers of a cluster have in common. */
interface Cluster {
  readonly component: string;
  readonly target: Target;
  readonly zooKeeper: pulumi.Input<string>;
  readonly metadata: Placement;
  readonly deepStorage: NonNullable<DruidClusterArgs["deepStorage"]>;
}

/** Where the cluster keeps its segments, as its servers are told. */
function describe(storage: NonNullable<DruidClusterArgs["deepStorage"]>): pulumi.Output<DeepStorage> {
  if (typeof storage === "string") return pulumi.output({ kind: "folder", folder: storage });
  return storage.fileSystem.apply((fileSystem): DeepStorage => ({ kind: "hdfs", uri: `${fileSystem}/druid` }));
}

/** What a server has on top to keep segments in HDFS or S3: Hadoop's client, and whom and what it asks for. */
function hadoopClient(
  storage: NonNullable<DruidClusterArgs["deepStorage"]>,
  target: Target,
  placement: Placement,
  role: DruidRole,
): Required<Pick<ServiceArgs, "environment" | "files" | "distributions">> &
  Pick<ServiceArgs, "access"> & { readonly classPath: string[] } {
  if (typeof storage === "string") return { classPath: [], environment: {}, files: {}, distributions: [] };
  const inBucket = "hadoopProperties" in storage;
  const distributions = [druidHdfsDistribution, ...(inBucket ? [s3aDistribution] : [])];
  const classPath = [placement.configuration, ...distributions.map((each) => `${target.directory(each)}/lib/*`)];
  if (inBucket) {
    const access = bucketAccess(role);
    return {
      ...{ classPath, distributions },
      ...(access && { access }),
      environment: s3Environment(storage, placement),
      files: {
        "core-site.xml": {
          content: pulumi.all([storage.fileSystem, storage.hadoopProperties]).apply((known) => coreSite(...known)),
        },
        ...storage.credentialFiles,
      },
    };
  }
  return {
    ...{ classPath, distributions },
    environment: { HADOOP_USER_NAME: storage.superuser },
    files: {
      "core-site.xml": { content: storage.fileSystem.apply(coreSite) },
      "hdfs-site.xml": { content: storage.replication.apply(clientSite) },
    },
  };
}

/**
 * What a server does with the bucket: indexers write, and delete what is not wanted any more, historicals read, and the
 * coordinator shows the logs of loads. Hadoop looks for what may not be there, so they may list. Brokers do nothing.
 */
export function bucketAccess(role: DruidRole): DataAccess | undefined {
  const listing = { path: "/", operations: ["list"] } as const;
  switch (role) {
    case "indexer":
      return { folders: [listing, { path: "/druid", operations: ["list", "read", "write", "delete"] }] };
    case "historical":
      return { folders: [listing, { path: "/druid/segments", operations: ["read"] }] };
    case "coordinator":
      return { folders: [listing, { path: "/druid/task-logs", operations: ["read"] }] };
    case "broker":
      return undefined;
  }
}

function server(
  { target, zooKeeper, metadata, deepStorage }: Cluster,
  identity: InstanceIdentity,
  role: DruidRole,
  heap: number,
  cpu: number,
): ServiceArgs {
  const placement = target.placement(identity);
  const { address, configuration, data } = placement;
  const hadoop = hadoopClient(deepStorage, target, placement, role);
  const properties = pulumi
    .all([zooKeeper, describe(deepStorage)])
    .apply(([servers, storage]) =>
      runtimeProperties({ role, address, data, heap, zooKeeper: servers, metadata, deepStorage: storage }),
    );
  return {
    identity,
    ...(hadoop.access && { access: hadoop.access }),
    command: javaCommand({
      java: target.java,
      heap,
      temporary: placement.temporary,
      classPath: [`${target.directory(druidDistribution)}/lib/*`, ...hadoop.classPath],
      mainClass: "org.apache.druid.cli.Main",
      systemProperties: {
        // The files are named instead of found on the class path, so that it holds jars alone.
        "druid.properties.file": `${configuration}/runtime.properties`,
        "log4j.configurationFile": `${configuration}/log4j2.xml`,
        "java.util.logging.manager": "org.apache.logging.log4j.jul.LogManager",
        "derby.stream.error.file": `${placement.logs}/derby.log`,
        "user.timezone": "UTC",
        "file.encoding": "UTF-8",
      },
      flags: druidFlags(role),
      arguments: ["server", role],
    }),
    environment: hadoop.environment,
    files: { "runtime.properties": { content: properties }, "log4j2.xml": { content: log4j2 }, ...hadoop.files },
    distributions: [druidDistribution, ...hadoop.distributions],
    ports: { http: druidPorts[role], ...(role === "coordinator" ? { metadata: derbyPort } : {}) },
    // Historicals and indexers are called by the others only.
    clientPorts: role === "coordinator" || role === "broker" ? ["http"] : [],
    readiness: readiness(role),
    memory: heap + druidDirectMemory[role] + memoryBesideHeap,
    cpu,
    // A broker keeps nothing, and what an indexer had not finished is loaded anew.
    stateful: role === "coordinator" || role === "historical",
  };
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

/** Who comes next finds every segment on the historicals that are wanted; others go after that. */
function createMembership(
  parent: pulumi.Resource,
  component: string,
  target: Target,
  coordinator: string,
  historicals: readonly string[],
  dependsOn: pulumi.Resource[],
): pulumi.Resource {
  const command = [
    target.node,
    target.program(modulePath("./membership.ts", import.meta.url)),
    `--coordinator=${coordinator}`,
    `--historicals=${historicals.join(",")}`,
  ];
  return target.task(
    {
      identity: { component, role: "membership" },
      command,
      checkCommand: [...command, "--check"],
      // All segments of a historical that goes are loaded by others before.
      timeout: 3600,
    },
    { parent, dependsOn },
  );
}
