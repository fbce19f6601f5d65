import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { awsPrice } from "./aws-price.ts";
import { stackBudget } from "./budget.ts";
import { parseStackConfiguration, type StackConfiguration } from "./configuration.ts";
import { endWithOutput } from "./lost-output.ts";
import { notedValues, permanentProblems, permanentValues } from "./permanent.ts";
import { createStack } from "./program.ts";

endWithOutput();
const checkout = fileURLToPath(new URL("..", import.meta.url));
const configuration = readStackConfiguration();
const noted = await notedValues();
const problems = permanentProblems(pulumi.getStack(), configuration, noted);
if (problems.length > 0)
  throw new pulumi.RunError(`the stack's data does not allow this configuration:\n${problems.join("\n")}`);
if (noted !== undefined && noted.topics[configuration.topic] === undefined)
  pulumi.log.info(
    `the topic ${configuration.topic} is new to this stack: its views are computed from its own events; those of ` +
      `${Object.keys(noted.topics).join(", ")} answer no more until the stack reads that topic again`,
  );
const { architecture, application, demands, target } = await createStack(configuration, {
  checkout,
  stackFolder: join(checkout, ".lambda", "stacks", pulumi.getStack()),
});

// The local target tells it itself, beside what the machine has.
if (configuration.target !== "local")
  pulumi.log.info(
    [
      "what the servers take at most, and the cores that they are expected to need (CPU):",
      ...stackBudget(demands),
    ].join("\n"),
  );
if (configuration.target === "aws") pulumi.log.info(awsPrice(configuration, demands).join("\n"));

/** The stack's outputs. One that has no value would be a warning on every preview: it is left out. */
export default {
  queryUrl: architecture.queryUrl,
  archiverUrl: architecture.archiverUrl,
  bootstrapServers: architecture.bootstrapServers,
  topic: architecture.topic,
  /** Where the master dataset is: `hdfs://host:port`, or `s3a://bucket`. */
  fileSystem: architecture.fileSystem,
  /** The name of the Kubernetes cluster in AWS's account. */
  ...("clusterName" in target && { clusterName: target.clusterName }),
  application,
  batchCommand: architecture.batchCommand,
  jobConfiguration: architecture.configuration,
  /** What the next change of the configuration may not change. */
  permanent: permanentValues(configuration, noted),
  /** What the console of Pulumi's backend shows of the stack; it puts the other outputs in. */
  readme: readFileSync(join(checkout, "Pulumi.README.md"), "utf8"),
};

function readStackConfiguration(): StackConfiguration {
  // All that is set, so that a key with a typing error does not go unnoticed.
  const prefix = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  const values = Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
  try {
    return parseStackConfiguration(values, encryptedKeys(prefix), pulumi.getStack());
  } catch (error) {
    throw error instanceof TypeError ? new pulumi.RunError(error.message) : error;
  }
}

/** The keys that the stack's file keeps encrypted, as the CLI tells them to the program. */
function encryptedKeys(prefix: string): ReadonlySet<string> {
  const keys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  return new Set(keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)));
}
