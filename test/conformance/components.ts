import type { LoadedApplication } from "../../components/application.ts";
import { CassandraCluster } from "../../components/cassandra/index.ts";
import { DruidCluster } from "../../components/druid/index.ts";
import { HdfsStorage } from "../../components/hdfs/index.ts";
import { KafkaCluster } from "../../components/kafka/index.ts";
import { LambdaArchitecture } from "../../components/lambda-architecture.ts";
import { StormCluster, StormTopology } from "../../components/storm/index.ts";
import type { Target } from "../../components/target.ts";
import { YarnCluster } from "../../components/yarn/index.ts";
import { ZooKeeperEnsemble } from "../../components/zookeeper/index.ts";

const zooKeeper = "zookeeper.example:2181";

/** One of each component, with several replicas where it can have them: what the suite creates on every target. */
export const components: Readonly<Record<string, (target: Target, application: LoadedApplication) => unknown>> = {
  ZooKeeperEnsemble: (target) => new ZooKeeperEnsemble("zookeeper", { target, replicas: 3 }),
  KafkaCluster: (target) =>
    new KafkaCluster("kafka", { target, replicas: 3, topics: [{ name: "orders", partitions: 6, retentionHours: 24 }] }),
  CassandraCluster: (target) =>
    new CassandraCluster("cassandra", {
      target,
      replicas: 3,
      keyspaces: [{ name: "views", tables: ["CREATE TABLE IF NOT EXISTS total (key text PRIMARY KEY)"] }],
    }),
  HdfsStorage: (target) => new HdfsStorage("hdfs", { target, dataNodes: 3 }),
  YarnCluster: (target) => {
    const { fileSystem, superuser } = new HdfsStorage("hdfs", { target });
    return new YarnCluster("yarn", { target, fileSystem, user: superuser, nodeManagers: 2 });
  },
  StormCluster: (target) => new StormCluster("storm", { target, zooKeeper, nimbusReplicas: 2, supervisors: 2 }),
  StormTopology: (target) =>
    new StormTopology("topology", {
      target,
      nimbusSeeds: ["nimbus.example"],
      definition: { config: {}, spouts: [], bolts: [], streams: [] },
      resources: { "configuration.json": { content: "{}" } },
    }),
  DruidCluster: (target) => {
    const deepStorage = new HdfsStorage("hdfs", { target });
    return new DruidCluster("druid", { target, zooKeeper, deepStorage, brokers: 2, historicals: 2, indexers: 2 });
  },
  LambdaArchitecture: (target, application) => new LambdaArchitecture("lambda", { target, application, size: "ha" }),
};
