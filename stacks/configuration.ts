import * as z from "zod";
import { sizes } from "../components/size-profiles.ts";

/** Where the servers can run. */
export const targets = ["local", "docker", "kubernetes"] as const;
/** One of {@link targets}. */
export type TargetName = (typeof targets)[number];

/** Keys that mean something on every target. */
const commonKeys = {
  target: choice(targets).default("local").describe("where the servers run"),
  size: choice(sizes).default("tiny").describe("how large everything is: tiny, small or ha (see Sizes)"),
  application: z
    .string()
    .min(1, "must be the path of a module")
    .default("jobs/wikipedia/index.ts")
    .describe("the module of your events and views, relative to the project's folder"),
  topic: text(/^[a-z0-9][a-z0-9._-]{0,200}$/, "must be lower-case letters, digits, '.', '_' and '-'")
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
  batchSchedule: text(/^\S+( \S+){4}$/, "must be a cron expression of five fields")
    .default("0 * * * *")
    .describe("when batch runs start (cron, UTC)"),
  recomputationMinutes: whole(1)
    .default(60)
    .describe("minutes that views of changed code may take to catch up before `up` fails"),
  ephemeral: truth()
    .default(false)
    .describe("true: servers that keep data may be destroyed; false: they are protected"),
  deleteData: truth()
    .default(false)
    .describe("true, which takes `ephemeral` as well: a server's data is deleted with it; false: it outlives it"),
};

/**
 * Keys that one target alone uses. Their names start with the target's, e.g. `dockerRegistry`; set where another target
 * is chosen, they are an error. Each has a default, which means the same as not to set it.
 */
const targetKeys = {
  local: {},
  docker: {
    dockerImageBase: imageBase(),
    dockerImageRepository: imageRepository(),
    dockerImageTag: imageTag(),
    dockerPortOffset: whole(1024, 50_000)
      .default(10_000)
      .describe("what is added to a port to publish it on 127.0.0.1; stacks side by side need different ones"),
  },
  kubernetes: {
    kubernetesContext: z.string().default("").describe("the context of the kubeconfig; empty: its current one"),
    kubernetesNamespace: text(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$/, "must be lower-case letters, digits and '-'")
      .default("")
      .describe("the namespace, which belongs to the stack alone; empty: project and stack"),
    kubernetesImageBase: imageBase(),
    kubernetesImageRepository: imageRepository(),
    kubernetesImageTag: imageTag(),
    kubernetesStorageClass: z
      .string()
      .default("")
      .describe("the StorageClass of volumes; empty: the cluster's default"),
    kubernetesVolumeSize: text(/^\d+(\.\d+)?[KMGTPE]i?$/, "must be a Kubernetes quantity, e.g. 10Gi")
      .default("10Gi")
      .describe("the size of each new volume"),
    kubernetesManifests: z
      .string()
      .default("")
      .describe("the folder to write manifests to instead of applying them; empty: they are applied"),
  },
} satisfies Record<TargetName, z.ZodRawShape>;

/**
 * The stack's configuration (`Pulumi.<stack>.yaml`, keys under `lambda-architecture:`): the one source of names, types,
 * defaults, limits and descriptions. What repeats it (see configuration-documents.ts) is written by
 * `npm run configuration`.
 */
export const stackConfigurationSchema = z.strictObject({
  ...commonKeys,
  ...targetKeys.local,
  ...targetKeys.docker,
  ...targetKeys.kubernetes,
});

export type StackConfiguration = z.infer<typeof stackConfigurationSchema>;

/**
 * The stack's configuration with its defaults.
 *
 * @param values the keys that are set, as texts
 * @throws {TypeError} with one line for each key that is wrong: the key, what is wanted, and the mend
 */
export function parseStackConfiguration(values: Readonly<Record<string, string | undefined>>): StackConfiguration {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  const result = stackConfigurationSchema.safeParse(given);
  const lines = [
    ...(result.error?.issues ?? []).flatMap((issue) => {
      if (issue.code === "unrecognized_keys") return issue.keys.map((key) => describeUnknown(key, values[key]));
      const key = issue.path.join(".");
      return [describe(key, values[key], issue.message, `config set ${key} VALUE`)];
    }),
    ...foreignKeys(given).map(([key, target]) =>
      describe(key, values[key], `only the target ${target} uses it`, `config rm ${key}`),
    ),
    ...(given.deleteData === "true" && given.ephemeral !== "true"
      ? [describe("deleteData", "true", "data is deleted only where ephemeral is true", "config set ephemeral true")]
      : []),
  ];
  if (result.success && lines.length === 0) return result.data;
  throw new TypeError(`the stack's configuration is wrong:\n${lines.join("\n")}`);
}

/** The keys that are set to something and that another target than the chosen one uses, with that target. */
function foreignKeys(given: Readonly<Record<string, string | undefined>>): [key: string, target: TargetName][] {
  return targets
    .filter((target) => target !== (given.target ?? targets[0]))
    .flatMap((target) =>
      Object.entries<z.ZodType>(targetKeys[target])
        // Pulumi hands on the defaults that Pulumi.yaml states.
        .filter(([key, schema]) => given[key] !== undefined && given[key] !== String(schema.parse(undefined)))
        .map(([key]): [string, TargetName] => [key, target]),
    );
}

function describeUnknown(key: string, value: string | undefined): string {
  const keys = Object.keys(stackConfigurationSchema.shape).join(", ");
  return describe(key, value, `There is no such key; the keys are ${keys}`, `config rm ${key}`);
}

function describe(key: string, value: string | undefined, problem: string, mend: string): string {
  return `  lambda-architecture:${key}: ${problem}; it is ${JSON.stringify(value)}. Mend: npm run pulumi -- ${mend}`;
}

/** The image that a target's images begin with. */
function imageBase() {
  return z
    .string()
    .min(1, "must be an image, or own")
    .default("debian:bookworm-slim")
    .describe("the image that all others begin with; `own` makes one of Debian's packages, without a registry");
}

/** Where a target's images are. */
function imageRepository() {
  return text(/^[a-z0-9][a-z0-9._:/-]*$/, "must be a path, with or without a registry before it")
    .default("lambda-architecture")
    .describe("what the images' names begin with, a registry included");
}

/** Which of them a target takes. */
function imageTag() {
  return text(/^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$/, "must be a tag")
    .default("")
    .describe("the images' tag; empty: a hash of what each is made of");
}

/** One of several words. */
function choice<const Words extends readonly string[]>(words: Words) {
  const error = words.length === 1 ? `must be ${words[0]}` : `must be one of ${words.join(", ")}`;
  return z.enum(words, { error });
}

/** A text of this form. */
function text(form: RegExp, error: string) {
  return z.string().regex(form, error);
}

/** A whole number. Its text is what Pulumi keeps; in a file it may be either. */
function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  const isBounded = most !== Number.MAX_SAFE_INTEGER;
  const error = `must be a whole number from ${least}${isBounded ? ` to ${most}` : ""}`;
  return z.coerce
    .number({ error })
    .refine((value) => Number.isSafeInteger(value) && value >= least && value <= most, { error })
    .meta({ type: "integer", minimum: least, ...(isBounded && { maximum: most }) });
}

/** True or false, likewise. */
function truth() {
  return z
    .stringbool({ truthy: ["true"], falsy: ["false"], case: "sensitive", error: "must be true or false" })
    .meta({ type: "boolean" });
}
