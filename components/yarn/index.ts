export * from "./yarn-cluster.ts";
