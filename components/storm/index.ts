export * from "./flux.ts";
export * from "./storm-cluster.ts";
export * from "./storm-topology.ts";
