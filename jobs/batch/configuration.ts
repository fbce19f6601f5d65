import type * as z from "zod";
import { configurationSchema } from "../configuration.ts";
import { hadoopClientSchema } from "./map-reduce.ts";

/** What the batch program is told: what every job is, and how it submits to Hadoop. */
export const batchConfigurationSchema = configurationSchema.extend({ hadoop: hadoopClientSchema });

export type BatchConfiguration = z.infer<typeof batchConfigurationSchema>;
