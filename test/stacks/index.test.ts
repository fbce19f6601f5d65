import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { checkout } from "../../scripts/environment.ts";
import { ProgramRecording } from "../../stacks/plan/program-recording.ts";

test("the stack's outputs say how to use it, and its README for the console names outputs that there are", async () => {
  await new ProgramRecording().start({ project: "lambda-architecture", stack: "dev", preview: true });
  pulumi.runtime.setAllConfig({ "lambda-architecture:ephemeral": "true" });
  const outputs = (await import("../../stacks/index.ts")) as Record<string, unknown>;
  expect(Object.keys(outputs).sort()).toEqual([
    "application",
    "archiverUrl",
    "batchCommand",
    "bootstrapServers",
    "clusterName",
    "fileSystem",
    "jobConfiguration",
    "queryUrl",
    "readme",
    "topic",
  ]);
  const readme = readFileSync(`${checkout}/Pulumi.README.md`, "utf8");
  expect(outputs.readme).toBe(readme);
  const named = [...readme.matchAll(/\$\{outputs\.(\w+)\}/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(3);
  for (const name of named) expect(Object.keys(outputs)).toContain(name);
});
