import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { loadApplication } from "../../components/application.ts";
import type { LambdaArchitectureArgs } from "../../components/lambda-architecture.ts";
import { batchConfigurationSchema } from "../../jobs/batch/configuration.ts";
import { configurationSchema } from "../../jobs/configuration.ts";
import { outputOf, type RecordedResource, RecordedResources } from "../support/recorded-resources.ts";
import { RecordingTarget } from "../support/recording-target.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const wikipedia = await loadApplication(join(checkout, "jobs/wikipedia/index.ts"));
const resources = new RecordedResources();
let LambdaArchitecture: typeof import("../../components/lambda-architecture.ts").LambdaArchitecture;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ LambdaArchitecture } = await import("../../components/lambda-architecture.ts"));
  target = new RecordingTarget();
});

function create(name: string, args: Partial<LambdaArchitectureArgs> = {}) {
  return new LambdaArchitecture(name, { target, application: wikipedia, ...args });
}

/** The text of a configuration file of an instance. */
async function fileOf(instance: string, path = "configuration.json"): Promise<string> {
  const { serviceArgs, tasks, schedules } = target;
  const content = (serviceArgs.get(instance) ?? tasks.get(instance) ?? schedules.get(instance))?.files?.[path]?.content;
  if (content === undefined) throw new Error(`${instance} has no file ${path}`);
  return await outputOf(pulumi.output(content));
}

/** The address of an instance, given as `component/role` or `component/role/index`. */
function address(instance: string): string {
  const [component = "", role = "", index] = instance.split("/");
  return target.placement({ component, role, ...(index !== undefined && { index: Number(index) }) }).address;
}

/** The names of the tasks that submit topologies. */
function submissions(): string[] {
  return [...target.tasks.keys()].filter((name) => /-speed-[0-9a-f]{8}-submission$/.test(name));
}

function byName(list: readonly RecordedResource[]): Record<string, RecordedResource> {
  return Object.fromEntries(list.map((resource) => [resource.name, resource]));
}

test("is the systems and the jobs, each named after it and a part of it", async () => {
  create("lambda");
  const list = await resources.list();

  expect(list[0]).toEqual({
    type: "lambda-architecture:index:LambdaArchitecture",
    name: "lambda",
    parent: "",
    dependsOn: [],
    inputs: {
      topic: "edits",
      partitions: 2,
      retentionHours: 168,
      archiveMinutes: 10,
      sealHours: 24,
      logIncarnation: 1,
      storage: "hdfs",
      chunkSize: 5000,
      batchSchedule: "0 * * * *",
      recomputationMinutes: 60,
      views: {
        "edits-by-channel": expect.stringMatching(/^[0-9a-f]{8}$/),
        "edits-by-page": expect.stringMatching(/^[0-9a-f]{8}$/),
      },
    },
  });
  const children = list.filter(({ parent }) => parent === "lambda").map(({ type, name }) => `${type} ${name}`);
  expect(children.map(withoutHash).sort()).toEqual([
    "lambda-architecture:index:CassandraCluster lambda-cassandra",
    "lambda-architecture:index:DruidCluster lambda-druid",
    "lambda-architecture:index:HdfsStorage lambda-hdfs",
    "lambda-architecture:index:KafkaCluster lambda-kafka",
    "lambda-architecture:index:StormCluster lambda-storm",
    "lambda-architecture:index:StormTopology lambda-speed-HASH",
    "lambda-architecture:index:YarnCluster lambda-yarn",
    "lambda-architecture:index:ZooKeeperEnsemble lambda-zookeeper",
    "test:index:Schedule lambda-batch",
    "test:index:Service lambda-archiver",
    "test:index:Service lambda-serving",
    "test:index:Task lambda-recomputation",
    "test:index:Task lambda-view-edits-by-channel-HASH",
    "test:index:Task lambda-view-edits-by-page-HASH",
  ]);
  for (const { name, parent } of list.slice(1))
    expect(name.startsWith(`${parent}-`), `${name} of ${parent}`).toBe(true);
  const named = new Set(list.map(({ name }) => name));
  for (const { parent } of list.slice(1)) expect(named.has(parent), parent).toBe(true);
});

test("each part waits for what it needs, and for nothing else", async () => {
  create("lambda");
  const list = await resources.list();
  const { dependencies, instances } = systemsOf(list);

  expect(dependencies).toEqual({
    zookeeper: [],
    kafka: [],
    cassandra: [],
    hdfs: [],
    yarn: [],
    storm: ["zookeeper"],
    druid: ["zookeeper"],
    archiver: ["hdfs", "kafka"],
    view: ["cassandra"],
    recomputation: ["cassandra", "kafka", "view"],
    // Not before the new code has caught up.
    serving: ["cassandra", "kafka", "recomputation"],
    speed: ["cassandra", "kafka", "storm", "view"],
    batch: ["cassandra", "druid", "hdfs", "view", "yarn"],
  });
  // What waits for a system waits for all of it.
  for (const { dependsOn, parent } of list)
    if (parent === "lambda")
      for (const system of new Set(dependsOn.map(systemOf)))
        if (instances[system] !== undefined)
          expect(dependsOn.filter((name) => systemOf(name) === system)).toEqual(instances[system]);
  // In a system, topics and tables wait for its servers, and servers for nothing.
  const inside = list.filter(({ parent, dependsOn }) => parent !== "lambda" && parent !== "" && dependsOn.length > 0);
  expect(Object.fromEntries(inside.map(({ name, dependsOn }) => [name, dependsOn]))).toEqual({
    "lambda-kafka-topics": ["lambda-kafka-broker-0"],
    "lambda-cassandra-schema": ["lambda-cassandra-node-0"],
    "lambda-cassandra-membership": ["lambda-cassandra-node-0", "lambda-cassandra-schema"],
    "lambda-druid-membership": ["lambda-druid-coordinator", "lambda-druid-historical-0"],
    "lambda-hdfs-membership": ["lambda-hdfs-datanode-0", "lambda-hdfs-namenode"],
    "lambda-zookeeper-membership": ["lambda-zookeeper-server-0"],
  });
});

/** The name without the hash of what it runs at its end. */
function withoutHash(name: string): string {
  return name.replace(/-[0-9a-f]{8}$/, "-HASH");
}

function systemOf(name: string): string {
  return name.split("-")[1] ?? "";
}

function systemsOf(list: readonly RecordedResource[]) {
  const dependencies: Record<string, string[]> = {};
  const instances: Record<string, string[]> = {};
  for (const { name, parent, dependsOn } of list) {
    if (parent === "lambda") dependencies[systemOf(name)] = [...new Set(dependsOn.map(systemOf))];
    if (parent.startsWith("lambda-")) instances[systemOf(name)] = [...(instances[systemOf(name)] ?? []), name].sort();
  }
  return { dependencies, instances };
}

test("every job is told the same, and where the servers are", async () => {
  const architecture = create("lambda", { topic: "orders", partitions: 6, chunkSize: 2000 });
  const text = await outputOf(architecture.configuration);

  expect(configurationSchema.parse(JSON.parse(text))).toEqual({
    topic: "orders",
    deadLetterTopic: "orders-dead-letters",
    partitions: 6,
    chunkSize: 2000,
    maxEventBytes: 1_000_000,
    kafka: { bootstrapServers: [`${address("lambda-kafka/broker/0")}:9092`] },
    storage: { kind: "hdfs", webHdfs: `http://${address("lambda-hdfs/namenode")}:9870`, user: "hdfs" },
    masterDataset: "/master",
    openChunks: "/open",
    archiveMinutes: 10,
    sealHours: 24,
    retentionHours: 168,
    incarnation: 1,

    batchViews: "/batch",
    cassandra: {
      contactPoints: [`${address("lambda-cassandra/node/0")}:9042`],
      localDataCenter: "datacenter1",
      keyspace: "lambda",
    },
    druid: {
      broker: `http://${address("lambda-druid/broker/0")}:8082`,
      coordinator: `http://${address("lambda-druid/coordinator")}:8081`,
    },
    speed: { shards: 8, chunksPerEra: 4 },
    generations: {
      "edits-by-channel": expect.stringMatching(/^[0-9a-f]{8}$/),
      "edits-by-page": expect.stringMatching(/^[0-9a-f]{8}$/),
    },
  });
  expect(await fileOf("lambda-archiver")).toBe(text);
  expect(await fileOf("lambda-serving")).toBe(text);
  expect(await fileOf(submissions()[0] as string, "resources/configuration.json")).toBe(text);
  const { hadoop, ...shared } = batchConfigurationSchema.parse(JSON.parse(await fileOf("lambda-batch")));
  expect(shared).toEqual(JSON.parse(text));
  expect(hadoop).toEqual({
    java: "java",
    classPath: ["/recording-target/lambda-batch/configuration", "/recording-target/distributions/hadoop/lib/*"],
    configurationDirectory: "/recording-target/lambda-batch/configuration",
    resourceManager: `http://${address("lambda-yarn/resourcemanager")}:8088`,
    historyServer: `http://${address("lambda-yarn/historyserver")}:19888`,
    node: target.node,
    mapper: join(checkout, "jobs/batch/mapper.ts"),
    reducer: join(checkout, "jobs/batch/reducer.ts"),
    reducers: 1,
    user: "hdfs",
    environment: {},
  });
  for (const site of ["core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml"])
    expect(await fileOf("lambda-batch", site)).toContain("<configuration>");
  // No record goes by its age: the archiver trims what is safe elsewhere, and dead letters are nowhere else.
  // What is acknowledged is on the disk.
  const settings = {
    ...{ "retention.ms": "-1", "retention.bytes": "-1" },
    ...{ "message.timestamp.type": "LogAppendTime", "flush.messages": "1" },
  };
  expect(JSON.parse(await fileOf("lambda-kafka-topics", "topics.json"))).toEqual([
    { name: "orders", partitions: 6, configuration: settings },
    { name: "orders-dead-letters", partitions: 6, configuration: settings },
  ]);
});

test("the jobs are commands with their configuration, and the outputs lead to them", async () => {
  const architecture = create("lambda", { batchSchedule: "*/5 * * * *" });
  const configurationOf = (job: string) => `--configuration=/recording-target/${job}/configuration/configuration.json`;
  const [archiver, serving] = ["archiver", "serving"].map((job) => target.serviceArgs.get(`lambda-${job}`));

  expect(archiver?.command).toEqual([
    target.node,
    "--max-old-space-size=130",
    "--single-threaded-gc",
    join(checkout, "jobs/archive/main.ts"),
    configurationOf("lambda-archiver"),
    `--address=${address("lambda/archiver")}`,
    "--port=9300",
  ]);
  expect(serving?.command.slice(3)).toEqual([
    join(checkout, "jobs/serving/main.ts"),
    configurationOf("lambda-serving"),
    `--address=${address("lambda/serving")}`,
    "--port=8080",
  ]);
  for (const job of [archiver, serving]) expect(job?.readiness).toMatchObject({ kind: "http", path: "/healthz" });
  const [submission = ""] = submissions();
  expect(target.tasks.get(submission)?.command).toEqual(
    expect.arrayContaining([
      `--name=${submission.replace("-submission", "")}`,
      `--resource=speed-spout.mjs=${join(checkout, "jobs/speed/spout.ts")}`,
      `--resource=speed-bolt.mjs=${join(checkout, "jobs/speed/bolt.ts")}`,
    ]),
  );
  const batch = target.schedules.get("lambda-batch");
  expect(batch?.cron).toBe("*/5 * * * *");
  expect(batch?.command).toEqual([target.node, join(checkout, "jobs/batch/main.ts"), configurationOf("lambda-batch")]);
  expect(await outputOf(architecture.batchCommand)).toEqual(batch?.command);
  expect(await outputOf(architecture.queryUrl)).toBe(`http://${address("lambda/serving")}:8080`);
  expect(await outputOf(architecture.archiverUrl)).toBe(`http://${address("lambda/archiver")}:9300`);
  expect(await outputOf(architecture.bootstrapServers)).toBe(`${address("lambda-kafka/broker/0")}:9092`);
  expect(await outputOf(architecture.topic)).toBe("edits");
});

test("with S3 there is no HDFS, and every job that uses the storage has the secrets in a file of its own", async () => {
  const credentials = { accessKeyId: "AKIA", secretAccessKey: "hush" };
  const s3 = { bucket: "events", endpoint: "http://127.0.0.1:9000", region: "eu-central-1", credentials };
  const architecture = create("lambda", { storage: "s3", s3 });
  const list = byName(await resources.list());

  expect(list["lambda-s3"]).toMatchObject({ type: "lambda-architecture:index:S3Storage", parent: "lambda" });
  expect(Object.keys(list).filter((name) => name.includes("hdfs"))).toEqual([]);
  expect(JSON.parse(await outputOf(architecture.configuration)).storage).toEqual({
    kind: "s3",
    bucket: "events",
    region: "eu-central-1",
    endpoint: "http://127.0.0.1:9000",
    pathStyle: true,
    credentialsFile: "s3-credentials",
  });
  for (const job of ["archiver", "serving", "batch"])
    expect(await fileOf(`lambda-${job}`, "s3-credentials")).toContain("hush");
  const { hadoop } = JSON.parse(await fileOf("lambda-batch"));
  const folder = target.placement({ component: "lambda", role: "batch" }).configuration;
  expect(hadoop.environment).toEqual({ AWS_SHARED_CREDENTIALS_FILE: `${folder}/s3-credentials` });
  expect(hadoop.classPath).toHaveLength(3);
});

test("the arguments of a storage that is not chosen are refused", () => {
  const args = { storage: "s3", s3: { bucket: "events" }, hdfs: { dataNodes: 2 } } as const;
  expect(() => create("lambda", args)).toThrow(
    'LambdaArchitecture "lambda": hdfs must not be given with storage "s3"; leave it out, or choose storage "hdfs"',
  );
  expect(() => create("lambda", { s3: { bucket: "events" } })).toThrow('s3 must not be given with storage "hdfs"');
});

test("arguments of the systems reach them", async () => {
  create("big", {
    zooKeeper: { replicas: 3 },
    kafka: { replicas: 3 },
    hdfs: { dataNodes: 2, superuser: "owner" },
    yarn: { nodeManagers: 2 },
    storm: { supervisors: 2 },
    cassandra: { replicas: 2, dataCenter: "east" },
    druid: { historicals: 2 },
  });
  const { inputs } = byName(await resources.list())["big-yarn"] as RecordedResource;

  expect(inputs).toMatchObject({ nodeManagers: 2, user: "owner", replication: 2 });
  const configuration = JSON.parse(await fileOf("big-serving"));
  expect(configuration.kafka.bootstrapServers).toHaveLength(3);
  expect(configuration.cassandra).toMatchObject({ localDataCenter: "east", contactPoints: { length: 2 } });
  expect(configuration.storage.user).toBe("owner");
  for (const last of ["zookeeper-server-2", "hdfs-datanode-1", "storm-supervisor-1", "druid-historical-1"])
    expect([...target.serviceArgs.keys()]).toContain(`big-${last}`);
});

test("new code of one view is a new generation of that view alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "application-"));
  try {
    for (const file of ["event.ts", "edits-by-channel.ts", "edits-by-page.ts", "index.ts"]) {
      const text = readFileSync(join(checkout, "jobs/wikipedia", file), "utf8")
        .replaceAll('"../', `"${checkout}jobs/`)
        .replace('"zod"', `"${checkout}node_modules/zod/index.js"`);
      writeFileSync(join(folder, file), text);
    }
    const [module, byPage] = [join(folder, "index.ts"), join(folder, "edits-by-page.ts")];
    create("first", { application: await loadApplication(module) });
    writeFileSync(byPage, readFileSync(byPage, "utf8").replace("edit.added", "2 * edit.added"));
    create("second", { application: await loadApplication(module) });

    const { first, second } = byName(await resources.list());
    const [before, after] = [first, second].map((resource) => resource?.inputs.views as Record<string, string>);
    expect(after?.["edits-by-channel"]).toBe(before?.["edits-by-channel"]);
    expect(after?.["edits-by-page"]).not.toBe(before?.["edits-by-page"]);
    expect(JSON.parse(await fileOf("second-archiver")).generations).toEqual(after);
    const [{ tables }] = JSON.parse(await fileOf("second-cassandra-schema", "keyspaces.json"));
    expect(tables.map((table: string) => /(?:EXISTS|ALTER TABLE) (\S+)/.exec(table)?.[1])).toEqual([
      ...["batch_pointer", "batch_pointer", "batch_pointer", "batch_pointer"],
      ...["batch_lease", "retired_generation", "log_incarnation"],
      `speed_edits_by_channel_${before?.["edits-by-channel"]}`,
      `progress_edits_by_channel_${before?.["edits-by-channel"]}`,
      `speed_edits_by_page_${after?.["edits-by-page"]}`,
      `progress_edits_by_page_${after?.["edits-by-page"]}`,
    ]);
    // A resource of its own, told nothing of the other: so it changes with its own code alone.
    const [kept, changed] = ["edits-by-channel", "edits-by-page"].map((view) =>
      [before, after].map((generation, index) => `${index ? "second" : "first"}-view-${view}-${generation?.[view]}`),
    );
    expect([...target.tasks.keys()]).toEqual(expect.arrayContaining([...(kept ?? []), ...(changed ?? [])]));
    const told = async (task = "") => JSON.parse(await fileOf(task));
    expect(await told(kept?.[1])).toMatchObject({ view: "edits-by-channel", generation: after?.["edits-by-channel"] });
    expect(Object.keys(await told(kept?.[1]))).toEqual(["cassandra", "view", "generation"]);
    expect(target.tasks.get(kept?.[1] ?? "")?.command.slice(0, 2)).toEqual(
      target.tasks.get(changed?.[0] ?? "")?.command.slice(0, 2),
    );
    const triggers = target.tasks.get("second-recomputation")?.triggers;
    expect(triggers?.[0]).toBe(target.tasks.get("first-recomputation")?.triggers?.[0]);
    expect(triggers?.[1]).toMatch(
      `view edits-by-page is recomputed, since its code is now ${after?.["edits-by-page"]}`,
    );
    // Another topology beside the running one.
    const [old = "", young = ""] = submissions();
    expect(young.replace("second", "first")).not.toBe(old);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("another definition is another topology, and the same one the same", async () => {
  create("lambda");
  await resources.start();
  const [one] = submissions();
  create("lambda");
  expect(submissions()).toEqual([one]);
  create("lambda2", { jobs: { bolts: 2 } });
  expect(submissions()[1]?.replace("lambda2", "lambda")).not.toBe(one);
});

test("what a change of code deletes is not protected, and all else is as its architecture", async () => {
  const { LambdaArchitecture: Protected } = await import("../../components/lambda-architecture.ts");
  new Protected("lambda", { target, application: wikipedia }, { protect: true });
  const list = await resources.list();
  const open = list
    .filter(({ options }) => options?.protect !== true)
    .map(({ name }) => withoutHash(name.replace("-submission", "")));
  expect([...new Set(open)].sort()).toEqual([
    "lambda-speed-HASH",
    "lambda-view-edits-by-channel-HASH",
    "lambda-view-edits-by-page-HASH",
  ]);
  expect(list.find(({ name }) => name === "lambda-cassandra-node-0")?.options?.protect).toBe(true);
});

test("the recomputation has its time, and some to say what lags; deleting a generation gives it up", async () => {
  create("lambda", { recomputationMinutes: 3 });
  await resources.list();
  const recomputation = target.tasks.get("lambda-recomputation");
  expect(recomputation?.command.slice(-1)).toEqual(["--minutes=3"]);
  expect(recomputation?.timeout).toBe(240);
  const { hadoop } = batchConfigurationSchema.parse(JSON.parse(await fileOf("lambda-recomputation")));
  expect(hadoop.configurationDirectory).toBe("/recording-target/lambda-recomputation/configuration");
  const [view = ""] = [...target.tasks.keys()].filter((name) => name.startsWith("lambda-view-"));
  expect(target.tasks.get(view)?.deleteCommand?.at(-1)).toBe("--retire");
});

test("all input errors come at once, with the mend", () => {
  const wrong = () =>
    create("lambda", {
      topic: "Edits!",
      partitions: 0,
      retentionHours: 0,
      chunkSize: 10,
      batchSchedule: "hourly",
      recomputationMinutes: 0,
    });
  expect(wrong).toThrow(pulumi.InputPropertiesError);
  expect(wrong).toThrow(
    'LambdaArchitecture "lambda": ' +
      "topic must be lower-case letters, digits, '.', '_' and '-'; it is \"Edits!\"; " +
      "partitions must be a whole number from 1 to 256; it is 0; " +
      "chunkSize must be a whole number from 100 to 1000000; it is 10; " +
      "recomputationMinutes must be a whole number from 1 to 10080; it is 0; " +
      "retentionHours must be a number from 0.001 to 876000; it is 0; " +
      "batchSchedule must be five fields of cron: minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6, " +
      'each a number, a range, a list, * or a step of these, e.g. */15; it is "hourly"',
  );
  expect(target.serviceArgs.size).toBe(0);
});
