export * from "./cassandra-cluster.ts";
