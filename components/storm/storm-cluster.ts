import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { bindAgent, bindAgentFlag } from "../bind-agent/index.ts";
import { InputErrors } from "../input-errors.ts";
import { javaCommand } from "../java.ts";
import type { DataAccess, Distribution, InstanceIdentity, ServiceArgs, Target } from "../target.ts";
import {
  firstSlotPort,
  nimbusPort,
  serverLogging,
  stormConfiguration,
  supervisorPort,
  workerLogging,
} from "./configuration.ts";

/** Storm's jars, in the folders of its own distribution: daemons, workers, and what is on both class paths. */
export const stormDistribution: Distribution = {
  name: "storm",
  parts: Object.fromEntries(
    ["lib", "lib-worker", "extlib"].map((part) => [
      part,
      fileURLToPath(new URL(`./distribution/${part}`, import.meta.url)),
    ]),
  ),
  runsPrograms: true,
};

/** Memory of a JVM beside its heap, in MiB: class data, compiled code, threads and buffers. */
const memoryBesideHeap = 90;
/** Memory of a worker's log writer, in MiB. */
const logWriterMemory = 56;

/** The arguments of a {@link StormCluster}. */
export interface StormClusterArgs {
  /** `host:port` of the ZooKeeper servers, joined by commas, with one port for all. */
  readonly zooKeeper: pulumi.Input<string>;
  /**
   * How many Nimbus servers: one leads, the others take over. Topologies' code is kept by all of them.
   *
   * @default 1
   */
  readonly nimbusReplicas?: number;
  /**
   * How many supervisors.
   *
   * @default 1
   */
  readonly supervisors?: number;
  /**
   * How many workers a supervisor can run at once. A topology takes at least one, and two while another one of new
   * code takes its place.
   *
   * @default 2, or 1 with several supervisors
   */
  readonly slots?: number;
  /**
   * The largest heap of a Nimbus, in MiB.
   *
   * @default 192
   */
  readonly nimbusHeap?: number;
  /**
   * The CPU time that a Nimbus is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.05
   */
  readonly nimbusCpu?: number;
  /**
   * The largest heap of a supervisor, in MiB.
   *
   * @default 128
   */
  readonly supervisorHeap?: number;
  /**
   * The CPU time that a supervisor is expected to need, in cores, its workers included. It may take more where there is more.
   *
   * @default 0.2
   */
  readonly supervisorCpu?: number;
  /**
   * The largest heap of a worker, in MiB.
   *
   * @default 192
   */
  readonly workerHeap?: number;
  /**
   * The memory of the processes that a worker's shell components run in, in MiB, all together.
   *
   * @default 384
   */
  readonly workerShellMemory?: number;
  /**
   * The addresses, with or without port, of what topologies call, for targets with walls between servers.
   *
   * @default none
   */
  readonly reaches?: pulumi.Input<readonly string[]>;
  /**
   * What the topologies do with topics and files.
   *
   * @default nothing
   */
  readonly access?: DataAccess;
}

/**
 * Apache Storm: Nimbus, which keeps topologies and spreads them over workers, and supervisors, which run the workers.
 * Servers and workers listen on their own instance's address only.
 *
 * ```ts
 * const storm = new StormCluster("storm", { target, zooKeeper: zooKeeper.connectString }, { dependsOn: [zooKeeper] });
 * new StormTopology("speed", { target, nimbusSeeds: storm.nimbusSeeds, definition, resources }, { dependsOn: [storm] });
 * ```
 */
export class StormCluster extends pulumi.ComponentResource {
  /** The addresses of the Nimbus servers, without {@link nimbusPort}. */
  readonly nimbusSeeds: pulumi.Output<string[]>;
  /** The port on which every Nimbus takes clients (Thrift). */
  readonly nimbusPort: pulumi.Output<number>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: StormClusterArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, ...given } = args;
    const sizes = withDefaults(given);
    checkArgs(name, sizes);
    super("lambda-architecture:index:StormCluster", name, sizes, opts);

    const nimbusSeeds = identities(name, "nimbus", sizes.nimbusReplicas).map((each) => target.placement(each).address);
    const cluster: Cluster = { name, target, nimbusSeeds, sizes };
    const nimbuses = identities(name, "nimbus", sizes.nimbusReplicas).map((each) => nimbus(cluster, each));
    target.services({ replicas: nimbuses }, { parent: this });
    const supervisors = identities(name, "supervisor", sizes.supervisors).map((each) => supervisor(cluster, each));
    target.services({ replicas: supervisors }, { parent: this });

    this.nimbusSeeds = pulumi.output(nimbusSeeds);
    this.nimbusPort = pulumi.output(nimbusPort);
    this.registerOutputs({ nimbusSeeds: this.nimbusSeeds, nimbusPort: this.nimbusPort });
  }
}

/** What all servers of a cluster have in common. */
interface Cluster {
  readonly name: string;
  readonly target: Target;
  readonly nimbusSeeds: readonly string[];
  readonly sizes: Required<Omit<StormClusterArgs, "access">> & Pick<StormClusterArgs, "access">;
}

function withDefaults(
  args: StormClusterArgs,
): Required<Omit<StormClusterArgs, "access">> & Pick<StormClusterArgs, "access"> {
  return {
    zooKeeper: args.zooKeeper,
    nimbusReplicas: args.nimbusReplicas ?? 1,
    supervisors: args.supervisors ?? 1,
    slots: args.slots ?? ((args.supervisors ?? 1) > 1 ? 1 : 2),
    nimbusHeap: args.nimbusHeap ?? 192,
    nimbusCpu: args.nimbusCpu ?? 0.05,
    supervisorHeap: args.supervisorHeap ?? 128,
    supervisorCpu: args.supervisorCpu ?? 0.2,
    workerHeap: args.workerHeap ?? 192,
    workerShellMemory: args.workerShellMemory ?? 384,
    reaches: args.reaches ?? [],
    ...(args.access && { access: args.access }),
  };
}

function checkArgs(
  name: string,
  args: Required<Omit<StormClusterArgs, "access">> & Pick<StormClusterArgs, "access">,
): void {
  const errors = new InputErrors(`StormCluster ${JSON.stringify(name)}`);
  errors.checkWhole(args.nimbusReplicas, "nimbusReplicas", 1, 7);
  errors.checkWhole(args.supervisors, "supervisors", 1);
  errors.checkWhole(args.slots, "slots", 1, 100);
  errors.checkWhole(args.nimbusHeap, "nimbusHeap", 96);
  errors.checkWhole(args.supervisorHeap, "supervisorHeap", 64);
  for (const cpu of ["nimbusCpu", "supervisorCpu"] as const) errors.checkCpu(args[cpu], cpu);
  errors.checkWhole(args.workerHeap, "workerHeap", 64);
  errors.checkWhole(args.workerShellMemory, "workerShellMemory", 0);
  errors.throwIfAny();
}

function identities(component: string, role: string, replicas: number): InstanceIdentity[] {
  return Array.from({ length: replicas }, (_, index) => ({ component, role, index }));
}

function nimbus(cluster: Cluster, identity: InstanceIdentity): ServiceArgs {
  const { sizes } = cluster;
  return {
    identity,
    ...server(cluster, identity, "org.apache.storm.daemon.nimbus.Nimbus", sizes.nimbusHeap),
    ports: { thrift: nimbusPort },
    clientPorts: ["thrift"],
    readiness: { kind: "tcp", port: nimbusPort },
    memory: sizes.nimbusHeap + memoryBesideHeap,
    cpu: sizes.nimbusCpu,
    // The topologies and their code.
    stateful: true,
  };
}

function supervisor(cluster: Cluster, identity: InstanceIdentity): ServiceArgs {
  const { target, sizes } = cluster;
  const { configuration } = target.placement(identity);
  const worker = sizes.workerHeap + memoryBesideHeap + logWriterMemory + sizes.workerShellMemory;
  return {
    identity,
    ...server(cluster, identity, "org.apache.storm.daemon.supervisor.Supervisor", sizes.supervisorHeap),
    // Where workers find storm.yaml.
    environment: { STORM_CONF_DIR: configuration },
    ports: {
      thrift: supervisorPort,
      ...Object.fromEntries(Array.from({ length: sizes.slots }, (_, slot) => [`slot${slot}`, firstSlotPort + slot])),
    },
    reaches: sizes.reaches,
    ...(sizes.access && { access: sizes.access }),
    readiness: { kind: "tcp", port: supervisorPort },
    memory: sizes.supervisorHeap + memoryBesideHeap + sizes.slots * worker,
    cpu: sizes.supervisorCpu,
    // Its id, and which workers it runs.
    stateful: true,
  };
}

/** Command, files and distributions, which Nimbus and the supervisors have in common. */
function server(cluster: Cluster, identity: InstanceIdentity, mainClass: string, heap: number) {
  const { target, name, nimbusSeeds, sizes } = cluster;
  const { address, configuration, data, logs, temporary } = target.placement(identity);
  const home = target.directory(stormDistribution);
  const agent = bindAgentFlag(target, address);
  const content = pulumi.output(sizes.zooKeeper).apply((zooKeeper) =>
    stormConfiguration({
      address,
      nimbusSeeds,
      zooKeeper,
      zooKeeperRoot: `/${name}`,
      slots: sizes.slots,
      workerFlags: [...workerFlags(sizes.workerHeap), agent],
      configuration,
      data,
      logs,
    }),
  );
  return {
    command: javaCommand({
      java: target.java,
      heap,
      temporary,
      classPath: [`${home}/lib/*`, `${home}/extlib/*`, configuration],
      mainClass,
      systemProperties: {
        "daemon.name": identity.role,
        "storm.home": home,
        "storm.log.dir": logs,
        "storm.options": "",
        "storm.conf.file": "",
        "log4j2.configurationFile": `${configuration}/cluster.xml`,
      },
      flags: ["-XX:+ExitOnOutOfMemoryError", agent],
    }),
    files: {
      "storm.yaml": { content },
      "cluster.xml": { content: serverLogging },
      "worker.xml": { content: workerLogging },
    },
    distributions: [stormDistribution, bindAgent],
  };
}

/** A worker moves offsets, not events, so that the smallest collector and the first compiler tier do. */
function workerFlags(heap: number): string[] {
  return [
    `-Xmx${heap}m`,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.net.preferIPv4Stack=true",
  ];
}
