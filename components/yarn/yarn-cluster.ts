import * as pulumi from "@pulumi/pulumi";
import { bindAgent, bindAgentFlag } from "../bind-agent/index.ts";
import { type HadoopProperties, hadoopDistribution, hadoopEnvironment } from "../hadoop/index.ts";
import { clientSite, coreSite } from "../hdfs/configuration.ts";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import { historyAccess } from "../jobs/access.ts";
import { type S3Access, s3aDistribution, s3Environment } from "../s3/index.ts";
import type { DataAccess, Distribution, File, InstanceIdentity, Placement, ServiceArgs, Target } from "../target.ts";
import {
  hadoopClientConfiguration,
  historyAdminPort,
  historyHttpPort,
  historyPort,
  historyServerFiles,
  nodeManagerHttpPort,
  nodeManagerLocalizerPort,
  nodeManagerPort,
  nodeManagerSite,
  resourceManagerAdminPort,
  resourceManagerHttpPort,
  resourceManagerPort,
  resourceManagerSite,
  resourceTrackerPort,
  schedulerPort,
  shufflePort,
  type YarnConfiguration,
} from "./configuration.ts";

/** Memory of a server beside its heap, in MiB: class data, compiled code, threads and network buffers. */
const memoryBesideHeap = 160;

/** The arguments of a {@link YarnCluster}. */
export interface YarnClusterArgs {
  /**
   * The file system for the jobs' files: `hdfs://host:port`, see `HdfsStorage.fileSystem`, or `s3a://bucket`, see
   * `S3Storage.fileSystem`.
   */
  readonly fileSystem: pulumi.Input<string>;
  /**
   * How to reach a file system that is a bucket: the `S3Storage`.
   *
   * @default none: the file system is HDFS
   */
  readonly s3?: S3Access;
  /**
   * What the jobs do with topics and files.
   *
   * @default nothing
   */
  readonly access?: DataAccess;
  /**
   * Copies of each block of what jobs write, see `HdfsStorage.replication`.
   *
   * @default 1
   */
  readonly replication?: pulumi.Input<number>;
  /**
   * The user as whom the servers act, see `HdfsStorage.superuser`; it creates folders in the file system's root.
   *
   * @default "hdfs"
   */
  readonly user?: pulumi.Input<string>;
  /**
   * How many NodeManagers run containers.
   *
   * @default 1
   */
  readonly nodeManagers?: number;
  /**
   * The memory that a NodeManager may give to containers, in MiB.
   *
   * @default twice `masterMemory`
   */
  readonly containerMemory?: number;
  /**
   * How many containers a NodeManager may run at once.
   *
   * @default 2
   */
  readonly virtualCores?: number;
  /**
   * The memory of a MapReduce job's master, in MiB. Jobs of few tasks run in it alone, if it is at least `taskMemory`.
   *
   * @default 768
   */
  readonly masterMemory?: number;
  /**
   * The memory of a MapReduce task, in MiB, its Node program included.
   *
   * @default 768
   */
  readonly taskMemory?: number;
  /**
   * The largest heap of the Java process of a MapReduce job's master or task, in MiB.
   *
   * @default 256
   */
  readonly taskHeap?: number;
  /**
   * The largest heap of the ResourceManager, in MiB.
   *
   * @default 192
   */
  readonly resourceManagerHeap?: number;
  /**
   * The CPU time that the ResourceManager is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.05
   */
  readonly resourceManagerCpu?: number;
  /**
   * The largest heap of a NodeManager, in MiB.
   *
   * @default 128
   */
  readonly nodeManagerHeap?: number;
  /**
   * The CPU time that a NodeManager is expected to need, in cores, its containers included. It may take more where there is more.
   *
   * @default 0.3
   */
  readonly nodeManagerCpu?: number;
  /**
   * The largest heap of the history server, in MiB.
   *
   * @default 128
   */
  readonly historyServerHeap?: number;
  /**
   * The CPU time that the history server is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.05
   */
  readonly historyServerCpu?: number;
}

/**
 * Hadoop YARN with what MapReduce needs: a ResourceManager, NodeManagers with the shuffle service, and the history
 * server of finished jobs.
 *
 * ```ts
 * const hdfs = new HdfsStorage("hdfs", { target });
 * const yarn = new YarnCluster("yarn", { target, fileSystem: hdfs.fileSystem }, { dependsOn: [hdfs] });
 * ```
 */
export class YarnCluster extends pulumi.ComponentResource {
  /** The ResourceManager's REST interface: `http://host:port`. */
  readonly resourceManager: pulumi.Output<string>;
  /** The history server's REST interface: `http://host:port`. */
  readonly historyServer: pulumi.Output<string>;
  /** The user as whom jobs are submitted: the servers' own. */
  readonly user: pulumi.Output<string>;
  /**
   * The configuration of a client that submits MapReduce jobs: core-site.xml, hdfs-site.xml, yarn-site.xml and
   * mapred-site.xml, to be put into a folder on its class path.
   */
  readonly clientFiles: Readonly<Record<string, File>>;
  /** The distributions whose jars such a client needs on its class path, in this order. */
  readonly clientDistributions: readonly Distribution[];
  readonly #s3: S3Access | undefined;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: YarnClusterArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target } = args;
    const inputs = withDefaults(args);
    checkArgs(name, inputs, target);
    const { access, s3, ...plain } = inputs;
    super("lambda-architecture:index:YarnCluster", name, plain, opts);
    this.clientDistributions = distributionsOf(inputs);
    this.#s3 = s3;

    const configuration: YarnConfiguration = {
      resourceManager: target.placement({ component: name, role: "resourcemanager" }).address,
      historyServer: target.placement({ component: name, role: "historyserver" }).address,
      classPath: classPath(target, this.clientDistributions),
    };
    const nodeManagers = Array.from({ length: inputs.nodeManagers }, (_, index) =>
      nodeManager({ component: name, role: "nodemanager", index }, target, configuration, inputs),
    );
    target.services({ replicas: [resourceManager(name, target, configuration, inputs)] }, { parent: this });
    target.services({ replicas: nodeManagers }, { parent: this });
    target.services({ replicas: [historyServer(name, target, configuration, inputs)] }, { parent: this });

    this.resourceManager = pulumi.output(`http://${configuration.resourceManager}:${resourceManagerHttpPort}`);
    this.historyServer = pulumi.output(`http://${configuration.historyServer}:${historyHttpPort}`);
    this.user = pulumi.output(inputs.user);
    this.clientFiles = clientFiles(target, configuration, inputs);
    this.registerOutputs({
      resourceManager: this.resourceManager,
      historyServer: this.historyServer,
      user: this.user,
    });
  }

  /** The environment of such a client with {@link clientFiles} in its placement's configuration folder. */
  clientEnvironment(placement: Placement): Readonly<Record<string, string>> {
    return this.#s3 === undefined ? {} : s3Environment(this.#s3, placement);
  }
}

type Inputs = Required<Omit<YarnClusterArgs, "access" | "s3">> & Pick<YarnClusterArgs, "access" | "s3">;

function withDefaults(args: YarnClusterArgs): Inputs {
  const masterMemory = args.masterMemory ?? 768;
  return {
    fileSystem: args.fileSystem,
    ...(args.s3 !== undefined && { s3: args.s3 }),
    ...(args.access !== undefined && { access: args.access }),
    replication: args.replication ?? 1,
    user: args.user ?? "hdfs",
    nodeManagers: args.nodeManagers ?? 1,
    containerMemory: args.containerMemory ?? 2 * masterMemory,
    virtualCores: args.virtualCores ?? 2,
    masterMemory,
    taskMemory: args.taskMemory ?? 768,
    taskHeap: args.taskHeap ?? 256,
    resourceManagerHeap: args.resourceManagerHeap ?? 192,
    resourceManagerCpu: args.resourceManagerCpu ?? 0.05,
    nodeManagerHeap: args.nodeManagerHeap ?? 128,
    nodeManagerCpu: args.nodeManagerCpu ?? 0.3,
    historyServerHeap: args.historyServerHeap ?? 128,
    historyServerCpu: args.historyServerCpu ?? 0.05,
  };
}

function checkArgs(name: string, inputs: Inputs, target: Target): void {
  const errors = new InputErrors(`YarnCluster ${JSON.stringify(name)}`);
  errors.checkWhole(inputs.nodeManagers, "nodeManagers", 1);
  errors.checkWhole(inputs.virtualCores, "virtualCores", 1);
  errors.checkWhole(inputs.taskHeap, "taskHeap", 128);
  for (const property of ["masterMemory", "taskMemory"] as const) {
    errors.checkWhole(inputs[property], property, 256);
    errors.check(
      !(inputs[property] < inputs.taskHeap + 128),
      property,
      `must leave 128 MiB beside taskHeap (${inputs.taskHeap}); it is ${inputs[property]}`,
    );
  }
  const containers = inputs.masterMemory + inputs.taskMemory;
  errors.check(
    inputs.containerMemory * inputs.nodeManagers >= containers && inputs.containerMemory >= inputs.taskMemory,
    "containerMemory",
    `must hold a job's master and a task, ${containers} MiB over all NodeManagers; it is ${inputs.containerMemory}`,
  );
  errors.checkWhole(inputs.resourceManagerHeap, "resourceManagerHeap", 128);
  errors.checkWhole(inputs.nodeManagerHeap, "nodeManagerHeap", 96);
  errors.checkWhole(inputs.historyServerHeap, "historyServerHeap", 96);
  for (const cpu of ["resourceManagerCpu", "nodeManagerCpu", "historyServerCpu"] as const)
    errors.checkCpu(inputs[cpu], cpu);
  const { data, logs } = target.placement({ component: name, role: "resourcemanager" });
  for (const path of [data, logs, target.directory(hadoopDistribution)]) {
    errors.check(
      !/\s/.test(path),
      "target",
      `must keep its folders under a path without spaces, or YARN cannot start containers; one is ${path}`,
    );
  }
  errors.throwIfAny();
}

function clientFiles(target: Target, configuration: YarnConfiguration, inputs: Inputs): Record<string, File> {
  return {
    ...fileSystemFiles(inputs),
    ...asFiles(
      hadoopClientConfiguration(configuration, {
        masterMemory: inputs.masterMemory,
        taskMemory: inputs.taskMemory,
        heap: inputs.taskHeap,
        flag: bindAgentFlag(target, "$NM_HOST"),
      }),
    ),
  };
}

function asFiles(texts: Readonly<Record<string, string>>): Record<string, File> {
  return Object.fromEntries(Object.entries(texts).map(([name, content]) => [name, { content }]));
}

/** How servers and clients find the file system, and how many copies of a block they ask it for. */
function fileSystemFiles({ fileSystem, replication, s3 }: Inputs): Record<string, File> {
  const properties = pulumi.output<HadoopProperties>(s3?.hadoopProperties ?? {});
  return {
    "core-site.xml": { content: pulumi.all([fileSystem, properties]).apply(([uri, some]) => coreSite(uri, some)) },
    "hdfs-site.xml": { content: pulumi.output(replication).apply(clientSite) },
    ...s3?.credentialFiles,
  };
}

/** The jars of every Hadoop process. */
function distributionsOf({ s3 }: Inputs): Distribution[] {
  return s3 === undefined ? [hadoopDistribution] : [hadoopDistribution, s3aDistribution];
}

function classPath(target: Target, distributions: readonly Distribution[]): string[] {
  return distributions.map((distribution) => `${target.directory(distribution)}/lib/*`);
}

function resourceManager(
  component: string,
  target: Target,
  configuration: YarnConfiguration,
  inputs: Inputs,
): ServiceArgs {
  return server({ component, role: "resourcemanager" }, target, inputs, {
    mainClass: "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    heap: inputs.resourceManagerHeap,
    files: { "yarn-site.xml": { content: resourceManagerSite(configuration) } },
    ports: {
      client: resourceManagerPort,
      http: resourceManagerHttpPort,
      scheduler: schedulerPort,
      tracker: resourceTrackerPort,
      admin: resourceManagerAdminPort,
    },
    clientPorts: ["client", "http"],
    readiness: {
      kind: "http",
      port: resourceManagerHttpPort,
      path: "/ws/v1/cluster/info",
      expect: '"state":"STARTED"',
    },
    memory: inputs.resourceManagerHeap + memoryBesideHeap,
    cpu: inputs.resourceManagerCpu,
  });
}

function nodeManager(
  identity: InstanceIdentity,
  target: Target,
  configuration: YarnConfiguration,
  inputs: Inputs,
): ServiceArgs {
  const placement = target.placement(identity);
  return server(identity, target, inputs, {
    ...(inputs.access && { access: inputs.access }),
    mainClass: "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
    heap: inputs.nodeManagerHeap,
    // The shuffle service has no setting for its address.
    flags: [bindAgentFlag(target, placement.address)],
    files: { "yarn-site.xml": { content: nodeManagerSite(configuration, inputs, placement) } },
    distributions: [bindAgent],
    ports: {
      containers: nodeManagerPort,
      localizer: nodeManagerLocalizerPort,
      http: nodeManagerHttpPort,
      shuffle: shufflePort,
    },
    // Whether it can be given containers is for the ResourceManager to say.
    readiness: {
      kind: "http",
      address: configuration.resourceManager,
      port: resourceManagerHttpPort,
      path: `/ws/v1/cluster/nodes/${placement.address}:${nodeManagerPort}`,
      expect: '"state":"RUNNING"',
    },
    memory: inputs.nodeManagerHeap + memoryBesideHeap + inputs.containerMemory,
    cpu: inputs.nodeManagerCpu,
    // It kills its containers at once, and then waits for ten seconds for logs that it would delete hours later.
    stopGrace: 3,
  });
}

function historyServer(
  component: string,
  target: Target,
  configuration: YarnConfiguration,
  inputs: Inputs,
): ServiceArgs {
  return server({ component, role: "historyserver" }, target, inputs, {
    access: historyAccess,
    mainClass: "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer",
    heap: inputs.historyServerHeap,
    files: asFiles(historyServerFiles(configuration)),
    ports: { client: historyPort, http: historyHttpPort, admin: historyAdminPort },
    clientPorts: ["client", "http"],
    readiness: { kind: "http", port: historyHttpPort, path: "/ws/v1/history/info", expect: '"historyInfo"' },
    memory: inputs.historyServerHeap + memoryBesideHeap,
    cpu: inputs.historyServerCpu,
  });
}

/** What one server of YARN has of its own. */
type Server = Pick<
  ServiceArgs,
  "access" | "files" | "distributions" | "ports" | "clientPorts" | "readiness" | "memory" | "cpu" | "stopGrace"
> & {
  readonly mainClass: string;
  readonly heap: number;
  readonly flags?: readonly string[];
};

function server(
  identity: InstanceIdentity,
  target: Target,
  inputs: Inputs,
  { mainClass, heap, flags = [], files, distributions = [], ...rest }: Server,
): ServiceArgs {
  const placement = target.placement(identity);
  return {
    ...rest,
    identity,
    command: javaCommand({
      java: target.java,
      heap,
      temporary: placement.temporary,
      classPath: [placement.configuration, ...classPath(target, distributionsOf(inputs))],
      mainClass,
      flags,
    }),
    environment: {
      ...hadoopEnvironment(inputs.user, target.java),
      ...(inputs.s3 !== undefined && s3Environment(inputs.s3, placement)),
    },
    files: { ...fileSystemFiles(inputs), ...files },
    distributions: [...distributionsOf(inputs), ...distributions],
  };
}
