import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
let DruidCluster: typeof import("../../../components/druid/index.ts").DruidCluster;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ DruidCluster } = await import("../../../components/druid/index.ts"));
  target = new RecordingTarget();
});

test("one server of each role by default, under its component", async () => {
  const druid = new DruidCluster("druid", { target, zooKeeper: "127.9.9.9:2181" });

  expect(await outputOf(druid.coordinatorUrl)).toBe("http://127.9.0.1:8081");
  expect(await outputOf(druid.brokerUrl)).toBe("http://127.9.0.2:8082");
  expect(await outputOf(druid.brokerUrls)).toEqual(["http://127.9.0.2:8082"]);
  const [component, ...services] = await resources.list();
  expect(component).toMatchObject({
    type: "lambda-architecture:index:DruidCluster",
    name: "druid",
    inputs: { historicals: 1, indexerHeap: 384 },
  });
  expect(services.sort((a, b) => (a.name < b.name ? -1 : 1))).toMatchObject([
    { type: "test:index:Service", name: "druid-broker-0" },
    { type: "test:index:Service", name: "druid-coordinator" },
    { type: "test:index:Service", name: "druid-historical-0" },
    { type: "test:index:Service", name: "druid-indexer-0" },
    { type: "test:index:Task", name: "druid-membership" },
  ]);
  const indexer = target.serviceArgs.get("druid-indexer-0");
  expect(indexer).toMatchObject({
    identity: { component: "druid", role: "indexer", index: 0 },
    ports: { http: 8091 },
    readiness: { kind: "http", port: 8091, path: "/druid/worker/v1/enabled", expect: "true" },
    memory: 384 + 64 + 120,
    stateful: false,
  });
  expect(indexer?.command).toContain("-Xmx384m");
  expect(indexer?.command).toContain("-XX:MaxDirectMemorySize=64m");
  expect(indexer?.command).toContain(
    "-Ddruid.properties.file=/recording-target/druid-indexer-0/configuration/runtime.properties",
  );
  expect(indexer?.command.slice(-3)).toEqual(["org.apache.druid.cli.Main", "server", "indexer"]);
  expect(target.serviceArgs.get("druid-coordinator")?.ports).toEqual({ http: 8081, metadata: 1527 });
});

test("the membership task knows the coordinator and every historical", async () => {
  new DruidCluster("druid", { target, zooKeeper: "127.9.9.9:2181", historicals: 2 });
  await resources.list();

  const task = target.tasks.get("druid-membership");
  expect(task?.command[1]).toMatch(/components\/druid\/membership\.ts$/);
  expect(task?.command.slice(2)).toEqual([
    "--coordinator=http://127.9.0.1:8081",
    "--historicals=127.9.0.3:8083,127.9.0.4:8083",
  ]);
  expect(task?.checkCommand).toEqual([...(task?.command ?? []), "--check"]);
});

test("every server knows ZooKeeper, the metadata and the deep storage", async () => {
  new DruidCluster("olap", {
    target,
    zooKeeper: pulumi.output("a:2181,b:2181"),
    historicals: 2,
    deepStorage: "/shared",
  });
  await resources.list();

  expect([...target.serviceArgs.keys()]).toEqual([
    "olap-coordinator",
    "olap-broker-0",
    "olap-historical-0",
    "olap-historical-1",
    "olap-indexer-0",
  ]);
  for (const service of target.serviceArgs.values()) {
    const properties = await outputOf(pulumi.output(service.files?.["runtime.properties"]?.content));
    expect(properties).toContain("druid.zk.service.host=a:2181,b:2181\n");
    expect(properties).toContain("=jdbc:derby://127.9.0.1:1527//recording-target/olap-coordinator/data/metadata;");
    expect(properties).toContain("druid.storage.storageDirectory=/shared/segments\n");
  }
});

test("segments in a bucket: Hadoop's client for S3, the keys in files, and to each server what it does there", async () => {
  const { S3Storage } = await import("../../../components/s3/index.ts");
  const credentials = { accessKeyId: "id", secretAccessKey: "sesame" };
  const storage = new S3Storage("storage", { target, bucket: "events", endpoint: "http://s3:9000", credentials });
  new DruidCluster("druid", { target, zooKeeper: "z:2181", deepStorage: storage });
  await resources.list();

  for (const [name, service] of target.serviceArgs) {
    const text = (file: string) => outputOf(pulumi.output(service.files?.[file]?.content));
    expect(await text("runtime.properties")).toContain(
      "druid.storage.type=hdfs\ndruid.storage.storageDirectory=s3a://events/druid/segments\n",
    );
    expect(await text("core-site.xml")).toContain("<name>fs.s3a.endpoint</name><value>http://s3:9000</value>");
    expect(service.files?.["s3-credentials"]?.secret, name).toBe(true);
    expect(service.environment).toEqual({
      AWS_SHARED_CREDENTIALS_FILE: `${target.placement(service.identity).configuration}/s3-credentials`,
    });
    expect(service.distributions?.map((each) => each.name)).toEqual(["druid", "druid-hdfs", "hadoop-s3"]);
  }
  const rights = Object.fromEntries(
    [...target.serviceArgs].map(([name, { access }]) => [
      name,
      access?.folders?.map(({ path, operations }) => `${path} ${operations.join(" ")}`),
    ]),
  );
  expect(rights).toEqual({
    "druid-coordinator": ["/ list", "/druid/task-logs read"],
    "druid-broker-0": undefined,
    "druid-historical-0": ["/ list", "/druid/segments read"],
    "druid-indexer-0": ["/ list", "/druid list read write delete"],
  });
});

test("all wrong arguments are reported at once", () => {
  expect(
    () =>
      new DruidCluster("druid", {
        target,
        zooKeeper: "127.9.9.9:2181",
        brokers: 0,
        historicals: 1.5,
        indexers: -1,
        coordinatorHeap: 1,
        brokerHeap: 2,
        historicalHeap: 3,
        indexerHeap: 4,
        historicalCpu: 0,
        deepStorage: "relative",
      }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[Error: DruidCluster "druid": brokers must be a whole number from 1; it is 0; historicals must be a whole number from 1; it is 1.5; indexers must be a whole number from 1; it is -1; coordinatorHeap must be a whole number from 128; it is 1; brokerHeap must be a whole number from 128; it is 2; historicalHeap must be a whole number from 128; it is 3; indexerHeap must be a whole number from 128; it is 4; historicalCpu must be a number of cores from 0.001, e.g. 0.5; it is 0; deepStorage must be an absolute path; it is "relative"]`,
  );
});

test("on another target than local the servers' common folder must be named", () => {
  const elsewhere = Object.assign(new RecordingTarget(), { name: "kubernetes" as const });
  expect(
    () => new DruidCluster("druid", { target: elsewhere as unknown as RecordingTarget, zooKeeper: "z:2181" }),
  ).toThrow("deepStorage must be set: on the target kubernetes servers share no folder by themselves");
});
