import * as z from "zod";
import { configurationSchema } from "../configuration.ts";

/** What the program of a generation is told: whose it is and where its tables are, and nothing of other views. */
export const generationConfigurationSchema = z.strictObject({
  cassandra: configurationSchema.shape.cassandra,
  /** The view's name. */
  view: z.string(),
  generation: configurationSchema.shape.generations.valueType,
});

export type GenerationConfiguration = z.infer<typeof generationConfigurationSchema>;
