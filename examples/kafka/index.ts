import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { KafkaCluster } from "../../components/kafka/index.ts";
import { createLocalTarget } from "../../components/targets/local/index.ts";

const [project, stack] = [pulumi.getProject(), pulumi.getStack()];
const folder = join(import.meta.dirname, ".lambda", stack);

const kafka = new KafkaCluster("kafka", {
  target: createLocalTarget({ project, stack, folder }),
  replicas: 3,
  topics: [{ name: "orders", partitions: 6 }],
});
export const bootstrapServers = kafka.bootstrapServers;
