import type { CassandraClusterArgs } from "./cassandra/index.ts";
import type { DruidClusterArgs } from "./druid/index.ts";
import type { HdfsStorageArgs } from "./hdfs/index.ts";
import type { KafkaClusterArgs } from "./kafka/index.ts";
import type { S3StorageArgs } from "./s3/index.ts";
import type { StormClusterArgs } from "./storm/index.ts";
import type { YarnClusterArgs } from "./yarn/index.ts";
import type { ZooKeeperEnsembleArgs } from "./zookeeper/index.ts";

/**
 * How large an architecture is:
 *
 * - `tiny`: one server of each kind with small heaps, for a laptop, tests and the demo.
 * - `small`: one server of each kind with larger heaps, for more keys and longer logs.
 * - `ha`: several of each server that can have peers, three where data is kept or votes are cast, so that any one of
 *   them may be lost. Heaps as in `tiny`, so that it fits one machine; raise them where each has its own.
 *
 * One NameNode, ResourceManager, history server, Druid coordinator and Druid broker there are in every size, and one
 * process of each job: while one of these is away, its part waits, and goes on where it was.
 *
 * From any to any other is a change of a running architecture that keeps its data: servers come and take their part, or
 * give their data to the others and go, and a restart where sizes alone differ. Kafka's controllers never change, though:
 * `ha` that began as another size says `kafka: { controllers: 1 }`, and waits while the broker that has them is away.
 */
export const sizes = ["tiny", "small", "ha"] as const;
/** One of {@link sizes}. */
export type Size = (typeof sizes)[number];

/** Sizes of the jobs, the TypeScript that runs on the servers. */
export interface JobSizeArgs {
  /**
   * The memory of the archiver, in MiB.
   *
   * @default 288
   */
  readonly archiverMemory?: number;
  /**
   * The CPU time that the archiver is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.1
   */
  readonly archiverCpu?: number;
  /**
   * The memory of the serving layer, in MiB.
   *
   * @default 416
   */
  readonly servingMemory?: number;
  /**
   * The CPU time that the serving layer is expected to need, in cores. It may take more where there is more.
   *
   * @default 0.1
   */
  readonly servingCpu?: number;
  /**
   * The speed layer's processes that aggregate events. More of them than the topic has partitions are idle; each
   * takes up to 256 MiB of Storm's `workerShellMemory`.
   *
   * @default 1
   */
  readonly bolts?: number;
}

/** The arguments of the single systems, over those of the size. */
export interface SystemArgs {
  readonly zooKeeper?: ZooKeeperEnsembleArgs;
  readonly kafka?: Omit<KafkaClusterArgs, "topics">;
  readonly hdfs?: HdfsStorageArgs;
  readonly s3?: S3StorageArgs;
  readonly yarn?: Omit<YarnClusterArgs, "access" | "fileSystem" | "s3" | "user" | "replication">;
  readonly storm?: Omit<StormClusterArgs, "access" | "zooKeeper">;
  readonly cassandra?: Omit<CassandraClusterArgs, "keyspaces">;
  readonly druid?: Omit<DruidClusterArgs, "target" | "zooKeeper">;
  readonly jobs?: JobSizeArgs;
}

/**
 * What a size gives to each system. Nothing is said twice: `tiny` is the components' own defaults, and what follows
 * from another value (copies of data from the number of servers, a NodeManager's memory from that of its tasks) is
 * left to the component, so that one value alone can be overridden.
 */
export function sizeProfile(size: Size): Required<SystemArgs> {
  return profiles[size];
}

const tiny: Required<SystemArgs> = {
  zooKeeper: {},
  kafka: {},
  hdfs: {},
  s3: {},
  yarn: {},
  storm: {},
  cassandra: {},
  druid: {},
  jobs: {},
};

const small: Required<SystemArgs> = {
  zooKeeper: { heap: 128, cpu: 0.1 },
  kafka: { heap: 512, cpu: 0.3 },
  hdfs: { nameNodeHeap: 384, nameNodeCpu: 0.1, dataNodeHeap: 192, dataNodeCpu: 0.2 },
  s3: {},
  yarn: {
    virtualCores: 4,
    masterMemory: 1024,
    taskMemory: 1024,
    taskHeap: 384,
    containerMemory: 4096,
    resourceManagerHeap: 256,
    resourceManagerCpu: 0.1,
    nodeManagerHeap: 192,
    nodeManagerCpu: 0.7,
    historyServerHeap: 160,
  },
  storm: { nimbusHeap: 256, supervisorCpu: 0.4, workerHeap: 256, workerShellMemory: 640 },
  cassandra: { heap: 768, cpu: 0.5 },
  druid: {
    coordinatorHeap: 320,
    brokerHeap: 384,
    brokerCpu: 0.2,
    historicalHeap: 384,
    historicalCpu: 0.2,
    indexerHeap: 768,
    indexerCpu: 0.3,
  },
  jobs: { archiverMemory: 384, archiverCpu: 0.2, servingMemory: 640, servingCpu: 0.2, bolts: 2 },
};

const ha: Required<SystemArgs> = {
  zooKeeper: { replicas: 3 },
  kafka: { replicas: 3 },
  hdfs: { dataNodes: 3 },
  s3: {},
  yarn: { nodeManagers: 2 },
  storm: { nimbusReplicas: 2, supervisors: 2 },
  cassandra: { replicas: 3 },
  // One broker: the jobs ask the first one only.
  druid: { historicals: 2, indexers: 2 },
  jobs: {},
};

const profiles: Readonly<Record<Size, Required<SystemArgs>>> = { tiny, small, ha };

/**
 * What each system is given: the size's values, and over them those that are given for a system one by one.
 *
 * @param given a value that is undefined leaves the size's
 */
export function systemArgs(size: Size, given: SystemArgs): Required<SystemArgs> {
  const profile = sizeProfile(size);
  return {
    zooKeeper: over(profile.zooKeeper, given.zooKeeper),
    kafka: over(profile.kafka, given.kafka),
    hdfs: over(profile.hdfs, given.hdfs),
    s3: over(profile.s3, given.s3),
    yarn: over(profile.yarn, given.yarn),
    storm: over(profile.storm, given.storm),
    cassandra: over(profile.cassandra, given.cassandra),
    druid: over(profile.druid, given.druid),
    jobs: over(profile.jobs, given.jobs),
  };
}

function over<T extends object>(profile: T, given: T | undefined): T {
  const said = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  return { ...profile, ...Object.fromEntries(said) };
}
