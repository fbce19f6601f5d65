import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { outputOf, RecordedResources } from "../support/recorded-resources.ts";

const example = fileURLToPath(new URL("../../examples/kafka", import.meta.url));

test("is three brokers and a topic, in a folder of its own", async () => {
  const resources = new RecordedResources();
  await resources.start();
  const { bootstrapServers } = await import("../../examples/kafka/index.ts");
  const servers = await outputOf(bootstrapServers);
  const list = await resources.list();

  expect(list.map(({ type, name, parent }) => [type, name, parent]).sort()).toEqual([
    ["lambda-architecture:index:KafkaCluster", "kafka", ""],
    ["local:index:Distribution", "kafka-distribution", ""],
    ["local:index:Service", "kafka-broker-0", "kafka"],
    ["local:index:Service", "kafka-broker-1", "kafka"],
    ["local:index:Service", "kafka-broker-2", "kafka"],
    ["local:index:Task", "kafka-topics", "kafka"],
  ]);
  const brokers = list.filter(({ type }) => type === "local:index:Service");
  for (const { dependsOn } of brokers) expect(dependsOn).toEqual(["kafka-distribution"]);
  expect(brokers.map(({ inputs }) => `${inputs.address}:9092`)).toEqual(servers);
  expect(new Set(servers).size).toBe(3);
  for (const { inputs } of brokers) expect(String(inputs.stackFolder)).toMatch(join(example, ".lambda/"));
});
