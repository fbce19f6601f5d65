export { DruidCluster, type DruidClusterArgs } from "./druid-cluster.ts";
