import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
let CassandraCluster: typeof import("../../../components/cassandra/index.ts").CassandraCluster;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ CassandraCluster } = await import("../../../components/cassandra/index.ts"));
  target = new RecordingTarget();
});

test("one node and no keyspaces by default", async () => {
  const cassandra = new CassandraCluster("cassandra", { target });

  expect(await outputOf(cassandra.contactPoints)).toEqual(["127.9.0.1:9042"]);
  expect(await outputOf(cassandra.localDataCenter)).toBe("datacenter1");
  expect(await resources.list()).toMatchObject([
    {
      type: "lambda-architecture:index:CassandraCluster",
      name: "cassandra",
      inputs: { replicas: 1, heap: 256, dataCenter: "datacenter1", keyspaces: [] },
    },
    { type: "test:index:Service", name: "cassandra-node-0" },
    { type: "test:index:Task", name: "cassandra-membership" },
  ]);
  const node = target.serviceArgs.get("cassandra-node-0");
  const configuration = "/recording-target/cassandra-node-0/configuration";
  expect(node).toMatchObject({
    identity: { component: "cassandra", role: "node", index: 0 },
    ports: { client: 9042, storage: 7000, management: 7199 },
    clientPorts: ["client"],
    readiness: { kind: "tcp", port: 9042 },
    memory: 684,
    stateful: true,
  });
  expect(Object.keys(node?.files ?? {})).toEqual([
    "cassandra.yaml",
    "cassandra-rackdc.properties",
    "logback.xml",
    "jvm17-server.options",
    "jmxremote.access",
  ]);
  expect(node?.command.some((argument) => /^-javaagent:.*bind-agent\.jar=127\.9\.0\.1$/.test(argument))).toBe(true);
  expect(node?.distributions?.map(({ name }) => name)).toEqual(["cassandra", "bind-agent"]);
  expect(node?.prepare?.at(-1)).toBe("/recording-target/cassandra-node-0/data/management/127.9.0.1.password");
  expect(node?.command).toContain(`-Dcassandra.config=file://${configuration}/cassandra.yaml`);
  expect(node?.command).toContain("-Dcassandra.skip_wait_for_gossip_to_settle=0");
  expect(node?.command).toContain(`@${configuration}/jvm17-server.options`);
  expect(node?.command.at(-1)).toBe("org.apache.cassandra.service.CassandraDaemon");
});

test("three nodes of one ring; keyspaces come from one task, three copies of each row", async () => {
  const table = "CREATE TABLE IF NOT EXISTS total (key text PRIMARY KEY, edits bigint)";
  const cassandra = new CassandraCluster("store", {
    target,
    replicas: 3,
    heap: 512,
    dataCenter: "north",
    keyspaces: [
      { name: "views", tables: [table] },
      { name: "scratch", replicationFactor: 1 },
    ],
  });

  const contactPoints = ["127.9.0.1:9042", "127.9.0.2:9042", "127.9.0.3:9042"];
  expect(await outputOf(cassandra.contactPoints)).toEqual(contactPoints);
  expect(await outputOf(cassandra.localDataCenter)).toBe("north");
  expect((await resources.list()).map(({ name }) => name).sort()).toEqual([
    "store",
    "store-membership",
    "store-node-0",
    "store-node-1",
    "store-node-2",
    "store-schema",
  ]);
  expect(target.serviceArgs.get("store-node-2")?.files?.["cassandra-rackdc.properties"]?.content).toContain(
    "dc=north\n",
  );
  const task = target.tasks.get("store-schema");
  expect(task?.command[1]).toMatch(/components\/cassandra\/schema\.ts$/);
  expect(task?.command.slice(2)).toEqual([
    "--contact-points",
    contactPoints.join(","),
    "--local-data-center",
    "north",
    "--keyspaces",
    "/recording-target/store-schema/configuration/keyspaces.json",
  ]);
  expect(JSON.parse(String(task?.files?.["keyspaces.json"]?.content))).toEqual([
    { name: "views", replicationFactor: 3, tables: [table] },
    { name: "scratch", replicationFactor: 1, tables: [] },
  ]);
  const membership = target.tasks.get("store-membership");
  expect(membership?.command[1]).toMatch(/components\/cassandra\/membership\.ts$/);
  expect(membership?.command.slice(2)).toEqual([
    `--contact-points=${contactPoints.join(",")}`,
    "--local-data-center=north",
    "--keyspaces=/recording-target/store-membership/configuration/keyspaces.json",
    "--node-data=/recording-target/store-node-0/data",
    "--state=/recording-target/store-membership/data",
    expect.stringMatching(/^--java=/),
    expect.stringMatching(/^--class-path=.*\/lib\/\*$/),
  ]);
  expect(membership?.checkCommand).toEqual([...(membership?.command ?? []), "--check"]);
  // A new table is no reason to look at the ring.
  expect(JSON.parse(String(membership?.files?.["keyspaces.json"]?.content))).toEqual([
    { name: "views", replicationFactor: 3 },
    { name: "scratch", replicationFactor: 1 },
  ]);
});

test("all input errors come at once, with the mend", () => {
  const create = () =>
    new CassandraCluster("cassandra", {
      target,
      replicas: 1,
      heap: 100,
      cpu: -1,
      dataCenter: "it's",
      keyspaces: [
        { name: "Views", replicationFactor: 2 },
        { name: "views", tables: ["CREATE TABLE a (b int PRIMARY KEY)", "DROP TABLE IF EXISTS a"] },
        { name: "views", tables: ["CREATE TABLE IF NOT EXISTS a (b int PRIMARY KEY); DROP TABLE a"] },
      ],
    });
  expect(create).toThrow(pulumi.InputPropertiesError);
  const again =
    "must be one statement CREATE … IF NOT EXISTS … or ALTER TABLE … ADD IF NOT EXISTS …, so that it can run again; it is";
  expect(create).toThrow(
    [
      'CassandraCluster "cassandra": heap must be a whole number from 192; it is 100',
      "cpu must be a number of cores from 0.001, e.g. 0.5; it is -1",
      'dataCenter must be letters, digits, underscores and hyphens; it is "it\'s"',
      "keyspaces[0].name must be a lower-case letter and up to 47 lower-case letters, digits and underscores; " +
        'it is "Views"',
      "keyspaces[0].replicationFactor must be a whole number from 1 to 1; it is 2",
      `keyspaces[1].tables[0] ${again} "CREATE TABLE a (b int PRIMARY KEY)"`,
      `keyspaces[1].tables[1] ${again} "DROP TABLE IF EXISTS a"`,
      'keyspaces[2].name must be unique; "views" is there twice',
      `keyspaces[2].tables[0] ${again} "CREATE TABLE IF NOT EXISTS a (b int PRIMARY KEY); DROP TABLE a"`,
    ].join("; "),
  );
  expect(() => new CassandraCluster("cassandra", { target, replicas: 0 })).toThrow("replicas must be a whole number");
  expect(target.serviceArgs.size).toBe(0);
});
