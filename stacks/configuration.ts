import * as z from "zod";
import { sizes } from "../components/size-profiles.ts";

const targets = ["local"] as const;

function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  const error = `must be a whole number ${range}`;
  return z.coerce
    .number({ error })
    .refine((value) => Number.isSafeInteger(value) && value >= least && value <= most, { error });
}

/**
 * The stack's configuration (`Pulumi.<stack>.yaml`, keys under `lambda-architecture:`). The one source of names,
 * defaults and limits; the README's table repeats it and a test compares the two.
 */
export const stackConfigurationSchema = z.strictObject({
  target: z
    .enum(targets, { error: `must be ${targets.join(" or ")}` })
    .default("local")
    .describe("where the servers run"),
  size: z
    .enum(sizes, { error: `must be one of ${sizes.join(", ")}` })
    .default("tiny")
    .describe("how large everything is: tiny, small or ha (see Sizes)"),
  application: z
    .string()
    .min(1, "must be the path of a module")
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
  chunkSize: whole(100, 1_000_000)
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
    .stringbool({ truthy: ["true"], falsy: ["false"], error: "must be true or false" })
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
  const lines = result.error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => describeUnknown(key, values[key]));
    const key = issue.path.join(".");
    return [describe(key, values[key], issue.message, `npm run pulumi -- config set ${key} VALUE`)];
  });
  throw new TypeError(`the stack's configuration is wrong:\n${lines.join("\n")}`);
}

function describeUnknown(key: string, value: string | undefined): string {
  const keys = Object.keys(stackConfigurationSchema.shape).join(", ");
  return describe(key, value, `There is no such key; the keys are ${keys}`, `npm run pulumi -- config rm ${key}`);
}

function describe(key: string, value: string | undefined, problem: string, mend: string): string {
  return `  lambda-architecture:${key}: ${problem}; it is ${JSON.stringify(value)}. Mend: ${mend}`;
}
