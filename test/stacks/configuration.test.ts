import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseStackConfiguration, stackConfigurationSchema } from "../../stacks/configuration.ts";

const checkout = new URL("../../", import.meta.url);
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
    ephemeral: false,
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

test("eleven wrong values are eleven lines: the key, what is wanted, the value, the mend", () => {
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
    partitons: "2",
    retention: "24",
  };
  const problems = {
    target: "must be local",
    size: "must be one of tiny, small, ha",
    application: "must be the path of a module",
    topic: "must be lower-case letters, digits, '.', '_' and '-'",
    partitions: "must be a whole number from 1",
    retentionHours: "must be a whole number from 1",
    chunkSize: "must be a whole number from 100 to 1000000",
    batchSchedule: "must be a cron expression of five fields",
    ephemeral: "must be true or false",
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

test("the stacks' files are right", () => {
  const files = readdirSync(fileURLToPath(checkout)).filter((file) => /^Pulumi\..+\.yaml$/.test(file));
  expect(files).toContain("Pulumi.dev.yaml");
  for (const file of files) {
    const { config } = parse(readFileSync(new URL(file, checkout), "utf8")) as { config: Record<string, string> };
    const values = Object.entries(config).map(([key, value]) => [key.replace(/^lambda-architecture:/, ""), `${value}`]);
    expect(() => parseStackConfiguration(Object.fromEntries(values)), file).not.toThrow();
  }
});

test("the README's table is the schema", () => {
  const defaults = parseStackConfiguration({});
  const table = [
    "| key | default | meaning |",
    "| --- | --- | --- |",
    ...keys.map((key) => `| \`${key}\` | \`${defaults[key]}\` | ${stackConfigurationSchema.shape[key].description} |`),
  ].join("\n");
  const readme = readFileSync(new URL("README.md", checkout), "utf8");
  expect(readme.includes(table), `README.md has not this table under "Configuration":\n${table}\n`).toBe(true);
});
