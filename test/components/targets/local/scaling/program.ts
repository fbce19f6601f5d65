/** A Pulumi program that puts the systems of `plan.json`, in the folder of its project, onto the local target. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { CassandraCluster, type CassandraClusterArgs } from "../../../../../components/cassandra/index.ts";
import { DruidCluster, type DruidClusterArgs } from "../../../../../components/druid/index.ts";
import { HdfsStorage, type HdfsStorageArgs } from "../../../../../components/hdfs/index.ts";
import { KafkaCluster, type KafkaClusterArgs } from "../../../../../components/kafka/index.ts";
import { createLocalTarget } from "../../../../../components/targets/local/index.ts";
import { ZooKeeperEnsemble, type ZooKeeperEnsembleArgs } from "../../../../../components/zookeeper/index.ts";

/** What the program deploys. */
export interface Plan {
  readonly kafka?: KafkaClusterArgs;
  readonly hdfs?: HdfsStorageArgs;
  readonly cassandra?: CassandraClusterArgs;
  readonly zooKeeper?: ZooKeeperEnsembleArgs;
  /** On the ZooKeeper of the same plan. */
  readonly druid?: Omit<DruidClusterArgs, "zooKeeper">;
}

const [project, stack, folder] = [pulumi.getProject(), pulumi.getStack(), process.cwd()];
const plan = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as Plan;
const target = createLocalTarget({ project, stack, folder: join(folder, "stacks", stack) });

if (plan.kafka) new KafkaCluster("kafka", { target, ...plan.kafka });
if (plan.hdfs) new HdfsStorage("hdfs", { target, ...plan.hdfs });
if (plan.cassandra) new CassandraCluster("cassandra", { target, ...plan.cassandra });
const zooKeeper = plan.zooKeeper && new ZooKeeperEnsemble("zookeeper", { target, ...plan.zooKeeper });
if (plan.druid && zooKeeper)
  new DruidCluster("druid", { target, zooKeeper: zooKeeper.connectString, ...plan.druid }, { dependsOn: [zooKeeper] });
