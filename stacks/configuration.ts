import * as z from "zod";
import { upstreamSystems } from "../components/images/upstream.ts";
import { type Limits, limits } from "../components/limits.ts";
import { scheduleProblem } from "../components/schedule.ts";
import { type Size, sizes } from "../components/size-profiles.ts";
import { type StorageKind, storageKinds } from "../components/storage.ts";
import { awsSizes } from "../components/targets/aws/sizes.ts";

/** Where the servers can run. */
export const targets = ["local", "docker", "kubernetes", "aws"] as const;
/** One of {@link targets}. */
export type TargetName = (typeof targets)[number];

/** Addresses that are not the whole internet. */
const addressBlock = "\\d{1,3}(\\.\\d{1,3}){3}/([1-9]|[12]\\d|3[0-2])";
const addressBlocksWanted =
  "must be blocks of addresses smaller than the whole internet, joined by commas, e.g. 203.0.113.7/32";

/** What AWS calls a resource: its kind, and 8 hexadecimal digits or, since 2016, 17. */
const awsId = (kind: string) => `${kind}-[0-9a-f]{8}([0-9a-f]{9})?`;

/** Keys that mean something on every target. */
const commonKeys = {
  target: choice(targets).default("local").describe("where the servers run"),
  size: choice(sizes).default("tiny").describe("how large everything is: tiny, small or ha (see Sizes)"),
  kafkaControllers: whole({ least: 0, most: 99 })
    .default(0)
    .describe(
      "brokers that are Kafka's controllers too, which never changes for a stack that has events; 0: as many as the size has. 1 lets a stack that began as tiny or small become ha",
    ),
  application: z
    .string()
    .min(1, "must be the path of a module")
    .default("jobs/wikipedia/index.ts")
    .describe("the module of your events and views, relative to the project's folder"),
  topic: text(/^[a-z0-9][a-z0-9._-]{0,200}$/, "must be lower-case letters, digits, '.', '_' and '-'")
    .default("edits")
    .describe("the Kafka topic of the events"),
  partitions: whole(limits.partitions).default(2).describe("partitions of the topic"),
  retentionHours: decimal(limits.retentionHours)
    .default(168)
    .describe(
      "hours that Kafka keeps events at least: longer until they are archived and in a batch view; the master dataset keeps them for ever",
    ),
  archiveMinutes: decimal(limits.archiveMinutes)
    .default(10)
    .describe("minutes until an event is in the master dataset's storage, however few there are"),
  sealHours: decimal(limits.sealHours)
    .default(24)
    .describe("hours until a chunk with events is closed although it is not full, so that batch views have them"),
  logIncarnation: whole(limits.logIncarnation)
    .default(1)
    .describe("which life of the topic's log is read; `npm run batch -- --accept-loss` sets it"),
  chunkSize: whole(limits.chunkSize)
    .default(5000)
    .describe(
      "offsets a chunk: the step of batch horizons and archived files; never change it for a topic that has events",
    ),
  batchSchedule: schedule().default("0 * * * *").describe("when batch runs start (cron, UTC)"),
  recomputationMinutes: whole(limits.recomputationMinutes)
    .default(60)
    .describe("minutes that views of changed code may take to catch up before `up` fails"),
  storage: choice(["", ...storageKinds])
    .default("")
    .describe(
      "what keeps the master dataset: hdfs, or s3, a bucket; empty: hdfs, on aws s3. Never change it for a stack that has events",
    ),
  ephemeral: truth()
    .default(false)
    .describe("true: servers that keep data may be destroyed; false: they are protected"),
  deleteData: truth()
    .default(false)
    .describe("true, which takes `ephemeral` as well: a server's data is deleted with it; false: it outlives it"),
};

/**
 * Keys that only `storage: s3` uses, on a target that makes no bucket itself. Set where another storage is chosen, they
 * are an error.
 */
const s3Keys = {
  s3Bucket: text(/^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/, "must be 3 to 63 lower-case letters, digits, '.' and '-'")
    .default("")
    .describe("the bucket, which must be there; it is never deleted"),
  s3Endpoint: text(/^(https?:\/\/[^/?#@\s]+)?$/, "must be http://host:port or https://host, without a path")
    .default("")
    .describe("the address of the server that speaks S3's protocol; empty: AWS's own"),
  s3Region: text(/^[a-z0-9-]+$/, "must be a region's name, e.g. eu-central-1")
    .default("us-east-1")
    .describe("the bucket's region; servers other than AWS's mostly take any"),
  s3PathStyle: truth()
    .default(true)
    .describe("with s3Endpoint: whether the bucket is in the path of an address instead of in the host's name"),
  s3AccessKeyId: secret().describe("the access key; empty: what AWS's SDK finds where the servers run, e.g. a role"),
  s3SecretAccessKey: secret().describe("what belongs to it"),
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
    dockerUpstreamImages: upstreamImages(),
    dockerPortOffset: whole({ least: 1024, most: 50_000 })
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
    kubernetesUpstreamImages: upstreamImages(),
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
  aws: {
    awsAccount: text(/^(\d{12})?$/, "must be the 12 digits of an account")
      .default("")
      .describe("the account that all belongs to: must be set, and nothing is done with credentials of another"),
    awsRegion: text(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be a region's name, e.g. eu-central-1")
      .default("eu-central-1")
      .describe("the region"),
    awsApiAccess: text(new RegExp(`^(${addressBlock}(,${addressBlock})*)?$`), addressBlocksWanted)
      .default("")
      .describe(
        "who may call the Kubernetes API from outside of the network, as blocks of addresses joined by commas; empty: nobody",
      ),
    awsVpcId: text(new RegExp(`^(${awsId("vpc")})?$`), "must be a VPC's id, e.g. vpc-0123456789abcdef0")
      .default("")
      .describe(
        "the VPC to use, which takes `awsVpcCidrBlock` and `awsPrivateSubnetIds` as well; empty: one of its own. Never change it for a stack that is up",
      ),
    awsVpcCidrBlock: text(
      /^(\d{1,3}(\.\d{1,3}){3}\/(1[6-9]|2[0-8]))?$/,
      "must be a block of addresses from /16 to /28, e.g. 10.0.0.0/16",
    )
      .default("")
      .describe("the addresses of that VPC"),
    awsPrivateSubnetIds: text(
      new RegExp(`^(${awsId("subnet")}(,${awsId("subnet")})+)?$`),
      "must be the ids of at least two subnets, joined by commas, e.g. subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    )
      .default("")
      .describe(
        "private subnets of that VPC, joined by commas, each in an availability zone of its own: two, three for `size: ha`",
      ),
    awsImageBase: imageBase(),
    awsImageTag: imageTag(),
    awsVolumeSize: text(/^\d+Gi$/, "must be a number of GiB, e.g. 10Gi")
      .default("10Gi")
      .describe("the size of each new volume of a server"),
  },
} satisfies Record<TargetName, z.ZodRawShape>;

/**
 * The stack's configuration (`Pulumi.<stack>.yaml`, keys under `lambda-architecture:`): the one source of names, types,
 * defaults, limits and descriptions. What repeats it (see configuration-documents.ts) is written by
 * `npm run configuration`.
 */
export const stackConfigurationSchema = z.strictObject({
  ...commonKeys,
  ...s3Keys,
  ...targetKeys.local,
  ...targetKeys.docker,
  ...targetKeys.kubernetes,
  ...targetKeys.aws,
});

export type StackConfiguration = z.infer<typeof stackConfigurationSchema>;

/** The keys whose values are secrets. */
export const secretKeys: readonly string[] = Object.entries<z.ZodType>(stackConfigurationSchema.shape)
  .filter(([, schema]) => schema.meta()?.secret === true)
  .map(([key]) => key);

/** What keeps the master dataset. */
export function storageOf({ storage, target }: Pick<StackConfiguration, "storage" | "target">): StorageKind {
  return storage === "" ? (target === "aws" ? "s3" : "hdfs") : storage;
}

type Values = Readonly<Record<string, string | undefined>>;

/**
 * The stack's configuration with its defaults.
 *
 * @param values the keys that are set, as texts
 * @param encrypted those of them that the stack's file keeps encrypted: no message says their values. Default: none
 * @param stack the stack's name, which the fix then names. Default: the selected stack is meant
 * @throws {TypeError} with one line for each key that is wrong: the key, what is wanted, and the fix
 */
export function parseStackConfiguration(
  values: Values,
  encrypted: ReadonlySet<string> = new Set(),
  stack?: string,
): StackConfiguration {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  const result = stackConfigurationSchema.safeParse(given);
  const problems = [
    ...(result.error?.issues ?? []).flatMap((issue) => {
      if (issue.code === "unrecognized_keys") return issue.keys.map(unknownKey);
      const key = issue.path.join(".");
      return [{ key, problem: issue.message, fix: `config set ${key} VALUE` }];
    }),
    ...foreignKeys(given).map(([key, target]) => ({
      ...{ key, problem: `only the target ${target} uses it`, fix: `config rm ${key}` },
    })),
    ...storageProblems(given),
    ...networkProblems(given),
    ...secretProblems(given, encrypted),
    ...(given.target === "aws" && isUnset(given, "awsAccount")
      ? [{ key: "awsAccount", problem: "the target aws needs it: 12 digits", fix: "config set awsAccount VALUE" }]
      : []),
    ...(given.target === "aws" && !isUnset(given, "kafkaControllers")
      ? [
          {
            key: "kafkaControllers",
            problem: "on aws the brokers are a managed service's, with controllers of its own",
            fix: "config rm kafkaControllers",
          },
        ]
      : []),
    ...(given.deleteData === "true" && given.ephemeral !== "true"
      ? [
          {
            key: "deleteData",
            problem: "data is deleted only where ephemeral is true",
            fix: "config set ephemeral true",
          },
        ]
      : []),
  ];
  if (result.success && problems.length === 0) return result.data;
  const lines = problems.map((each) => describe(each, given[each.key], encrypted, stack));
  throw new TypeError(`the stack's configuration is wrong:\n${lines.join("\n")}`);
}

/** What is wrong with a key, and the arguments of the command that fixes it. */
interface Problem {
  readonly key: string;
  readonly problem: string;
  readonly fix: string;
}

/** The keys that are set to something and that another target than the chosen one uses, with that target. */
function foreignKeys(given: Values): [key: string, target: TargetName][] {
  return targets
    .filter((target) => target !== (given.target ?? targets[0]))
    .flatMap((target) =>
      Object.keys(targetKeys[target])
        .filter((key) => !isUnset(given, key))
        .map((key): [string, TargetName] => [key, target]),
    );
}

/** Whether the key is not set, or to its default: Pulumi hands on the defaults that Pulumi.yaml states. */
function isUnset(given: Values, key: string): boolean {
  const schema: z.ZodType | undefined = stackConfigurationSchema.shape[key as keyof StackConfiguration];
  return given[key] === undefined || given[key] === String(schema?.parse(undefined));
}

/** What does not go together about the storage. */
function storageProblems(given: Values): Problem[] {
  const { storage = "", target = targets[0] } = given;
  const set = Object.keys(s3Keys).filter((key) => !isUnset(given, key));
  const unused = (problem: string) => set.map((key) => ({ key, problem, fix: `config rm ${key}` }));
  if (target === "aws")
    return [
      ...(storage === "hdfs"
        ? [{ key: "storage", problem: "on aws a bucket keeps the master dataset", fix: "config set storage s3" }]
        : []),
      ...unused("on aws the bucket is the target's own"),
    ];
  if (storage !== "s3") return unused("only the storage s3 uses it");
  return [
    ...(isUnset(given, "s3Bucket")
      ? [{ key: "s3Bucket", problem: "the storage s3 needs it", fix: "config set s3Bucket VALUE" }]
      : []),
    ...missingOf(given, ["s3AccessKeyId", "s3SecretAccessKey"]),
  ];
}

/** What does not go together about a network that is there. On other targets its keys are foreign. */
function networkProblems(given: Values): Problem[] {
  if (given.target !== "aws") return [];
  const subnets = given.awsPrivateSubnetIds?.split(",") ?? [];
  const { size = sizes[0] } = given;
  const zones = Object.hasOwn(awsSizes, size) ? awsSizes[size as Size].zones : 0;
  return [
    ...missingOf(given, ["awsVpcId", "awsVpcCidrBlock", "awsPrivateSubnetIds"]),
    // Fewer than two are none that the key takes at all.
    ...(subnets.length >= 2 && new Set(subnets).size < Math.max(zones, subnets.length)
      ? [
          {
            key: "awsPrivateSubnetIds",
            problem: `must be different ones, at least ${zones} for the size ${size}`,
            fix: "config set awsPrivateSubnetIds VALUE",
          },
        ]
      : []),
  ];
}

/** Those of the keys that are not set although others are, where all of them need each other. */
function missingOf(given: Values, keys: readonly string[]): Problem[] {
  const missing = keys.filter((key) => isUnset(given, key));
  if (missing.length === keys.length) return [];
  return missing.map((key) => ({
    key,
    problem: `${new Intl.ListFormat("en-GB").format(keys)} need each other`,
    fix: `config set ${secretKeys.includes(key) ? "--secret " : ""}${key} VALUE`,
  }));
}

/** Secrets that are in the stack's file for everybody to read. */
function secretProblems(given: Values, encrypted: ReadonlySet<string>): Problem[] {
  return secretKeys
    .filter((key) => !isUnset(given, key) && !encrypted.has(key))
    .map((key) => ({ key, problem: "must be encrypted", fix: `config set --secret ${key} VALUE` }));
}

function unknownKey(key: string): Problem {
  const keys = Object.keys(stackConfigurationSchema.shape).join(", ");
  return { key, problem: `There is no such key; the keys are ${keys}`, fix: `config rm ${key}` };
}

function describe(
  { key, problem, fix }: Problem,
  value: string | undefined,
  encrypted: ReadonlySet<string>,
  stack: string | undefined,
): string {
  const isSecret = encrypted.has(key) || secretKeys.includes(key);
  const shown = value !== undefined && isSecret ? "a secret" : shortened(JSON.stringify(value) ?? "not set");
  return `  lambda-architecture:${key}: ${problem}; it is ${shown}. Fix: npm run pulumi -- ${fix}${stack === undefined ? "" : ` --stack ${stack}`}`;
}

/** Characters of a value that a message shows. */
const longestValue = 100;

function shortened(value: string): string {
  return value.length <= longestValue ? value : `${value.slice(0, longestValue)}…`;
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

/** Systems that run from upstream images. */
function upstreamImages() {
  const one = `(${upstreamSystems.join("|")})=[^,=\\s]+`;
  const error = `must be SYSTEM=IMAGE, several joined by commas; the systems are ${upstreamSystems.join(", ")}`;
  return text(new RegExp(`^(${one}(,${one})*)?$`), error)
    .default("")
    .describe(
      "upstream images that systems' own begin with, joined by commas, e.g. `kafka=apache/kafka:4.1.0`; empty: none",
    );
}

/** A text that nobody may read: the stack's file keeps it encrypted. */
function secret() {
  return z.string().default("").meta({ secret: true });
}

/** One of several words. */
function choice<const Words extends readonly string[]>(words: Words) {
  const named = words.filter((word) => word !== "");
  const error = named.length === 1 ? `must be ${named[0]}` : `must be one of ${named.join(", ")}`;
  return z.enum(words, { error });
}

/** A text of this form. */
function text(form: RegExp, error: string) {
  return z.string().regex(form, error);
}

/** When something starts, again and again. */
function schedule() {
  return z.string().superRefine((value, context) => {
    const problem = scheduleProblem(value);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
}

/** A whole number in plain decimal digits. Its text is what Pulumi keeps; in a file it may be either. */
function whole({ least, most, reason }: Limits) {
  const error = `must be a whole number from ${least} to ${most}${reason === undefined ? "" : ` (${reason})`}`;
  return numeric(/^(0|[1-9]\d{0,14})$/, z.int({ error }).min(least, { error }).max(most, { error })).meta({
    ...{ type: "integer", minimum: least, maximum: most },
  });
}

/** A number, perhaps with decimals. Its text is what Pulumi keeps; in a file it may be either. */
function decimal({ least, most }: Limits) {
  const error = `must be a number from ${least} to ${most}, e.g. 12 or 0.5`;
  const form = /^(0|[1-9]\d{0,14})(\.\d{1,15})?$/;
  return numeric(form, z.number({ error }).min(least, { error }).max(most, { error })).meta({
    ...{ type: "number", minimum: least, maximum: most },
  });
}

/** A number whose text has this form. Any other text stays one, which the schema then refuses. */
function numeric(form: RegExp, schema: z.ZodType<number>) {
  return z.preprocess((value) => (typeof value === "string" && form.test(value) ? Number(value) : value), schema);
}

/** True or false, likewise. */
function truth() {
  return z
    .stringbool({ truthy: ["true"], falsy: ["false"], case: "sensitive", error: "must be true or false" })
    .meta({ type: "boolean" });
}
