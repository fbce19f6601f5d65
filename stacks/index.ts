import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { stackBudget } from "./budget.ts";
import { parseStackConfiguration, type StackConfiguration } from "./configuration.ts";
import { createStack } from "./program.ts";

const checkout = fileURLToPath(new URL("..", import.meta.url));
const configuration = readStackConfiguration();
const {
  architecture,
  application: module,
  demands,
} = await createStack(configuration, {
  checkout,
  stackFolder: join(checkout, ".lambda", "stacks", pulumi.getStack()),
});

// The local target tells it itself, beside what the machine has.
if (configuration.target !== "local")
  pulumi.log.info(["what the servers take at most:", ...stackBudget(demands)].join("\n"));

export const queryUrl = architecture.queryUrl;
export const archiverUrl = architecture.archiverUrl;
export const bootstrapServers = architecture.bootstrapServers;
export const topic = architecture.topic;
export const application = module;
export const batchCommand = architecture.batchCommand;
export const jobConfiguration = architecture.configuration;
/** What the console of Pulumi's backend shows of the stack; it puts the other outputs in. */
export const readme = readFileSync(join(checkout, "Pulumi.README.md"), "utf8");

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
