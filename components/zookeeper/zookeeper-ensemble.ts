import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import { modulePath } from "../module-path.ts";
import type { Distribution, InstanceIdentity, ServiceArgs, Target } from "../target.ts";
import {
  clientPort,
  electionPort,
  initialMembers,
  member,
  myid,
  prepareCommand,
  quorumPort,
  zooConfiguration,
} from "./configuration.ts";

/** ZooKeeper's jars. */
export const zooKeeperDistribution: Distribution = {
  name: "zookeeper",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
};

/** Memory of a server beside its heap, in MiB: class data, compiled code, threads and buffers. */
const memoryBesideHeap = 80;

/** The arguments of a {@link ZooKeeperEnsemble}. */
export interface ZooKeeperEnsembleArgs {
  /**
   * How many servers. An ensemble of `2n + 1` survives the loss of `n`, so the number must be odd. May be raised and
   * lowered: new servers take over the data before they vote, and others lose their vote before they go.
   *
   * @default 1
   */
  readonly replicas?: number;
  /**
   * The largest heap of a server, in MiB. ZooKeeper keeps all its nodes in it.
   *
   * @default 64
   */
  readonly heap?: number;
  /**
   * The CPU time that a server is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.05
   */
  readonly cpu?: number;
}

/**
 * Apache ZooKeeper: the small, consistent store through which Storm and Druid find and elect each other.
 *
 * ```ts
 * const zooKeeper = new ZooKeeperEnsemble("zookeeper", { target, replicas: 3 });
 * export const connectString = zooKeeper.connectString;
 * ```
 */
export class ZooKeeperEnsemble extends pulumi.ComponentResource {
  /** `host:port` of every server, joined by commas, as ZooKeeper's clients take it. */
  readonly connectString: pulumi.Output<string>;
  /** The servers' hosts, without {@link clientPort}. */
  readonly servers: pulumi.Output<string[]>;
  /** The port on which every server takes clients. */
  readonly clientPort: pulumi.Output<number>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: ZooKeeperEnsembleArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, replicas = 1, heap = 64, cpu = 0.05 } = args;
    checkArgs(name, replicas, heap, cpu);
    super("lambda-architecture:index:ZooKeeperEnsemble", name, { replicas, heap, cpu }, opts);

    const servers = Array.from({ length: replicas }, (_, index) => target.placement(identity(name, index)).address);
    const services = target.services(
      { replicas: servers.map((_, index) => server(name, target, servers, index, heap, cpu)) },
      { parent: this },
    );
    createMembership(this, name, target, servers, services);

    this.connectString = pulumi.output(servers.map((address) => `${address}:${clientPort}`).join(","));
    this.servers = pulumi.output(servers);
    this.clientPort = pulumi.output(clientPort);
    this.registerOutputs({
      connectString: this.connectString,
      servers: this.servers,
      clientPort: this.clientPort,
    });
  }
}

function checkArgs(name: string, replicas: number, heap: number, cpu: number): void {
  const errors = new InputErrors(`ZooKeeperEnsemble ${JSON.stringify(name)}`);
  errors.checkWhole(replicas, "replicas", 1, 7);
  errors.check(
    replicas % 2 !== 0,
    "replicas",
    `must be odd: ${replicas} servers bear no more losses than ${replicas - 1}`,
  );
  errors.checkWhole(heap, "heap", 32);
  errors.checkCpu(cpu, "cpu");
  errors.throwIfAny();
}

function identity(component: string, index: number): InstanceIdentity {
  return { component, role: "server", index };
}

function server(
  component: string,
  target: Target,
  servers: readonly string[],
  index: number,
  heap: number,
  cpu: number,
): ServiceArgs {
  const placement = target.placement(identity(component, index));
  return {
    identity: identity(component, index),
    command: javaCommand({
      java: target.java,
      heap,
      temporary: placement.temporary,
      classPath: [`${target.directory(zooKeeperDistribution)}/lib/*`],
      mainClass: "org.apache.zookeeper.server.quorum.QuorumPeerMain",
      systemProperties: {
        // Transaction logs grow by this many KiB at a time; the default of 64 MiB is for large ensembles.
        "zookeeper.preAllocSize": 4096,
        "zookeeper.jmx.log4j.disable": true,
        // Standard output, which the target keeps and bounds.
        "org.slf4j.simpleLogger.logFile": "System.out",
        "org.slf4j.simpleLogger.defaultLogLevel": "warn",
        "org.slf4j.simpleLogger.showDateTime": true,
        "org.slf4j.simpleLogger.dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "org.slf4j.simpleLogger.showShortLogName": true,
      },
      flags: ["-XX:+ExitOnOutOfMemoryError"],
      arguments: [`${placement.data}/zoo.cfg`],
    }),
    files: {
      "zoo.cfg": { content: zooConfiguration(placement.data) },
      myid: { content: myid(index) },
      members: { content: initialMembers(servers, index) },
    },
    prepare: prepareCommand(placement.configuration, placement.data),
    distributions: [zooKeeperDistribution],
    ports: { client: clientPort, quorum: quorumPort, election: electionPort },
    clientPorts: ["client"],
    // Unlike `ruok`, `srvr` answers with a mode only once the server has found its quorum.
    readiness: { kind: "tcp", port: clientPort, send: "srvr", expect: "Mode: (leader|follower|observer)" },
    memory: heap + memoryBesideHeap,
    cpu,
    stateful: true,
  };
}

/** Who comes next finds an ensemble whose servers all vote; servers that are to go, go after that. */
function createMembership(
  parent: pulumi.Resource,
  component: string,
  target: Target,
  servers: readonly string[],
  services: pulumi.Resource[],
): pulumi.Resource {
  const identity: InstanceIdentity = { component, role: "membership" };
  const command = [
    target.node,
    target.program(modulePath("./membership.ts", import.meta.url)),
    `--members=${target.placement(identity).configuration}/members`,
    `--java=${target.java}`,
    `--class-path=${target.directory(zooKeeperDistribution)}/lib/*`,
  ];
  return target.task(
    {
      identity,
      command,
      checkCommand: [...command, "--check"],
      files: { members: { content: servers.map((address, index) => `${member(address, index)}\n`).join("") } },
      distributions: [zooKeeperDistribution],
      timeout: 300,
    },
    { parent, dependsOn: services },
  );
}
