export * from "./hdfs-storage.ts";
