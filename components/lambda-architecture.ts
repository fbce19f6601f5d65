import * as pulumi from "@pulumi/pulumi";
import type { Configuration } from "../jobs/configuration.ts";
import { type ViewLayout, viewFormats } from "../jobs/formats.ts";
import { createIncarnationTable } from "../jobs/log/incarnation.ts";
import {
  alterPointerTable,
  createLeaseTable,
  createPointerTable,
  createRetiredTable,
  createViewTables,
} from "../jobs/speed/tables.ts";
import type { LoadedApplication } from "./application.ts";
import { CassandraCluster } from "./cassandra/index.ts";
import { DruidCluster } from "./druid/index.ts";
import { InputErrors } from "./input-errors.ts";
import {
  archiverAccess,
  batchAccess,
  type DataNames,
  recomputationAccess,
  servingAccess,
  speedAccess,
  tasksAccess,
} from "./jobs/access.ts";
import { createBatchLayer } from "./jobs/batch.ts";
import type { JobArgs } from "./jobs/configuration.ts";
import { createGeneration } from "./jobs/generation.ts";
import { createRecomputation } from "./jobs/recomputation.ts";
import { createJobServer } from "./jobs/server.ts";
import { createSpeedLayer } from "./jobs/speed.ts";
import { KafkaCluster } from "./kafka/index.ts";
import { limits } from "./limits.ts";
import { viewGeneration } from "./programs.ts";
import { scheduleProblem } from "./schedule.ts";
import { type JobSizeArgs, type Size, type SystemArgs, sizes, systemArgs } from "./size-profiles.ts";
import { createStorage, type StorageKind, storageKinds } from "./storage.ts";
import { StormCluster } from "./storm/index.ts";
import type { Target } from "./target.ts";
import { YarnCluster } from "./yarn/index.ts";
import { ZooKeeperEnsemble } from "./zookeeper/index.ts";

/** The arguments of a {@link LambdaArchitecture}. */
export interface LambdaArchitectureArgs extends SystemArgs {
  /** Where everything runs. */
  readonly target: Target;
  /** Your events and views, see `loadApplication`. */
  readonly application: LoadedApplication;
  /** The Kafka topic of the events. Default: `edits` */
  readonly topic?: string;
  /** Partitions of the topic. Default: 2 */
  readonly partitions?: number;
  /**
   * Hours that Kafka keeps events at least: longer until they are archived and in a batch view of every view. The master
   * dataset keeps them for ever. Default: 168
   */
  readonly retentionHours?: number;
  /** Minutes until an event is in the storage of the master dataset, however few there are. Default: 10 */
  readonly archiveMinutes?: number;
  /** Hours until a chunk with events is closed although it is not full, so that batch views have them. Default: 24 */
  readonly sealHours?: number;
  /** Which life of the topic's log is read, see the README, "When the log is another one". Default: 1 */
  readonly logIncarnation?: number;
  /** Offsets a chunk: the step of batch horizons and archived files. Never change it for a topic. Default: 5,000 */
  readonly chunkSize?: number;
  /** When batch runs start: five fields of cron, UTC. Default: every full hour */
  readonly batchSchedule?: string;
  /**
   * What keeps the master dataset and the output of batch runs: HDFS on servers of its own, or a bucket of S3 (see the
   * argument `s3`). Never change it for an architecture that has events: nothing is copied. Default: `s3` on a target that makes buckets (AWS), else `hdfs`
   */
  readonly storage?: StorageKind;
  /**
   * Minutes that views whose code has changed may take to be computed anew, before the deployment fails and the former
   * code goes on answering. Default: 60
   */
  readonly recomputationMinutes?: number;
  /** How large every system is, see `sizes`; the arguments of a single system go over it. Default: `tiny` */
  readonly size?: Size;
}

/** Events of more bytes than this go to the dead-letter topic: Kafka's own limit for a batch, with room for its head. */
const maxEventBytes = 1_000_000;
const keyspace = "lambda";
const archiverPort = 9300;
const servingPort = 8080;

/**
 * A whole Lambda architecture: events in Kafka; the archiver, HDFS or S3, MapReduce and Druid as the batch layer; Storm and
 * Cassandra as the speed layer; and a serving layer that merges both, exactly.
 *
 * ```ts
 * const architecture = new LambdaArchitecture("lambda", {
 *   target: createLocalTarget({ project: "example", stack: "dev", folder: "/path/to/state" }),
 *   application: await loadApplication("/path/to/application.ts"),
 * });
 * export const queryUrl = architecture.queryUrl;
 * ```
 */
export class LambdaArchitecture extends pulumi.ComponentResource {
  /** The serving layer's address: `http://host:port`. */
  readonly queryUrl: pulumi.Output<string>;
  /** The archiver's address, with its metrics: `http://host:port`. */
  readonly archiverUrl: pulumi.Output<string>;
  /** `host:port` of the Kafka brokers as they are reached from outside of the target, joined by commas. */
  readonly bootstrapServers: pulumi.Output<string>;
  /** The topic to write events to. */
  readonly topic: pulumi.Output<string>;
  /** The command of a batch run, to start one between the scheduled ones. */
  readonly batchCommand: pulumi.Output<string[]>;
  /** Where the master dataset is: `hdfs://host:port`, or `s3a://bucket`. */
  readonly fileSystem: pulumi.Output<string>;
  /** The text of the jobs' configuration, for sources and tools. */
  readonly configuration: pulumi.Output<string>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: LambdaArchitectureArgs, opts?: pulumi.ComponentResourceOptions) {
    const inputs = withDefaults(args);
    const { size = "tiny" } = args;
    checkInputs(name, inputs, size, args);
    const systems = systemArgs(size, args);
    const generations = Object.fromEntries(
      args.application.application.views.map(({ name }) => [
        name,
        viewGeneration(args.application.module, name, viewLayout(inputs)),
      ]),
    );
    super("lambda-architecture:index:LambdaArchitecture", name, { ...inputs, views: generations }, opts);

    const servers = createServers(this, name, args.target, systems, inputs, generations, args.kafka);
    const configuration = createConfiguration(servers, inputs, generations);
    const jobs = createJobs(this, name, args, systems.jobs, inputs, servers, generations, configuration);

    this.queryUrl = pulumi.output(jobs.servingUrl);
    this.archiverUrl = pulumi.output(jobs.archiverUrl);
    this.bootstrapServers = servers.kafka.publishedBootstrapServers.apply((brokers) => brokers.join(","));
    this.topic = pulumi.output(inputs.topic);
    this.batchCommand = pulumi.output(jobs.batchCommand);
    this.fileSystem = pulumi.output(servers.storage.yarn.fileSystem);
    this.configuration = configuration;
    this.registerOutputs({
      queryUrl: this.queryUrl,
      archiverUrl: this.archiverUrl,
      bootstrapServers: this.bootstrapServers,
      topic: this.topic,
      batchCommand: this.batchCommand,
      fileSystem: this.fileSystem,
      configuration: this.configuration,
    });
  }
}

interface Inputs {
  readonly topic: string;
  readonly partitions: number;
  readonly retentionHours: number;
  readonly archiveMinutes: number;
  readonly sealHours: number;
  readonly logIncarnation: number;
  readonly chunkSize: number;
  readonly batchSchedule: string;
  readonly storage: StorageKind;
  readonly recomputationMinutes: number;
}

type Servers = ReturnType<typeof createServers>;

function withDefaults(args: LambdaArchitectureArgs): Inputs {
  return {
    topic: args.topic ?? "edits",
    partitions: args.partitions ?? 2,
    retentionHours: args.retentionHours ?? 168,
    archiveMinutes: args.archiveMinutes ?? 10,
    sealHours: args.sealHours ?? 24,
    logIncarnation: args.logIncarnation ?? 1,
    chunkSize: args.chunkSize ?? 5000,
    batchSchedule: args.batchSchedule ?? "0 * * * *",
    storage: args.storage ?? (args.target.managed?.bucket === undefined ? "hdfs" : "s3"),
    recomputationMinutes: args.recomputationMinutes ?? 60,
  };
}

function checkInputs(name: string, inputs: Inputs, size: Size, { hdfs, s3, jobs = {} }: SystemArgs): void {
  const errors = new InputErrors(`LambdaArchitecture ${JSON.stringify(name)}`);
  errors.check(
    /^[a-z0-9][a-z0-9._-]{0,200}$/.test(inputs.topic),
    "topic",
    `must be lower-case letters, digits, '.', '_' and '-'; it is ${JSON.stringify(inputs.topic)}`,
  );
  for (const number of ["partitions", "logIncarnation", "chunkSize", "recomputationMinutes"] as const)
    errors.checkWhole(inputs[number], number, limits[number].least, limits[number].most);
  for (const duration of ["retentionHours", "archiveMinutes", "sealHours"] as const)
    errors.check(
      inputs[duration] >= limits[duration].least && inputs[duration] <= limits[duration].most,
      duration,
      `must be a number from ${limits[duration].least} to ${limits[duration].most}; it is ${inputs[duration]}`,
    );
  const schedule = scheduleProblem(inputs.batchSchedule);
  errors.check(
    schedule === undefined,
    "batchSchedule",
    `${schedule}; it is ${JSON.stringify(inputs.batchSchedule.slice(0, 100))}`,
  );
  errors.check(sizes.includes(size), "size", `must be one of ${sizes.join(", ")}; it is ${JSON.stringify(size)}`);
  const { storage } = inputs;
  errors.check(
    storageKinds.includes(storage),
    "storage",
    `must be one of ${storageKinds.join(", ")}; it is ${JSON.stringify(storage)}`,
  );
  for (const [property, given] of [
    ["hdfs", hdfs],
    ["s3", s3],
  ] as const)
    errors.check(
      storage === property || given === undefined,
      property,
      `must not be given with storage ${JSON.stringify(storage)}; leave it out, or choose storage ${JSON.stringify(property)}`,
    );
  if (jobs.archiverMemory !== undefined) errors.checkWhole(jobs.archiverMemory, "jobs.archiverMemory", 128);
  if (jobs.servingMemory !== undefined) errors.checkWhole(jobs.servingMemory, "jobs.servingMemory", 128);
  for (const cpu of ["archiverCpu", "servingCpu"] as const)
    if (jobs[cpu] !== undefined) errors.checkCpu(jobs[cpu], `jobs.${cpu}`);
  if (jobs.bolts !== undefined) errors.checkWhole(jobs.bolts, "jobs.bolts", 1);
  errors.throwIfAny();
}

/** How the speed views' rows are spread, see `Configuration.speed`. */
const speedLayout = { shards: 8, chunksPerEra: 4 };

/** Where and how a view's rows are stored: part of its generation. */
function viewLayout({ topic, chunkSize, logIncarnation }: Inputs): ViewLayout {
  return { topic, chunkSize, ...speedLayout, incarnation: logIncarnation, formats: viewFormats };
}

/** The folders of the storage. */
const [masterDataset, openChunks, batchViews] = ["/master", "/open", "/batch"];

function dataNames(topic: string): DataNames {
  return { topic, deadLetterTopic: deadLetterTopic(topic), masterDataset, openChunks, batchViews };
}

/**
 * No record goes by its age, or by the topic's size: the archiver trims the topic of the events, and dead letters are
 * the only copy. The broker's own time stands at every record, since ages are counted by it. What is acknowledged is on
 * the disk.
 */
const topicSettings = {
  "retention.ms": "-1",
  "retention.bytes": "-1",
  "message.timestamp.type": "LogAppendTime",
  "flush.messages": "1",
};

function deadLetterTopic(topic: string): string {
  return `${topic}-dead-letters`;
}

/** The systems, each started as early as what it needs allows. */
function createServers(
  parent: pulumi.Resource,
  name: string,
  target: Target,
  systems: Required<SystemArgs>,
  { topic, partitions, storage: storageKind }: Inputs,
  generations: Readonly<Record<string, string>>,
  given: SystemArgs["kafka"],
) {
  const zooKeeper = new ZooKeeperEnsemble(`${name}-zookeeper`, { ...systems.zooKeeper, target }, { parent });
  const kafka = new KafkaCluster(
    `${name}-kafka`,
    {
      // Sizes are of our own brokers: those of a managed service are the target's to choose.
      ...(target.managed?.kafka === undefined ? systems.kafka : given),
      target,
      topics: [
        { name: topic, partitions, configuration: topicSettings },
        { name: deadLetterTopic(topic), partitions, configuration: topicSettings },
      ],
    },
    { parent },
  );
  const cassandra = new CassandraCluster(
    `${name}-cassandra`,
    {
      ...systems.cassandra,
      target,
      keyspaces: [
        {
          name: keyspace,
          tables: [
            ...[createPointerTable, ...alterPointerTable, createLeaseTable, createRetiredTable, createIncarnationTable],
            ...Object.entries(generations).flatMap(([view, generation]) => createViewTables(view, generation)),
          ],
        },
      ],
    },
    { parent },
  );
  const storage = createStorage(storageKind, name, target, systems, { parent });
  const storm = new StormCluster(
    `${name}-storm`,
    {
      ...systems.storm,
      target,
      zooKeeper: zooKeeper.connectString,
      // The speed layer reads events and writes rows.
      access: speedAccess(dataNames(topic)),
      reaches: pulumi.all([kafka.bootstrapServers, cassandra.contactPoints]).apply((addresses) => addresses.flat()),
    },
    { parent, dependsOn: [zooKeeper] },
  );
  const sharesFolders = target.name === "local";
  const druid = new DruidCluster(
    `${name}-druid`,
    {
      ...(!sharesFolders && storage.druid),
      ...systems.druid,
      target,
      zooKeeper: zooKeeper.connectString,
    },
    { parent, dependsOn: [zooKeeper, ...(sharesFolders ? [] : [storage.component])] },
  );
  const yarn = new YarnCluster(
    `${name}-yarn`,
    { ...systems.yarn, ...storage.yarn, access: tasksAccess(dataNames(topic)), target },
    { parent },
  );
  return { zooKeeper, kafka, cassandra, storage, storm, druid, yarn };
}

/** What the jobs are told. */
function createConfiguration(
  { kafka, cassandra, storage, druid }: Servers,
  { topic, partitions, chunkSize, archiveMinutes, sealHours, retentionHours, logIncarnation }: Inputs,
  generations: Readonly<Record<string, string>>,
): pulumi.Output<string> {
  const configuration = pulumi
    .all([
      kafka.connection,
      cassandra.contactPoints,
      cassandra.localDataCenter,
      storage.configuration,
      druid.brokerUrl,
      druid.coordinatorUrl,
    ])
    .apply(
      ([connection, contactPoints, localDataCenter, files, broker, coordinator]): Configuration => ({
        topic,
        deadLetterTopic: deadLetterTopic(topic),
        partitions,
        chunkSize,
        maxEventBytes,
        kafka: { ...connection, bootstrapServers: [...connection.bootstrapServers] },
        storage: files,
        masterDataset,
        openChunks,
        archiveMinutes,
        sealHours,
        retentionHours,
        incarnation: logIncarnation,
        batchViews,
        cassandra: { contactPoints, localDataCenter, keyspace },
        druid: { broker, coordinator },
        speed: speedLayout,
        generations,
      }),
    );
  return configuration.apply((value) => JSON.stringify(value, undefined, 2));
}

/** The TypeScript that runs on the servers. */
function createJobs(
  parent: pulumi.Resource,
  name: string,
  { target, application }: LambdaArchitectureArgs,
  { archiverMemory = 288, archiverCpu = 0.1, servingMemory = 416, servingCpu = 0.1, bolts = 1 }: JobSizeArgs,
  { topic, batchSchedule, recomputationMinutes: minutes }: Inputs,
  { kafka, cassandra, storage, storm, druid, yarn }: Servers,
  generations: Readonly<Record<string, string>>,
  configuration: pulumi.Output<string>,
) {
  const job = (dependsOn: pulumi.Resource[]): JobArgs => ({
    name,
    parent,
    target,
    application,
    configuration,
    dependsOn,
  });
  const { component, files } = storage;
  const archiver = createJobServer({
    ...job([kafka, component]),
    files,
    access: archiverAccess(dataNames(topic)),
    role: "archiver",
    entry: "archive/main.ts",
    port: archiverPort,
    memory: archiverMemory,
    cpu: archiverCpu,
  });
  const views = Object.entries(generations).map(([view, generation]) =>
    createGeneration({ ...job([cassandra]), view, generation }),
  );
  const recomputation = createRecomputation({
    ...job([kafka, cassandra, ...views]),
    files,
    access: recomputationAccess(dataNames(topic)),
    yarn,
    generations,
    minutes,
  });
  // It starts with new code when the views of that code have caught up.
  const serving = createJobServer({
    ...job([kafka, cassandra, recomputation]),
    files,
    access: servingAccess(dataNames(topic)),
    role: "serving",
    entry: "serving/main.ts",
    port: servingPort,
    isPublished: true,
    overlaps: true,
    memory: servingMemory,
    cpu: servingCpu,
  });
  createSpeedLayer({
    ...job([kafka, cassandra, storm, ...views]),
    nimbusSeeds: storm.nimbusSeeds,
    bolts,
    generations,
  });
  const batch = createBatchLayer({
    ...job([cassandra, component, yarn, druid, ...views]),
    files,
    access: batchAccess(dataNames(topic)),
    yarn,
    cron: batchSchedule,
  });
  return { archiverUrl: archiver.url, servingUrl: serving.url, batchCommand: batch.command };
}
