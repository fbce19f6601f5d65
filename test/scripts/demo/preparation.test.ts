import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../../scripts/command-line.ts";
import { checkDemo, demoStackFile } from "../../../scripts/demo/preparation.ts";
import { checkout } from "../../../scripts/environment.ts";
import { configurationFile, stackFileValues } from "../../../scripts/stack-configuration.ts";
import { parseStackConfiguration } from "../../../stacks/configuration.ts";

const options = {
  ...{ input: undefined, events: 100, rate: undefined, stack: "mine", down: false },
  target: "local",
} as const;
const configuration = (values: Record<string, string>) => parseStackConfiguration(values);

test("a stack whose application takes no edits asks for a file of its events before anything starts", async () => {
  const sensors = configuration({ application: "examples/sensors/index.ts" });
  const refused = checkDemo(options, sensors);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/^the application .*sensors.* Fix: .*npm run demo -- --input FILE$/);
  await checkDemo({ ...options, input: join(checkout, "examples/sensors/readings.jsonl") }, sensors);
  await checkDemo(options, configuration({}));
});

test("--down is refused before anything starts where the stack cannot be taken down", async () => {
  const refused = checkDemo({ ...options, down: true }, configuration({}));
  await expect(refused).rejects.toThrow(
    /^--down cannot take the stack mine down.*config set ephemeral true --stack mine$/,
  );
  await checkDemo({ ...options, down: true }, configuration({ ephemeral: "true" }));
});

test("the stack that the demo makes for itself can be taken down, and its data goes with it", async () => {
  const { values } = stackFileValues(demoStackFile("local"));
  expect(values).toEqual({ target: "local", ephemeral: "true", deleteData: "true" });
  await checkDemo({ ...options, down: true }, configuration(values));
  expect(existsSync(configurationFile("mine"))).toBe(false);
});

test("another target than the stack's is told with the fix", async () => {
  await expect(checkDemo({ ...options, target: "docker" }, configuration({}))).rejects.toThrow(
    /^the stack mine is on the target local, not on docker. Fix: another --stack, or npm run pulumi -- config set target docker --stack mine$/,
  );
});
