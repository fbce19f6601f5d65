import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { loadApplication } from "../components/application.ts";
import { LambdaArchitecture } from "../components/lambda-architecture.ts";
import { parseStackConfiguration, type StackConfiguration } from "./configuration.ts";
import { chooseTarget } from "./target.ts";

const checkout = fileURLToPath(new URL("..", import.meta.url));

const configuration = readStackConfiguration();
const architecture = new LambdaArchitecture(
  "lambda",
  {
    target: await chooseTarget(configuration.target, checkout),
    application: await loadApplication(resolve(checkout, configuration.application)),
    size: configuration.size,
    topic: configuration.topic,
    partitions: configuration.partitions,
    retentionHours: configuration.retentionHours,
    chunkSize: configuration.chunkSize,
    batchSchedule: configuration.batchSchedule,
  },
  { protect: !configuration.ephemeral },
);

export const queryUrl = architecture.queryUrl;
export const archiverUrl = architecture.archiverUrl;
export const bootstrapServers = architecture.bootstrapServers;
export const topic = architecture.topic;
export const application = resolve(checkout, configuration.application);
export const batchCommand = architecture.batchCommand;
export const jobConfiguration = architecture.configuration;

function readStackConfiguration(): StackConfiguration {
  // All that is set, so that a key with a typing error does not go unnoticed.
  const prefix = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  const values = Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
  try {
    return parseStackConfiguration(values);
  } catch (error) {
    throw error instanceof TypeError ? new pulumi.RunError(error.message) : error;
  }
}
