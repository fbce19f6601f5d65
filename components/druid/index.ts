export * from "./druid-cluster.ts";
