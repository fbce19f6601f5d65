import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { expect, test, vi } from "vitest";
import { checkout } from "../../scripts/environment.ts";
import { ProgramRecording } from "../../stacks/plan/program-recording.ts";

test("the stack's outputs say how to use it, and its README for the console names outputs that there are", async () => {
  await new ProgramRecording().start({ project: "lambda-architecture", stack: "dev", preview: true });
  pulumi.runtime.setAllConfig({ "lambda-architecture:ephemeral": "true" });
  const outputs: Record<string, unknown> = (await import("../../stacks/index.ts")).default;
  expect(Object.keys(outputs).sort()).toEqual([
    "application",
    "archiverUrl",
    "batchCommand",
    "bootstrapServers",
    "fileSystem",
    "jobConfiguration",
    "permanent",
    "queryUrl",
    "readme",
    "topic",
  ]);
  // Pulumi warns of an output without a value on every preview.
  expect(Object.values(outputs)).not.toContain(undefined);
  const readme = readFileSync(`${checkout}/Pulumi.README.md`, "utf8");
  expect(outputs.readme).toBe(readme);
  const named = [...readme.matchAll(/\$\{outputs\.(\w+)\}/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(3);
  for (const name of named) expect(Object.keys(outputs)).toContain(name);
});

test("a change that the stack's data does not allow is refused by its program, so at preview, before anything is made", async () => {
  const recording = new ProgramRecording();
  const permanent = {
    ...{ storage: "hdfs", kafkaControllers: 1, awsVpcId: "" },
    topics: { edits: { chunkSize: 100, partitions: 2, logIncarnation: 1 } },
  };
  const asked: unknown[] = [];
  await recording.start({
    ...{ project: "lambda-architecture", stack: "dev", preview: true },
    call: (token, inputs) => {
      asked.push([token, inputs.name]);
      return { outputs: { permanent } };
    },
  });
  pulumi.runtime.setAllConfig({ "lambda-architecture:ephemeral": "true" });
  vi.resetModules();
  await expect(import("../../stacks/index.ts")).rejects.toThrow(
    "lambda-architecture:chunkSize: cannot change from 100 to 5000",
  );
  expect(asked).toEqual([["pulumi:pulumi:readStackOutputs", "organization/lambda-architecture/dev"]]);
  expect(await recording.list()).toEqual([]);
});
