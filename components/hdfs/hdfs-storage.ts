import * as pulumi from "@pulumi/pulumi";
import { bindAgent, bindAgentFlag } from "../bind-agent/index.ts";
import { hadoopDistribution, hadoopEnvironment } from "../hadoop/index.ts";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import { modulePath } from "../module-path.ts";
import type { InstanceIdentity, ServiceArgs, Target } from "../target.ts";
import {
  coreSite,
  dataNodeHttpPort,
  dataNodeIpcPort,
  dataNodePort,
  dataNodeSite,
  excludedFile,
  fileSystemUri,
  formatCommand,
  type HdfsConfiguration,
  nameNodeHttpPort,
  nameNodeRpcPort,
  nameNodeSite,
} from "./configuration.ts";

/** Memory of a server beside its heap, in MiB: class data, compiled code, threads and network buffers. */
const memoryBesideHeap = 140;

/** The arguments of an {@link HdfsStorage}. */
export interface HdfsStorageArgs {
  /**
   * How many DataNodes keep the blocks. May be raised and lowered: a DataNode gives its blocks to the others before it
   * goes.
   *
   * @default 1
   */
  readonly dataNodes?: number;
  /**
   * Copies of each block, on as many DataNodes. Of files that are there too.
   *
   * @default the number of DataNodes, at most 3
   */
  readonly replication?: number;
  /**
   * The user that may do everything: as it the servers and the jobs act. HDFS takes a client's word for who it is.
   *
   * @default "hdfs"
   */
  readonly superuser?: string;
  /**
   * The largest heap of the NameNode, in MiB. It keeps all names in it: 1 GiB is enough for a million files.
   *
   * @default 192
   */
  readonly nameNodeHeap?: number;
  /**
   * The CPU time that the NameNode is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.05
   */
  readonly nameNodeCpu?: number;
  /**
   * The largest heap of a DataNode, in MiB.
   *
   * @default 128
   */
  readonly dataNodeHeap?: number;
  /**
   * The CPU time that a DataNode is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.1
   */
  readonly dataNodeCpu?: number;
}

/**
 * The Hadoop Distributed File System: one NameNode and its DataNodes.
 *
 * ```ts
 * const hdfs = new HdfsStorage("hdfs", { target, dataNodes: 3 });
 * export const webHdfs = hdfs.webHdfs; // curl "$(pulumi stack output webHdfs)/webhdfs/v1/?op=LISTSTATUS"
 * ```
 */
export class HdfsStorage extends pulumi.ComponentResource {
  /** `fs.defaultFS` for Hadoop's clients: `hdfs://host:port`. */
  readonly fileSystem: pulumi.Output<string>;
  /** The NameNode's HTTP address, whose `/webhdfs/v1` is WebHDFS: `http://host:port`. */
  readonly webHdfs: pulumi.Output<string>;
  /** The user to act as. */
  readonly superuser: pulumi.Output<string>;
  /** Copies of each block. */
  readonly replication: pulumi.Output<number>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: HdfsStorageArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target } = args;
    const inputs = withDefaults(args);
    checkArgs(name, inputs);
    super("lambda-architecture:index:HdfsStorage", name, inputs, opts);

    const nameNode = target.placement(nameNodeIdentity(name)).address;
    const configuration = { nameNode, replication: inputs.replication };
    const identities = Array.from({ length: inputs.dataNodes }, (_, index) => ({
      component: name,
      role: "datanode",
      index,
    }));
    const nameNodes = target.services(
      { replicas: [nameNodeService(name, target, configuration, inputs)] },
      { parent: this },
    );
    const dataNodes = target.services(
      { replicas: identities.map((each) => dataNodeService(each, target, configuration, inputs)) },
      { parent: this },
    );
    const addresses = identities.map((each) => target.placement(each).address);
    createMembership(this, name, target, configuration, inputs, addresses, [...nameNodes, ...dataNodes]);

    this.fileSystem = pulumi.output(fileSystemUri(nameNode));
    this.webHdfs = pulumi.output(`http://${nameNode}:${nameNodeHttpPort}`);
    this.superuser = pulumi.output(inputs.superuser);
    this.replication = pulumi.output(inputs.replication);
    this.registerOutputs({
      fileSystem: this.fileSystem,
      webHdfs: this.webHdfs,
      superuser: this.superuser,
      replication: this.replication,
    });
  }
}

type Inputs = Required<HdfsStorageArgs>;

function withDefaults(args: HdfsStorageArgs): Inputs {
  const dataNodes = args.dataNodes ?? 1;
  return {
    dataNodes,
    replication: args.replication ?? Math.min(3, dataNodes),
    superuser: args.superuser ?? "hdfs",
    nameNodeHeap: args.nameNodeHeap ?? 192,
    nameNodeCpu: args.nameNodeCpu ?? 0.05,
    dataNodeHeap: args.dataNodeHeap ?? 128,
    dataNodeCpu: args.dataNodeCpu ?? 0.1,
  };
}

function checkArgs(name: string, inputs: Inputs): void {
  const errors = new InputErrors(`HdfsStorage ${JSON.stringify(name)}`);
  errors.checkWhole(inputs.dataNodes, "dataNodes", 1);
  errors.checkWhole(inputs.replication, "replication", 1, 512);
  errors.check(
    !(inputs.replication > inputs.dataNodes),
    "replication",
    `must be at most the number of DataNodes (${inputs.dataNodes}); it is ${inputs.replication}`,
  );
  errors.check(
    /^[a-z_][a-z0-9_-]*$/.test(inputs.superuser),
    "superuser",
    `must be a user name of lower-case letters, digits, _ and -; it is ${JSON.stringify(inputs.superuser)}`,
  );
  errors.checkWhole(inputs.nameNodeHeap, "nameNodeHeap", 96);
  errors.checkWhole(inputs.dataNodeHeap, "dataNodeHeap", 64);
  for (const cpu of ["nameNodeCpu", "dataNodeCpu"] as const) errors.checkCpu(inputs[cpu], cpu);
  errors.throwIfAny();
}

function nameNodeIdentity(component: string): InstanceIdentity {
  return { component, role: "namenode" };
}

function nameNodeService(
  component: string,
  target: Target,
  configuration: HdfsConfiguration,
  { superuser, nameNodeHeap, nameNodeCpu }: Inputs,
): ServiceArgs {
  const identity = nameNodeIdentity(component);
  const placement = target.placement(identity);
  const command = javaCommand({
    java: target.java,
    heap: nameNodeHeap,
    temporary: placement.temporary,
    classPath: [placement.configuration, `${target.directory(hadoopDistribution)}/lib/*`],
    mainClass: "org.apache.hadoop.hdfs.server.namenode.NameNode",
  });
  return {
    identity,
    command,
    prepare: formatCommand([...command, "-format", "-force", "-nonInteractive"], placement.data),
    environment: hadoopEnvironment(superuser, target.java),
    files: {
      "core-site.xml": { content: coreSite(fileSystemUri(configuration.nameNode)) },
      "hdfs-site.xml": { content: nameNodeSite(configuration, placement.data) },
    },
    distributions: [hadoopDistribution],
    ports: { rpc: nameNodeRpcPort, http: nameNodeHttpPort },
    clientPorts: ["rpc", "http"],
    // With blocks from an earlier life it is operational only when the DataNodes have reported them.
    readiness: {
      kind: "http",
      port: nameNodeHttpPort,
      path: "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState",
      expect: '"FSState" : "Operational"',
    },
    memory: nameNodeHeap + memoryBesideHeap,
    cpu: nameNodeCpu,
    stateful: true,
  };
}

function dataNodeService(
  identity: InstanceIdentity,
  target: Target,
  configuration: HdfsConfiguration,
  { superuser, dataNodeHeap, dataNodeCpu }: Inputs,
): ServiceArgs {
  const placement = target.placement(identity);
  return {
    identity,
    command: javaCommand({
      java: target.java,
      heap: dataNodeHeap,
      temporary: placement.temporary,
      classPath: [placement.configuration, `${target.directory(hadoopDistribution)}/lib/*`],
      mainClass: "org.apache.hadoop.hdfs.server.datanode.DataNode",
      // The NameNode knows a DataNode by the address that it calls from.
      flags: [bindAgentFlag(target, placement.address)],
    }),
    environment: hadoopEnvironment(superuser, target.java),
    files: {
      "core-site.xml": { content: coreSite(fileSystemUri(configuration.nameNode)) },
      "hdfs-site.xml": { content: dataNodeSite(configuration, placement.address, placement.data) },
    },
    distributions: [hadoopDistribution, bindAgent],
    ports: { data: dataNodePort, http: dataNodeHttpPort, ipc: dataNodeIpcPort },
    clientPorts: ["data", "http", "ipc"],
    // Its own word that the NameNode has taken it in; the NameNode's list would still name one that has died.
    readiness: {
      kind: "http",
      port: dataNodeHttpPort,
      path: "/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo",
      expect: '\\\\"ActorState\\\\":\\\\"RUNNING\\\\"',
    },
    memory: dataNodeHeap + memoryBesideHeap,
    cpu: dataNodeCpu,
    stateful: true,
  };
}

/** Who comes next finds every block where it shall be; DataNodes that are to go, go after that. */
function createMembership(
  parent: pulumi.Resource,
  component: string,
  target: Target,
  { nameNode, replication }: HdfsConfiguration,
  { superuser }: Inputs,
  dataNodes: readonly string[],
  servers: pulumi.Resource[],
): pulumi.Resource {
  const identity: InstanceIdentity = { component, role: "membership" };
  const { configuration } = target.placement(identity);
  const command = [
    target.node,
    target.program(modulePath("./membership.ts", import.meta.url)),
    `--name-node=http://${nameNode}:${nameNodeHttpPort}`,
    `--data-nodes=${dataNodes.join(",")}`,
    `--replication=${replication}`,
    `--user=${superuser}`,
    `--excluded=${excludedFile(target.placement(nameNodeIdentity(component)).data)}`,
    `--java=${target.java}`,
    `--class-path=${configuration}:${target.directory(hadoopDistribution)}/lib/*`,
  ];
  return target.task(
    {
      identity,
      command,
      checkCommand: [...command, "--check"],
      environment: hadoopEnvironment(superuser, target.java),
      files: { "core-site.xml": { content: coreSite(fileSystemUri(nameNode)) } },
      distributions: [hadoopDistribution],
      // All blocks of a DataNode that goes are copied before.
      timeout: 3600,
    },
    { parent, dependsOn: servers },
  );
}
