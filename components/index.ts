/**
 * A Lambda architecture as Pulumi components: as a whole, {@link LambdaArchitecture}, or one system alone, such as
 * {@link KafkaCluster}. What runs on them is written with the functions of `lambda-architecture/jobs`, which are here
 * too.
 *
 * @module lambda-architecture
 */
export * from "../jobs/index.ts";
export type { KafkaConnection } from "../jobs/kafka/connection.ts";
export { type LoadedApplication, loadApplication } from "./application.ts";
export * from "./cassandra/index.ts";
export * from "./druid/index.ts";
export * from "./hdfs/index.ts";
export * from "./kafka/index.ts";
export { LambdaArchitecture, type LambdaArchitectureArgs } from "./lambda-architecture.ts";
export * from "./s3/index.ts";
export { type JobSizeArgs, type Size, type SystemArgs, sizes } from "./size-profiles.ts";
export { type StorageKind, storageKinds } from "./storage.ts";
export * from "./storm/index.ts";
export * from "./target.ts";
export {
  createLocalTarget,
  type Free,
  type LocalService,
  LocalTarget,
  type LocalTargetArgs,
  type LocalTask,
  type Surroundings,
} from "./targets/local/index.ts";
export * from "./yarn/index.ts";
export * from "./zookeeper/index.ts";
