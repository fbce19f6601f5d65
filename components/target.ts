import type * as pulumi from "@pulumi/pulumi";
import type { KafkaConnection } from "../jobs/kafka/connection.ts";

/**
 * What a server, task or schedule is called and where it belongs: `{component: "kafka", role: "broker", index: 0}`
 * is the instance named `kafka-broker-0`.
 */
export interface InstanceIdentity {
  /** The Pulumi name of the component that the instance belongs to, e.g. `kafka`. */
  readonly component: string;
  /** The role of the server in its system, e.g. `broker`, `namenode`, `historical`. */
  readonly role: string;
  /** The number of the replica, from 0. Default: none, for roles that only ever have one instance. */
  readonly index?: number;
}

/** The instance's name: component, role and index joined by `-`. */
export function instanceName(identity: InstanceIdentity): string {
  return [identity.component, identity.role, identity.index].filter((part) => part !== undefined).join("-");
}

/**
 * Where an instance runs: plain values, known before anything is created, so that configuration files are made by
 * pure functions and a preview shows them. The same instance always gets the same placement.
 */
export interface Placement {
  /** The instance's name, see {@link instanceName}. */
  readonly name: string;
  /** The address (IP or host name) to bind to and under which the other instances reach this one. */
  readonly address: string;
  /** The absolute path of the folder that receives {@link ServiceArgs.files}. */
  readonly configuration: string;
  /** The absolute path of the folder for data. It outlives the server. */
  readonly data: string;
  /** The absolute path of the folder for logs. */
  readonly logs: string;
  /** The absolute path of a folder for temporary files, empty at the start. It goes with the instance. */
  readonly temporary: string;
}

/**
 * The jars of a system, pinned by one Maven project a part. A part is a folder of this repository with a `pom.xml`;
 * its run-time dependencies, and its own jar if it has sources, become the part's folder of the distribution:
 * `{name: "kafka", parts: {lib: ".../components/kafka/distribution"}}` puts the jars into `<directory>/lib`.
 */
export interface Distribution {
  /** The system's name, e.g. `kafka`; unique among distributions. */
  readonly name: string;
  /** Folder in the distribution to absolute path of the folder with the part's `pom.xml`. */
  readonly parts: Readonly<Record<string, string>>;
  /** Whether its servers run programs in Node, as Storm's workers do: then an image of it has Node. Default: false. */
  readonly runsPrograms?: boolean;
}

/** When a server counts as ready. Addresses are the instance's own unless `address` says otherwise. */
export type Readiness =
  /** The port accepts connections; with `send` and `expect`, also answers so (a regular expression), as ZooKeeper's `ruok`. */
  | { readonly kind: "tcp"; readonly port: number; readonly send?: string; readonly expect?: string }
  /** GET answers 2xx and, with `expect`, a body that matches the regular expression. */
  | {
      readonly kind: "http";
      readonly port: number;
      readonly path: string;
      readonly address?: string;
      readonly expect?: string;
    }
  /** The command exits with 0. */
  | { readonly kind: "command"; readonly command: readonly string[] };

/** A configuration file: its content, and whether only its owner may read it (0600 instead of 0644). */
export interface File {
  readonly content: pulumi.Input<string>;
  /** Default: false. */
  readonly secret?: boolean;
}

/** What a program does with topics and with the folders of the storage of the master dataset. */
export interface DataAccess {
  readonly topics?: readonly {
    readonly name: string;
    /**
     * `describe` is to learn how far it reaches; `trim` to delete its oldest records; `manage` to create it and to set its
     * configuration.
     */
    readonly operations: readonly ("describe" | "read" | "write" | "trim" | "manage")[];
  }[];
  readonly folders?: readonly {
    /** Absolute; `/` for all. */
    readonly path: string;
    /** `add` is to write what is not there yet, and never to replace; `write` does both. */
    readonly operations: readonly ("list" | "read" | "add" | "write" | "delete")[];
  }[];
}

/** A supervised server. */
export interface ServiceArgs {
  readonly identity: InstanceIdentity;
  /**
   * What it does with data in systems that the target manages itself: with those it may do this, and nothing else.
   * Default: nothing.
   */
  readonly access?: DataAccess;
  /** The program and its arguments. No shell is involved. */
  readonly command: readonly string[];
  /** Further environment variables. Default: none. */
  readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
  /**
   * Configuration files by path relative to the placement's configuration folder. A change restarts the server. Replicas
   * may have other ones each, but what changes for one has to change for the first one too: on Kubernetes its files
   * alone tell that all restart, since a further replica must not restart those that are there.
   */
  readonly files?: Readonly<Record<string, File>>;
  /** A command run before each start of the server, in the same environment, e.g. a format; must be idempotent. */
  readonly prepare?: readonly string[];
  /** The distributions whose jars must be there before the start. */
  readonly distributions?: readonly Distribution[];
  /** Ports that the server listens on, by their purpose, e.g. `{client: 2181}`. */
  readonly ports: Readonly<Record<string, number>>;
  /**
   * The purposes of the ports that others than the servers of the same component call; a target with walls between its
   * servers opens these alone. Default: none.
   */
  readonly clientPorts?: readonly string[];
  /**
   * Addresses, with or without port, that the server calls beside those in its command, environment and files, where
   * its own component's need not be: what programs are told that it is handed at run time. Default: none.
   */
  readonly reaches?: pulumi.Input<readonly string[]>;
  /** The purposes of the ports that people reach from outside, see {@link Target.published}. Default: none. */
  readonly publishes?: readonly string[];
  readonly readiness: Readiness;
  /** Seconds until a server that is not ready fails the deployment. Default: 120. */
  readonly readinessTimeout?: number;
  /** The memory that the server needs at most, in MiB, off-heap and children included: what a budget is summed from. */
  readonly memory: number;
  /**
   * The CPU time that the server is expected to need, in cores, its children's included: what a budget is summed from,
   * and what a target that reserves CPU time reserves. No limit: CPU time that others leave is anybody's.
   */
  readonly cpu: number;
  /** Whether the server keeps data that must outlive it. Default: false. */
  readonly stateful?: boolean;
  /**
   * Values that the server's data is made for and that cannot change while the server exists, by the name of the
   * argument that they come from. A target that knows the values before refuses a change before it changes anything.
   * Default: none.
   */
  readonly permanent?: Readonly<Record<string, string | number>>;
  /**
   * Whether a second one may run beside it for a while, on the same address and ports (it listens with `SO_REUSEPORT`
   * where there is that). A target that can then starts a changed one before it stops the one that runs, so that
   * one of them answers all the time. Default: false.
   */
  readonly overlaps?: boolean;
  /** Default: SIGTERM. */
  readonly stopSignal?: "SIGTERM" | "SIGINT" | "SIGKILL";
  /** Seconds between the stop signal and SIGKILL. Default: 10. */
  readonly stopGrace?: number;
}

/** The servers of one role of a component: of one kind, told apart by the index of their identity. */
export interface ServicesArgs {
  /**
   * The servers in the order of their index; exactly one, without an index, for a role that has no replicas. Of those
   * that run, one at a time is restarted, and only while all others of the role are ready.
   */
  readonly replicas: readonly ServiceArgs[];
  /** Whether each server starts only when the one before it is ready. Default: false, all at once */
  readonly ordered?: boolean;
}

/** A command that runs once to its end, and again whenever its arguments change. It must be idempotent. */
export interface TaskArgs {
  readonly identity: InstanceIdentity;
  /**
   * What it does with data in systems that the target manages itself: with those it may do this, and nothing else.
   * Default: nothing.
   */
  readonly access?: DataAccess;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly files?: Readonly<Record<string, File>>;
  readonly distributions?: readonly Distribution[];
  /**
   * A cheap command that looks whether what the task did is still so, without changing anything: exit code 0 if it is,
   * else each line of its output says what is not. A target that can run it while it compares (as the local one does)
   * shows those lines in a preview and a refresh, and runs the task again. Default: none.
   */
  readonly checkCommand?: readonly string[];
  /** A command that takes back what the task did, run when it is deleted. Default: none. */
  readonly deleteCommand?: readonly string[];
  /**
   * Further values that make the task run again when they change. A preview tells those that are new, so a sentence that
   * says why is a good one. Default: none.
   */
  readonly triggers?: readonly pulumi.Input<string>[];
  /** Seconds until the task is killed and fails. Default: 120. */
  readonly timeout?: number;
  /** How often a failed run is tried again, a second apart. Default: 0. */
  readonly retries?: number;
}

/** A command that runs at the times of a cron expression; a run is skipped while the one before it goes on. */
export interface ScheduleArgs {
  readonly identity: InstanceIdentity;
  /**
   * What it does with data in systems that the target manages itself: with those it may do this, and nothing else.
   * Default: nothing.
   */
  readonly access?: DataAccess;
  /** Five fields, UTC, e.g. `0 * * * *`. */
  readonly cron: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly files?: Readonly<Record<string, File>>;
  readonly distributions?: readonly Distribution[];
  /** The memory of a run, in MiB. */
  readonly memory: number;
  /** The CPU time that a run is expected to need, in cores. */
  readonly cpu: number;
}

/** What may happen to the data of {@link ServiceArgs.stateful} servers and of other stores: arguments of every target. */
export interface DataSafetyArgs {
  /**
   * Whether Pulumi refuses to delete or replace what keeps data. What keeps none stays free to come and go.
   *
   * @default false
   */
  readonly protect?: boolean;
  /**
   * Whether data is deleted together with what keeps it; else it outlives it.
   *
   * @default false
   */
  readonly deleteData?: boolean;
}

/** A bucket that a target has made. */
export interface ManagedBucket {
  readonly bucket: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
}

/** What a managed Kafka cluster is asked for. */
export interface ManagedKafkaArgs {
  /** How many brokers. Default: the target's choice */
  readonly replicas?: number;
  /** The largest heap of a broker, in MiB. Default: the service's choice */
  readonly heap?: number;
  /** The CPU time that a broker is expected to need, in cores. Default: the service's choice */
  readonly cpu?: number;
}

/** A Kafka cluster that a target has made. */
export interface ManagedKafka {
  readonly connection: pulumi.Output<KafkaConnection>;
  /** To depend on. */
  readonly resource: pulumi.Resource;
}

/** The systems that a target can offer as services of its own. */
export interface ManagedServices {
  /**
   * Makes a bucket of S3, whose data outlives it unless that is asked for.
   *
   * @param name the component's name, with which the names of all resources begin
   */
  bucket?(name: string, opts: pulumi.CustomResourceOptions): ManagedBucket;
  /**
   * Makes a Kafka cluster.
   *
   * @param name as above
   * @param args what the component was given; what the service cannot honour is an error that names it
   */
  kafka?(name: string, args: ManagedKafkaArgs, opts: pulumi.CustomResourceOptions): ManagedKafka;
}

/**
 * Where the servers of an architecture run. A component says what runs and asks its target for the rest; it imports
 * no target itself. An argument that a target cannot honour is an error, never ignored. Resources are named as their
 * instances, see {@link instanceName}; those of several replicas may be one.
 */
export interface Target {
  /** The target's name as in the stack's configuration. */
  readonly name: "local" | "docker" | "kubernetes" | "aws";
  /** The `java` to put first in a server's command. */
  readonly java: string;
  /** The Node (24) to put first in a job's command. */
  readonly node: string;
  /** Where the instance runs. */
  placement(identity: InstanceIdentity): Placement;
  /**
   * Where people, and programs outside of the target, reach a port that the instance publishes: `host:port`. It is the
   * instance's own address where that is one everywhere.
   */
  published(identity: InstanceIdentity, port: number): string;
  /** The command that runs `command` where the instance runs, for people to run outside of the target. */
  commandIn(identity: InstanceIdentity, command: readonly string[]): string[];
  /** The absolute path of the folder of the distribution's parts. */
  directory(distribution: Distribution): string;
  /**
   * The absolute path of a job's program: the module `entry` (absolute path, TypeScript or JavaScript) bundled with what it imports,
   * `#application` being the application module given. The path carries the content's hash: new code, new path.
   */
  program(entry: string, application?: string): string;
  /** Runs the servers of a role. Returns what to depend on to come after all of them. */
  services(args: ServicesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource[];
  task(args: TaskArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource;
  schedule(args: ScheduleArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource;
  /** What the target offers as a service of its own, so that no servers have to run for it. Default: nothing */
  readonly managed?: ManagedServices;
}
