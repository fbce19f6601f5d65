import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { loadApplication } from "../../components/application.ts";
import type { LambdaArchitectureArgs } from "../../components/lambda-architecture.ts";
import { type Size, sizes, systemArgs } from "../../components/size-profiles.ts";
import type { ServiceArgs } from "../../components/target.ts";
import { awsSizes } from "../../components/targets/aws/sizes.ts";
import { outputOf, RecordedResources } from "../support/recorded-resources.ts";
import { RecordingTarget } from "../support/recording-target.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const application = await loadApplication(`${checkout}/jobs/wikipedia/index.ts`);
const resources = new RecordedResources();
let LambdaArchitecture: typeof import("../../components/lambda-architecture.ts").LambdaArchitecture;

beforeEach(async () => {
  await resources.start();
  ({ LambdaArchitecture } = await import("../../components/lambda-architecture.ts"));
});

/** What an architecture asks of its target. */
async function servers(args: Omit<LambdaArchitectureArgs, "target" | "application">): Promise<RecordingTarget> {
  const target = new RecordingTarget();
  new LambdaArchitecture("lambda", { target, application, ...args });
  await resources.list();
  return target;
}

/** How many servers there are of each role, jobs left out. */
function replicas({ serviceArgs }: RecordingTarget): Record<string, number> {
  const roles = [...serviceArgs.values()].filter(({ identity }) => identity.component !== "lambda");
  const counts = Object.groupBy(
    roles,
    ({ identity }) => `${identity.component.slice("lambda-".length)} ${identity.role}`,
  );
  return Object.fromEntries(Object.entries(counts).map(([role, list]) => [role, list?.length ?? 0]));
}

/** MiB of all servers and of a batch run. */
function memory({ serviceArgs, schedules }: RecordingTarget): number {
  return [...serviceArgs.values(), ...schedules.values()].reduce((all, args) => all + args.memory, 0);
}

/** Cores that all servers and a batch run are expected to need. */
function cpu({ serviceArgs, schedules }: RecordingTarget): number {
  const sum = [...serviceArgs.values(), ...schedules.values()].reduce((all, args) => all + args.cpu, 0);
  return Math.round(sum * 100) / 100;
}

async function fileOf(service: ServiceArgs | undefined, name: string): Promise<string> {
  return await outputOf(pulumi.output(service?.files?.[name]?.content ?? ""));
}

const oneOfEach = {
  "zookeeper server": 1,
  "kafka broker": 1,
  "cassandra node": 1,
  "hdfs namenode": 1,
  "hdfs datanode": 1,
  "storm nimbus": 1,
  "storm supervisor": 1,
  "druid coordinator": 1,
  "druid broker": 1,
  "druid historical": 1,
  "druid indexer": 1,
  "yarn resourcemanager": 1,
  "yarn nodemanager": 1,
  "yarn historyserver": 1,
};

test("tiny is the default, and one server of each kind", async () => {
  const byDefault = await servers({});
  await resources.start();
  const tiny = await servers({ size: "tiny" });
  expect(replicas(tiny)).toEqual(oneOfEach);
  expect([...tiny.serviceArgs].map(([name, { memory }]) => [name, memory])).toEqual(
    [...byDefault.serviceArgs].map(([name, { memory }]) => [name, memory]),
  );
});

test("small is the same servers, each with at least the memory and CPU of tiny, and two bolts with memory for both", async () => {
  const tiny = await servers({ size: "tiny" });
  await resources.start();
  const small = await servers({ size: "small" });
  expect(replicas(small)).toEqual(oneOfEach);
  for (const [name, { memory, cpu }] of small.serviceArgs) {
    expect(memory, name).toBeGreaterThanOrEqual(tiny.serviceArgs.get(name)?.memory ?? 0);
    expect(cpu, name).toBeGreaterThanOrEqual(tiny.serviceArgs.get(name)?.cpu ?? 0);
  }
  expect(JSON.stringify([...small.tasks])).toMatch(/parallelism: 2/);
});

test("ha has three of what keeps data or votes, two of what works, and copies of all data", async () => {
  const ha = await servers({ size: "ha" });
  expect(replicas(ha)).toEqual({
    ...oneOfEach,
    "zookeeper server": 3,
    "kafka broker": 3,
    "cassandra node": 3,
    "hdfs datanode": 3,
    "storm nimbus": 2,
    "storm supervisor": 2,
    "druid historical": 2,
    "druid indexer": 2,
    "yarn nodemanager": 2,
  });
  const broker = await fileOf(ha.serviceArgs.get("lambda-kafka-broker-0"), "server.properties");
  expect(broker).toContain("default.replication.factor=3\nmin.insync.replicas=2\n");
  const nameNode = await fileOf(ha.serviceArgs.get("lambda-hdfs-namenode"), "hdfs-site.xml");
  expect(nameNode).toMatch(/<name>dfs.replication<\/name>\s*<value>3<\/value>/);
  const keyspaces = ha.tasks.get("lambda-cassandra-schema")?.files?.["keyspaces.json"]?.content;
  expect(JSON.parse(await outputOf(pulumi.output(keyspaces ?? "")))).toMatchObject([{ replicationFactor: 3 }]);
});

test("one value of a system goes over the size's, and what follows from it follows", async () => {
  const ha = await servers({
    size: "ha",
    hdfs: { dataNodes: 2 },
    kafka: { heap: 300, cpu: 0.7 },
    storm: { supervisors: undefined, supervisorCpu: 0.6 },
    druid: { indexerCpu: 0.8 },
  });
  expect(replicas(ha)).toMatchObject({ "hdfs datanode": 2, "kafka broker": 3, "storm supervisor": 2 });
  expect(ha.serviceArgs.get("lambda-kafka-broker-2")?.command).toContain("-Xmx300m");
  const cpus = ["kafka-broker-2", "storm-nimbus-1", "storm-supervisor-1", "druid-historical-0", "druid-indexer-1"];
  expect(cpus.map((name) => ha.serviceArgs.get(`lambda-${name}`)?.cpu)).toEqual([0.7, 0.05, 0.6, 0.1, 0.8]);
  const nameNode = await fileOf(ha.serviceArgs.get("lambda-hdfs-namenode"), "hdfs-site.xml");
  expect(nameNode).toMatch(/<name>dfs.replication<\/name>\s*<value>2<\/value>/);
});

test("the jobs' sizes are arguments too, and checked", async () => {
  const target = await servers({ jobs: { archiverMemory: 300, servingMemory: 400, servingCpu: 0.3 } });
  expect(target.serviceArgs.get("lambda-archiver")?.memory).toBe(300);
  expect(target.serviceArgs.get("lambda-serving")).toMatchObject({ memory: 400, cpu: 0.3 });
  await resources.start();
  await expect(
    servers({ size: "huge" as Size, jobs: { archiverMemory: 1, servingMemory: 1.5, archiverCpu: 0, bolts: 0 } }),
  ).rejects.toThrow(/size must be one of tiny, small, ha.*archiverMemory.*servingMemory.*archiverCpu.*bolts/);
});

test("a profile is plain data that overrides leave untouched", () => {
  const before = JSON.stringify(sizes.map((size) => systemArgs(size, {})));
  systemArgs("ha", { kafka: { replicas: 5 } });
  expect(JSON.stringify(sizes.map((size) => systemArgs(size, {})))).toBe(before);
});

/** MiB that the demo's servers took at its end (PSS), the NodeManager's with a job, by instance. */
const measured = {
  "lambda-zookeeper-server-0": 54,
  "lambda-kafka-broker-0": 259,
  "lambda-cassandra-node-0": 581,
  "lambda-hdfs-namenode": 195,
  "lambda-hdfs-datanode-0": 184,
  "lambda-yarn-resourcemanager": 232,
  "lambda-yarn-nodemanager-0": 988,
  "lambda-yarn-historyserver": 157,
  "lambda-storm-nimbus-0": 145,
  "lambda-storm-supervisor-0": 524,
  "lambda-druid-coordinator": 268,
  "lambda-druid-broker-0": 295,
  "lambda-druid-historical-0": 225,
  "lambda-druid-indexer-0": 296,
  "lambda-archiver": 100,
  "lambda-serving": 233,
};

describe("the memory that is asked for", () => {
  test("of each server is more than the demo was measured to take", async () => {
    const { serviceArgs } = await servers({});
    expect([...serviceArgs.keys()].sort()).toEqual(Object.keys(measured).sort());
    for (const [name, memory] of Object.entries(measured))
      expect(serviceArgs.get(name)?.memory, name).toBeGreaterThan(memory);
  });

  test.each(sizes)("in sum for %s is what the README says", async (size) => {
    const gib = Math.round(memory(await servers({ size })) / 1024);
    const readme = readFileSync(`${checkout}/README.md`, "utf8");
    expect(new RegExp(`^\\| \`${size}\` \\|.*\\| (\\d+) GiB \\|$`, "m").exec(readme)?.[1]).toBe(String(gib));
  });
});

describe("the CPU time that is expected to be needed", () => {
  test("by tiny is that of a machine of two cores, whose every core is shared", async () => {
    expect(cpu(await servers({ size: "tiny" }))).toBeLessThanOrEqual(2);
  });

  test.each(sizes)("in sum for %s is what the README says", async (size) => {
    const readme = readFileSync(`${checkout}/README.md`, "utf8");
    expect(new RegExp(`^\\| \`${size}\` \\|.*\\| ([\\d.]+) cores \\| \\d+ GiB \\|$`, "m").exec(readme)?.[1]).toBe(
      String(cpu(await servers({ size }))),
    );
  });

  test.each(sizes)("on AWS fits the nodes that %s begins with, beside the system", async (size) => {
    const { instanceType, least } = awsSizes[size].nodes;
    expect(cpu(await servers({ size }))).toBeLessThanOrEqual(0.9 * least * (virtualCores[instanceType] ?? 0));
  });
});

/** The virtual cores of the nodes' machines. */
const virtualCores: Readonly<Record<string, number>> = { "m7i.large": 2, "m7i.xlarge": 4 };
