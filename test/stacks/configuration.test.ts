import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readStackConfiguration, stackFileValues } from "../../scripts/stack-configuration.ts";
import { parseStackConfiguration, secretKeys, stackConfigurationSchema } from "../../stacks/configuration.ts";
import { configurationTable, stackFileSchema, withConfigBlock } from "../../stacks/configuration-documents.ts";

const checkout = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, checkout), "utf8");
const keys = Object.keys(stackConfigurationSchema.shape) as (keyof typeof stackConfigurationSchema.shape)[];

test("nothing has to be set", () => {
  expect(parseStackConfiguration({})).toEqual({
    target: "local",
    size: "tiny",
    application: "jobs/wikipedia/index.ts",
    topic: "edits",
    partitions: 2,
    retentionHours: 168,
    archiveMinutes: 10,
    sealHours: 24,
    logIncarnation: 1,
    chunkSize: 5000,
    kafkaControllers: 0,
    batchSchedule: "0 * * * *",
    recomputationMinutes: 60,
    storage: "",
    ephemeral: false,
    deleteData: false,
    s3Bucket: "",
    s3Endpoint: "",
    s3Region: "us-east-1",
    s3PathStyle: true,
    s3AccessKeyId: "",
    s3SecretAccessKey: "",
    dockerImageBase: "debian:bookworm-slim",
    dockerImageRepository: "lambda-architecture",
    dockerImageTag: "",
    dockerUpstreamImages: "",
    dockerPortOffset: 10_000,
    kubernetesContext: "",
    kubernetesNamespace: "",
    kubernetesImageBase: "debian:bookworm-slim",
    kubernetesImageRepository: "lambda-architecture",
    kubernetesImageTag: "",
    kubernetesUpstreamImages: "",
    kubernetesStorageClass: "",
    kubernetesVolumeSize: "10Gi",
    kubernetesManifests: "",
    awsAccount: "",
    awsRegion: "eu-central-1",
    awsApiAccess: "",
    awsVpcId: "",
    awsVpcCidrBlock: "",
    awsPrivateSubnetIds: "",
    awsImageBase: "debian:bookworm-slim",
    awsImageTag: "",
    awsVolumeSize: "10Gi",
  });
});

test("values are texts, as the CLI sets them", () => {
  const values = {
    topic: "orders",
    partitions: "6",
    chunkSize: "100",
    batchSchedule: "*/5 1 * * 0",
    ephemeral: "true",
  };
  expect(parseStackConfiguration({ ...values, target: undefined })).toMatchObject({
    target: "local",
    topic: "orders",
    partitions: 6,
    chunkSize: 100,
    batchSchedule: "*/5 1 * * 0",
    ephemeral: true,
  });
});

test("twelve wrong values are twelve lines: the key, what is wanted, the value, the fix", () => {
  const wrong = {
    target: "moon",
    size: "huge",
    application: "",
    topic: "Edits!",
    partitions: "0",
    retentionHours: "1e1",
    chunkSize: "many",
    batchSchedule: "hourly",
    ephemeral: "perhaps",
    deleteData: "1",
    partitons: "2",
    retention: "24",
  };
  const problems = {
    target: "must be one of local, docker, kubernetes, aws",
    size: "must be one of tiny, small, ha",
    application: "must be the path of a module",
    topic: "must be lower-case letters, digits, '.', '_' and '-'",
    partitions:
      "must be a whole number from 1 to 256 (the archiver and each bolt read and buffer every partition by itself, and Kafka opens files for each of them)",
    retentionHours: "must be a number from 0.001 to 876000, e.g. 12 or 0.5",
    chunkSize: "must be a whole number from 100 to 1000000",
    batchSchedule:
      "must be five fields of cron: minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6, each a number, a range, a list, * or a step of these, e.g. */15",
    ephemeral: "must be true or false",
    deleteData: "must be true or false",
  };
  const none = `There is no such key; the keys are ${keys.join(", ")}`;
  const lines = [
    ...Object.entries(problems).map(([key, problem]) => [key, problem, `config set ${key} VALUE`]),
    ...["partitons", "retention"].map((key) => [key, none, `config rm ${key}`]),
  ].map(
    ([key = "", problem, fix]) =>
      `  lambda-architecture:${key}: ${problem}; it is ${JSON.stringify(wrong[key as keyof typeof wrong])}. Fix: npm run pulumi -- ${fix}`,
  );
  expect(() => parseStackConfiguration(wrong)).toThrow(TypeError);
  expect(() => parseStackConfiguration(wrong)).toThrow(["the stack's configuration is wrong:", ...lines].join("\n"));
});

test.each(["0", "2.5", "1e1", "0x10", " 7", "7 ", "+7", "-1", "007", "", "257", "100000", "99999999999999999999"])(
  "%j partitions are refused: numbers are plain decimal digits, within stated bounds",
  (partitions) => {
    expect(() => parseStackConfiguration({ partitions })).toThrow(
      `partitions: must be a whole number from 1 to 256 (the archiver and each bolt read and buffer every partition by itself, and Kafka opens files for each of them); it is ${JSON.stringify(partitions)}`,
    );
  },
);

test.each([
  ["retentionHours", "1e9"],
  ["retentionHours", "999999999"],
  ["sealHours", "0x10"],
  ["archiveMinutes", "0"],
  ["archiveMinutes", ".5"],
  ["recomputationMinutes", "1000000"],
  ["kafkaControllers", "1e0"],
])("%s %s is refused", (key, value) => {
  expect(() => parseStackConfiguration({ [key]: value })).toThrow(/must be a (whole )?number from \S+ to \S+/);
});

test("a long value is told by its beginning", () => {
  const { message } = failureOf({ topic: "É".repeat(100_000) });
  expect(message.length).toBeLessThan(400);
});

function failureOf(values: Record<string, string>): Error {
  try {
    parseStackConfiguration(values);
  } catch (error) {
    return error as Error;
  }
  throw new Error("it is taken");
}

test("data is deleted only where it is ephemeral", () => {
  expect(() => parseStackConfiguration({ deleteData: "true" })).toThrow(
    'lambda-architecture:deleteData: data is deleted only where ephemeral is true; it is "true". Fix: npm run pulumi -- config set ephemeral true',
  );
  expect(parseStackConfiguration({ deleteData: "true", ephemeral: "true" }).deleteData).toBe(true);
});

describe("what does not go together", () => {
  const problem = (values: Record<string, string>, encrypted: string[] = []) => {
    try {
      parseStackConfiguration(values, new Set(encrypted));
      return [];
    } catch (error) {
      return (error as Error).message.split("\n").slice(1);
    }
  };

  test("a key of another target", () => {
    expect(problem({ awsRegion: "eu-west-1", kubernetesContext: "other" })).toEqual([
      '  lambda-architecture:kubernetesContext: only the target kubernetes uses it; it is "other". Fix: npm run pulumi -- config rm kubernetesContext',
      '  lambda-architecture:awsRegion: only the target aws uses it; it is "eu-west-1". Fix: npm run pulumi -- config rm awsRegion',
    ]);
    // As Pulumi hands on the defaults.
    expect(problem({ awsRegion: "eu-central-1", s3PathStyle: "true", s3Bucket: "", storage: "" })).toEqual([]);
  });

  test("AWS needs an account, and keeps to its own bucket and brokers", () => {
    expect(problem({ target: "aws" })).toEqual([
      "  lambda-architecture:awsAccount: the target aws needs it: 12 digits; it is not set. Fix: npm run pulumi -- config set awsAccount VALUE",
    ]);
    expect(problem({ target: "aws", awsAccount: "111122223333", storage: "hdfs", s3Bucket: "mine" })).toEqual([
      '  lambda-architecture:storage: on aws a bucket keeps the master dataset; it is "hdfs". Fix: npm run pulumi -- config set storage s3',
      '  lambda-architecture:s3Bucket: on aws the bucket is the target\'s own; it is "mine". Fix: npm run pulumi -- config rm s3Bucket',
    ]);
    expect(problem({ target: "aws", awsAccount: "111122223333", kafkaControllers: "3" })).toEqual([
      '  lambda-architecture:kafkaControllers: on aws the brokers are a managed service\'s, with controllers of its own; it is "3". Fix: npm run pulumi -- config rm kafkaControllers',
    ]);
    for (const storage of ["", "s3"])
      expect(problem({ target: "aws", awsAccount: "111122223333", storage })).toEqual([]);
  });

  test("a network that is there: all of it or nothing, a subnet in each zone of the size, on AWS alone", () => {
    const aws = { target: "aws", awsAccount: "111122223333" };
    const [vpc, block] = [{ awsVpcId: "vpc-0a1b2c3d" }, { awsVpcCidrBlock: "10.0.0.0/16" }];
    const subnets = (...ids: string[]) => ({ awsPrivateSubnetIds: ids.map((id) => `subnet-0000000${id}`).join(",") });
    const together = "awsVpcId, awsVpcCidrBlock and awsPrivateSubnetIds need each other; it is not set";
    expect(problem({ ...aws, ...vpc })).toEqual([
      `  lambda-architecture:awsVpcCidrBlock: ${together}. Fix: npm run pulumi -- config set awsVpcCidrBlock VALUE`,
      `  lambda-architecture:awsPrivateSubnetIds: ${together}. Fix: npm run pulumi -- config set awsPrivateSubnetIds VALUE`,
    ]);
    expect(problem({ ...aws, ...block, ...subnets("1", "2") })).toEqual([
      `  lambda-architecture:awsVpcId: ${together}. Fix: npm run pulumi -- config set awsVpcId VALUE`,
    ]);
    const few = { ...aws, ...vpc, ...block, size: "ha", ...subnets("1", "2") };
    expect(problem(few)).toEqual([
      '  lambda-architecture:awsPrivateSubnetIds: must be different ones, at least 3 for the size ha; it is "subnet-00000001,subnet-00000002". Fix: npm run pulumi -- config set awsPrivateSubnetIds VALUE',
    ]);
    expect(problem({ ...few, size: "tiny", ...subnets("1", "1") })).toHaveLength(1);
    expect(problem({ ...few, size: "tiny" })).toEqual([]);
    expect(problem({ ...few, ...subnets("1", "2", "3") })).toEqual([]);
    expect(problem({ target: "kubernetes", ...vpc })).toEqual([
      '  lambda-architecture:awsVpcId: only the target aws uses it; it is "vpc-0a1b2c3d". Fix: npm run pulumi -- config rm awsVpcId',
    ]);
  });

  test("what only S3 uses, and what S3 needs", () => {
    expect(problem({ s3Endpoint: "http://127.0.0.1:9000" })).toEqual([
      '  lambda-architecture:s3Endpoint: only the storage s3 uses it; it is "http://127.0.0.1:9000". Fix: npm run pulumi -- config rm s3Endpoint',
    ]);
    expect(problem({ storage: "s3", s3SecretAccessKey: "sesame" }, ["s3SecretAccessKey"])).toEqual([
      "  lambda-architecture:s3Bucket: the storage s3 needs it; it is not set. Fix: npm run pulumi -- config set s3Bucket VALUE",
      "  lambda-architecture:s3AccessKeyId: s3AccessKeyId and s3SecretAccessKey need each other; it is not set. Fix: npm run pulumi -- config set --secret s3AccessKeyId VALUE",
    ]);
    for (const target of ["local", "docker", "kubernetes"])
      expect(problem({ target, storage: "s3", s3Bucket: "events" })).toEqual([]);
  });

  test("wrong values of AWS and S3", () => {
    const wrong = {
      target: "aws",
      storage: "nfs",
      s3Bucket: "B",
      s3Endpoint: "ftp://a",
      s3Region: "Frankfurt",
      s3PathStyle: "maybe",
      awsAccount: "12",
      awsRegion: "Frankfurt",
      awsApiAccess: "0.0.0.0/0",
      awsVpcId: "vpc-mine",
      awsVpcCidrBlock: "10.0.0.0/8",
      awsPrivateSubnetIds: "subnet-0a1b2c3d",
      awsImageBase: "",
      awsImageTag: "a b",
      awsVolumeSize: "10",
    };
    const named = problem(wrong).map((line) => /^ {2}lambda-architecture:(\w+): must be .*; it is "/.exec(line)?.[1]);
    const { target: _, ...others } = wrong;
    expect(named.filter((key) => key !== undefined)).toEqual(Object.keys(others));
  });
});

describe("secrets", () => {
  const sesame = "open/sesame+";
  const messageOf = (values: Record<string, string>, encrypted: string[]) => {
    try {
      parseStackConfiguration(values, new Set(encrypted));
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error("the configuration is right");
  };

  test("have to be encrypted", () => {
    const message = messageOf({ storage: "s3", s3Bucket: "events", s3AccessKeyId: "A", s3SecretAccessKey: sesame }, [
      "s3AccessKeyId",
    ]);
    expect(message).toBe(
      "the stack's configuration is wrong:\n  lambda-architecture:s3SecretAccessKey: must be encrypted; it is a secret. Fix: npm run pulumi -- config set --secret s3SecretAccessKey VALUE",
    );
    expect(secretKeys).toEqual(["s3AccessKeyId", "s3SecretAccessKey"]);
  });

  test("are in no message, whatever is wrong", () => {
    const wrong = { storage: "nfs", s3AccessKeyId: sesame, s3SecretAccessKey: sesame, s3SecretAcessKey: sesame };
    for (const target of ["local", "docker", "kubernetes", "aws", "moon"])
      expect(
        messageOf({ ...wrong, target, topic: sesame, awsAccount: sesame }, [
          ...["s3AccessKeyId", "s3SecretAccessKey", "s3SecretAcessKey", "topic", "awsAccount"],
        ]),
      ).not.toContain(sesame);
  });

  test("that a file keeps encrypted are not needed to see what the stack would be", () => {
    const { values, encrypted } = stackFileValues(
      'config:\n  lambda-architecture:s3SecretAccessKey:\n    secure: "v1:abc"\n  lambda-architecture:s3AccessKeyId:\n    secure: "v1:def"\n',
    );
    expect(parseStackConfiguration({ ...values, storage: "s3", s3Bucket: "events" }, encrypted)).toMatchObject({
      s3SecretAccessKey: "(encrypted)",
    });
    expect(JSON.stringify(values)).not.toContain("v1:");
  });
});

test("the stacks' files are right", () => {
  const stacks = readdirSync(fileURLToPath(checkout)).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  expect(stacks).toContain("dev");
  for (const stack of stacks) {
    expect(() => readStackConfiguration(stack), stack).not.toThrow();
    expect(read(`Pulumi.${stack}.yaml`)).toMatch(
      /^# yaml-language-server: \$schema=stacks\/configuration\.schema\.json\n# /,
    );
  }
});

describe("what repeats the schema is as `npm run configuration` writes it:", () => {
  test("the config block of Pulumi.yaml", () => expect(read("Pulumi.yaml")).toBe(withConfigBlock(read("Pulumi.yaml"))));
  test("the table of README.md", () => expect(read("README.md")).toContain(configurationTable()));
  test("the JSON schema for editors", () => expect(read("stacks/configuration.schema.json")).toBe(stackFileSchema()));
});

test("Pulumi's own check takes the defaults and what a person may write, and the schema for editors too", () => {
  const { properties } = JSON.parse(stackFileSchema()).properties.config;
  expect(properties["lambda-architecture:partitions"]).toEqual({
    description: "partitions of the topic",
    default: 2,
    anyOf: [
      { type: "integer", minimum: 1, maximum: 256 },
      { type: "string", pattern: "^[0-9]+$" },
    ],
  });
  expect(properties["lambda-architecture:size"]).toMatchObject({ type: "string", enum: ["tiny", "small", "ha"] });
  expect(properties["lambda-architecture:ephemeral"].enum).toEqual([true, false, "true", "false"]);
  expect(parse(read("Pulumi.yaml")).config.chunkSize).toMatchObject({ type: "integer", default: 5000 });
});
