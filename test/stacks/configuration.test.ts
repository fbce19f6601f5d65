import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readStackConfiguration } from "../../scripts/stack-configuration.ts";
import { parseStackConfiguration, stackConfigurationSchema } from "../../stacks/configuration.ts";
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
    chunkSize: 5000,
    batchSchedule: "0 * * * *",
    recomputationMinutes: 60,
    ephemeral: false,
    deleteData: false,
    dockerImageBase: "debian:bookworm-slim",
    dockerImageRepository: "lambda-architecture",
    dockerImageTag: "",
    dockerPortOffset: 10_000,
    kubernetesContext: "",
    kubernetesNamespace: "",
    kubernetesImageBase: "debian:bookworm-slim",
    kubernetesImageRepository: "lambda-architecture",
    kubernetesImageTag: "",
    kubernetesStorageClass: "",
    kubernetesVolumeSize: "10Gi",
    kubernetesManifests: "",
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

test("twelve wrong values are twelve lines: the key, what is wanted, the value, the mend", () => {
  const wrong = {
    target: "moon",
    size: "huge",
    application: "",
    topic: "Edits!",
    partitions: "0",
    retentionHours: "1.5",
    chunkSize: "many",
    batchSchedule: "hourly",
    ephemeral: "perhaps",
    deleteData: "1",
    partitons: "2",
    retention: "24",
  };
  const problems = {
    target: "must be one of local, docker, kubernetes",
    size: "must be one of tiny, small, ha",
    application: "must be the path of a module",
    topic: "must be lower-case letters, digits, '.', '_' and '-'",
    partitions: "must be a whole number from 1",
    retentionHours: "must be a whole number from 1",
    chunkSize: "must be a whole number from 100 to 1000000",
    batchSchedule: "must be a cron expression of five fields",
    ephemeral: "must be true or false",
    deleteData: "must be true or false",
  };
  const none = `There is no such key; the keys are ${keys.join(", ")}`;
  const lines = [
    ...Object.entries(problems).map(([key, problem]) => [key, problem, `config set ${key} VALUE`]),
    ...["partitons", "retention"].map((key) => [key, none, `config rm ${key}`]),
  ].map(
    ([key = "", problem, mend]) =>
      `  lambda-architecture:${key}: ${problem}; it is ${JSON.stringify(wrong[key as keyof typeof wrong])}. Mend: npm run pulumi -- ${mend}`,
  );
  expect(() => parseStackConfiguration(wrong)).toThrow(TypeError);
  expect(() => parseStackConfiguration(wrong)).toThrow(["the stack's configuration is wrong:", ...lines].join("\n"));
});

test("data is deleted only where it is ephemeral", () => {
  expect(() => parseStackConfiguration({ deleteData: "true" })).toThrow(
    'lambda-architecture:deleteData: data is deleted only where ephemeral is true; it is "true". Mend: npm run pulumi -- config set ephemeral true',
  );
  expect(parseStackConfiguration({ deleteData: "true", ephemeral: "true" }).deleteData).toBe(true);
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
      { type: "integer", minimum: 1 },
      { type: "string", pattern: "^[0-9]+$" },
    ],
  });
  expect(properties["lambda-architecture:size"]).toMatchObject({ type: "string", enum: ["tiny", "small", "ha"] });
  expect(properties["lambda-architecture:ephemeral"].enum).toEqual([true, false, "true", "false"]);
  expect(parse(read("Pulumi.yaml")).config.chunkSize).toMatchObject({ type: "integer", default: 5000 });
});
