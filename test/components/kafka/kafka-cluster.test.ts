import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
let KafkaCluster: typeof import("../../../components/kafka/index.ts").KafkaCluster;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ KafkaCluster } = await import("../../../components/kafka/index.ts"));
  target = new RecordingTarget();
});

test("one broker and no topics by default", async () => {
  const kafka = new KafkaCluster("kafka", { target });

  expect(await outputOf(kafka.bootstrapServers)).toEqual(["127.9.0.1:9092"]);
  expect(await resources.list()).toMatchObject([
    {
      type: "lambda-architecture:index:KafkaCluster",
      name: "kafka",
      inputs: { replicas: 1, controllers: 1, heap: 256, topics: [] },
    },
    { type: "test:index:Service", name: "kafka-broker-0" },
    // Without topics too: when brokers come and go, it moves the partitions of those that others have made.
    { type: "test:index:Task", name: "kafka-topics" },
  ]);
  const broker = target.serviceArgs.get("kafka-broker-0");
  const folder = "/recording-target/kafka-broker-0";
  expect(broker).toMatchObject({
    identity: { component: "kafka", role: "broker", index: 0 },
    prepare: ["cp", `${folder}/configuration/meta.properties`, `${folder}/data/meta.properties`],
    ports: { client: 9092, controller: 9093 },
    readiness: { kind: "tcp", port: 9092 },
    memory: 416,
    stateful: true,
    permanent: { controllers: 1 },
  });
  expect(broker?.command).toContain("-Xmx256m");
  expect(broker?.command).toContain(`-Dlog4j2.configurationFile=${folder}/configuration/log4j2.properties`);
  expect(broker?.command.slice(-2)).toEqual(["kafka.Kafka", `${folder}/configuration/server.properties`]);
});

test("four brokers: three controllers, one cluster id", async () => {
  const kafka = new KafkaCluster("log", { target, replicas: 4, heap: 512 });

  expect(await outputOf(kafka.bootstrapServers)).toEqual([1, 2, 3, 4].map((host) => `127.9.0.${host}:9092`));
  expect([...target.serviceArgs.keys()]).toEqual(["log-broker-0", "log-broker-1", "log-broker-2", "log-broker-3"]);
  expect([...target.serviceArgs.values()].map((service) => service.ports)).toEqual([
    ...Array(3).fill({ client: 9092, controller: 9093 }),
    { client: 9092 },
  ]);
  const clusterIds = [...target.serviceArgs.values()].map(
    (service) => /^cluster.id=.*$/m.exec(String(service.files?.["meta.properties"]?.content))?.[0],
  );
  expect(new Set(clusterIds).size).toBe(1);
});

test("a cluster that began with one controller keeps it when it grows", async () => {
  new KafkaCluster("kafka", { target, replicas: 3, controllers: 1 });

  await resources.list();
  const brokers = [...target.serviceArgs.values()];
  expect(brokers.map(({ permanent }) => permanent)).toEqual(Array(3).fill({ controllers: 1 }));
  for (const { files } of brokers)
    expect(files?.["server.properties"]?.content).toContain("controller.quorum.voters=0@127.9.0.1:9093\n");
  expect(() => new KafkaCluster("kafka", { target, replicas: 3, controllers: 2 })).toThrow(
    "controllers must be odd, so that there is a majority; it is 2",
  );
  expect(() => new KafkaCluster("kafka", { target, replicas: 1, controllers: 3 })).toThrow(
    "controllers must be a whole number from 1 to 1; it is 3",
  );
});

test("topics come from one task", async () => {
  new KafkaCluster("kafka", {
    target,
    topics: [
      { name: "edits", partitions: 2, retentionHours: 24, configuration: { "compression.type": "zstd" } },
      { name: "plain" },
    ],
  });

  expect((await resources.list()).map(({ name }) => name).sort()).toEqual(["kafka", "kafka-broker-0", "kafka-topics"]);
  const task = target.tasks.get("kafka-topics");
  expect(task?.identity).toEqual({ component: "kafka", role: "topics" });
  expect(task?.command.slice(2)).toEqual([
    "--connection",
    "/recording-target/kafka-topics/configuration/connection.json",
    "--brokers",
    "1",
    "--replication-factor",
    "1",
    "--topics",
    "/recording-target/kafka-topics/configuration/topics.json",
  ]);
  expect(task?.checkCommand).toEqual([...(task?.command ?? []), "--check"]);
  expect(task?.command[1]).toMatch(/components\/kafka\/topics\.ts$/);
  const connection = await outputOf(pulumi.output(task?.files?.["connection.json"]?.content ?? ""));
  expect(JSON.parse(connection)).toEqual({ bootstrapServers: ["127.9.0.1:9092"] });
  expect(JSON.parse(String(task?.files?.["topics.json"]?.content))).toEqual([
    { name: "edits", partitions: 2, configuration: { "retention.ms": "86400000", "compression.type": "zstd" } },
    { name: "plain", partitions: 1, configuration: {} },
  ]);
});

test("all input errors come at once, with the mend", () => {
  const create = () =>
    new KafkaCluster("kafka", {
      target,
      replicas: 0,
      heap: 64,
      cpu: 0,
      topics: [
        { name: "a b", partitions: 0 },
        { name: "edits", retentionHours: 0.5, configuration: { "retention.ms": "1" } },
        { name: "edits" },
        { name: ".." },
      ],
    });
  expect(create).toThrow(pulumi.InputPropertiesError);
  expect(create).toThrow(
    [
      'KafkaCluster "kafka": replicas must be a whole number from 1; it is 0',
      "heap must be a whole number from 128; it is 64",
      "cpu must be a number of cores from 0.001, e.g. 0.5; it is 0",
      'topics[0].name must be 1 to 249 letters, digits, dots, underscores and hyphens; it is "a b"',
      "topics[0].partitions must be a whole number from 1; it is 0",
      "topics[1].retentionHours must be a whole number from 1; it is 0.5",
      "topics[1].configuration must not have retention.ms beside retentionHours; leave one of them out",
      'topics[2].name must be unique; "edits" is there twice',
      'topics[3].name must be 1 to 249 letters, digits, dots, underscores and hyphens; it is ".."',
    ].join("; "),
  );
  expect(target.serviceArgs.size).toBe(0);
});
