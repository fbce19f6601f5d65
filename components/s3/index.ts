import { fileURLToPath } from "node:url";
import type { Distribution } from "../target.ts";

export type { S3Credentials } from "./configuration.ts";
export * from "./s3-storage.ts";

/** The jars by which Hadoop reaches S3, beside `hadoopDistribution`, whose jars come before them on a class path. */
export const s3aDistribution: Distribution = {
  name: "hadoop-s3",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
};
