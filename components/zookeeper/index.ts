export * from "./zookeeper-ensemble.ts";
