import { fileURLToPath } from "node:url";
import type { Distribution } from "../target.ts";

export * from "./configuration.ts";

/** The jars of HDFS, YARN and MapReduce: one set, since a YARN container needs all of them. */
export const hadoopDistribution: Distribution = {
  name: "hadoop",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
  runsPrograms: true,
};
