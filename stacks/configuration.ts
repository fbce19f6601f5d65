import * as z from "zod";
import { sizes } from "../components/size-profiles.ts";

const whole = (least: number) => z.coerce.number().int().min(least);

/**
 * The stack's configuration (`Pulumi.<stack>.yaml`, keys under `lambda-architecture:`). The one source of names,
 * defaults and limits; the README's table repeats it and a test compares the two.
 */
export const stackConfigurationSchema = z.strictObject({
  target: z.enum(["local"]).default("local").describe("where the servers run"),
  size: z
    .enum(sizes)
    .default("tiny")
    .describe("how large every system is: one server each for a laptop, one each with larger heaps, or several each"),
  application: z
    .string()
    .default("jobs/wikipedia/index.ts")
    .describe("the module of your events and views, relative to the project's folder"),
  topic: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,200}$/, "must be lower-case letters, digits, '.', '_' and '-'")
    .default("edits")
    .describe("the Kafka topic of the events"),
  partitions: whole(1).default(2).describe("partitions of the topic"),
  retentionHours: whole(1)
    .default(168)
    .describe("hours that Kafka keeps events; the master dataset keeps them for ever"),
  chunkSize: whole(100)
    .default(5000)
    .describe(
      "offsets a chunk: the step of batch horizons and archived files; never change it for a topic that has events",
    ),
  batchSchedule: z
    .string()
    .regex(/^\S+( \S+){4}$/, "must be a cron expression of five fields")
    .default("0 * * * *")
    .describe("when batch runs start (cron, UTC)"),
  ephemeral: z
    .stringbool()
    .default(false)
    .describe("true: servers and their data may be destroyed; false: they are protected"),
});

export type StackConfiguration = z.infer<typeof stackConfigurationSchema>;

/**
 * The stack's configuration with its defaults.
 *
 * @param values the keys that are set
 * @throws {TypeError} with one line for each key that is wrong: the key, what is wanted, and the mend
 */
export function parseStackConfiguration(values: Readonly<Record<string, string | undefined>>): StackConfiguration {
  const result = stackConfigurationSchema.safeParse(
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
  );
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const key = issue.path.join(".");
    return key === ""
      ? `  ${issue.message}`
      : `  lambda-architecture:${key}: ${issue.message}; it is ${JSON.stringify(values[key])}. Mend: npm run pulumi -- config set ${key} VALUE`;
  });
  throw new TypeError(`the stack's configuration is wrong:\n${lines.join("\n")}`);
}
