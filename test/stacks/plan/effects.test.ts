import { expect, test } from "vitest";
import { planChanges } from "../../../stacks/plan/changes.ts";
import { effectsOf } from "../../../stacks/plan/effects.ts";
import type { PlannedResource } from "../../../stacks/plan/plan.ts";
import { architecture, plan, resource, service } from "./resources.ts";

const effects = (before: readonly PlannedResource[], after: readonly PlannedResource[]) =>
  effectsOf(planChanges(plan(...before), plan(...after)));

test("what keeps data and goes is told with what becomes of the data", () => {
  const kept = service("broker", { inputs: { stateful: true } });
  const lost = service("scratch", { inputs: { stateful: true, deleteData: true } });
  const protectedNode = service("node", { inputs: { stateful: true }, options: { protect: true } });
  const { data, refused, deleted } = effects([kept, lost, protectedNode, service("web")], []);
  expect(data).toEqual([
    "deletes `broker`, which keeps the data of broker: its data stays",
    "deletes `scratch`, which keeps the data of scratch: **its data is lost**",
    "deletes `node`, which keeps the data of node: its data stays; it is protected, so Pulumi **refuses**",
  ]);
  expect(refused).toEqual([protectedNode]);
  expect(deleted).toHaveLength(4);
});

test("a property that the provider cannot change in place replaces, and the former resource's protection counts", () => {
  const before = service("broker", { inputs: { stateful: true }, options: { protect: true } });
  const after = service("broker", { inputs: { stateful: true, stackFolder: "/elsewhere" } });
  const { replaced, updated, refused, data } = effects([before], [after]);
  expect(replaced.map(({ after: { name } }) => name)).toEqual(["broker"]);
  expect(updated).toEqual([]);
  expect(refused).toEqual([before]);
  expect(data[0]).toMatch(/^replaces `broker`, .*refuses/);
});

test("a resource may say itself what replaces it", () => {
  const thing = (size: number) => resource("a", { inputs: { size }, options: { replaceOnChanges: ["size"] } });
  expect(effects([thing(1)], [thing(2)]).replaced).toHaveLength(1);
});

test("views of other code are recomputed, new ones computed, others taken out", () => {
  const { data } = effects(
    [architecture({ views: { a: "1", b: "2", c: "3" } })],
    [architecture({ views: { a: "1", b: "4", d: "5" } })],
  );
  expect(data).toEqual([
    "recomputes the view `b`, because its code changed, or the form of its stored rows (2 → 4)",
    "takes out the view `c`: nothing answers for it any more",
    "computes the new view `d` from all events",
  ]);
});

test("arguments that decide which events count are effects on data", () => {
  const before = { topic: "edits", chunkSize: 5000, retentionHours: 168, partitions: 2 };
  const after = { ...before, retentionHours: 24, partitions: 4 };
  expect(effects([architecture(before)], [architecture(after)]).data).toEqual([
    "Kafka keeps events at least 24 hours instead of 168; the master dataset keeps them for ever",
  ]);
});

test("another topic takes another chunk size, and computes views of its own beside the former", () => {
  const before = { topic: "edits", chunkSize: 5000, views: { a: "1" } };
  const after = { topic: "orders", chunkSize: 1000, views: { a: "2" } };
  const { data, refusedArguments } = effects([architecture(before)], [architecture(after)]);
  expect(refusedArguments).toEqual([]);
  expect(data).toEqual([
    "reads the topic `orders` instead of `edits`, whose events no view counts any more",
    "computes the view `a` of the new topic from all events of that one, beside the former (1 → 2)",
  ]);
});

test("a view that is computed again says why", () => {
  const before = { topic: "edits", chunkSize: 100, views: { a: "1" } };
  const reasonOf = (change: object) =>
    effects([architecture(before)], [architecture({ ...before, ...change, views: { a: "2" } })]).data.at(-1);
  expect(reasonOf({ logIncarnation: 2 })).toContain("because another life of the log begins (1 → 2)");
  expect(reasonOf({})).toContain("because its code changed, or the form of its stored rows (1 → 2)");
});

test.each([
  ["chunkSize", { chunkSize: 200 }],
  ["partitions", { partitions: 4 }],
  ["logIncarnation", { logIncarnation: 1 }],
  ["storage", { storage: "s3" }],
])("another %s is an argument that up will refuse", (key, change) => {
  const before = { topic: "edits", chunkSize: 100, partitions: 5, storage: "hdfs", logIncarnation: 2 };
  const { refusedArguments } = effects([architecture(before)], [architecture({ ...before, ...change })]);
  expect(refusedArguments).toEqual([expect.stringContaining(`\`${key}\` cannot change from `)]);
});

test("so is another number of Kafka's controllers", () => {
  const kafka = (controllers: number, replicas: number) =>
    resource("kafka", { type: "lambda-architecture:index:KafkaCluster", inputs: { controllers, replicas } });
  expect(effects([kafka(1, 1)], [kafka(3, 3)]).refusedArguments).toEqual([
    "`kafkaControllers` cannot change from 1 to 3, since Kafka's data is made for it",
  ]);
  expect(effects([kafka(1, 1)], [kafka(1, 3)]).refusedArguments).toEqual([]);
});

test("every store's loss of copies and of servers is an effect on data, the worst first", () => {
  const component = (name: string, inputs: PlannedResource["inputs"]) =>
    resource(name.toLowerCase(), { type: `lambda-architecture:index:${name}`, inputs });
  const before = [
    component("CassandraCluster", { replicas: 3, keyspaces: [{ name: "lambda", tables: [] }] }),
    component("KafkaCluster", { replicas: 3 }),
    component("HdfsStorage", { dataNodes: 5, replication: 3 }),
    component("DruidCluster", { historicals: 2 }),
    component("ZooKeeperEnsemble", { replicas: 3 }),
  ];
  const after = [
    component("CassandraCluster", { replicas: 1, keyspaces: [{ name: "lambda", tables: [] }] }),
    component("KafkaCluster", { replicas: 2 }),
    component("HdfsStorage", { dataNodes: 3, replication: 3 }),
    component("DruidCluster", { historicals: 1 }),
    component("ZooKeeperEnsemble", { replicas: 1 }),
  ];
  const { data } = effects(before, after);
  expect(data.map((sentence) => sentence.replace(/: (?!\d).*/, ""))).toEqual([
    "`cassandracluster`: 3 → 1 nodes, copies of every row of the speed views and of the pointers 3 → 1",
    "`druidcluster`: 2 → 1 historicals, copies of every segment of the batch views 2 → 1",
    "`zookeeperensemble`: 3 → 1 servers, copies of what ZooKeeper knows of Storm and Druid 3 → 1",
    "`kafkacluster`: 3 → 2 brokers, copies of every event that is in Kafka 3 → 2",
    "`hdfsstorage`: 5 → 3 DataNodes, copies as before",
  ]);
  expect(data[0]).toContain("**the loss of one server loses data**");
  expect(effects(after, before).data).toEqual([]);
});

test("a switch of what becomes of data is told before anything is deleted", () => {
  const broker = (deleteData: boolean) => service("broker", { inputs: { stateful: true, deleteData } });
  const { data, restarts } = effects([broker(false)], [broker(true)]);
  expect(data).toEqual(["`broker`: the data of broker will be lost when it is deleted"]);
  expect(restarts).toEqual([]);
});

test("servers restart after what they depend on, and only for what they look at", () => {
  const servers = (command: string, memory: number) => [
    service("store", { inputs: { command } }),
    service("other-store", { inputs: { command } }),
    service("reader", { inputs: { command }, dependsOn: ["store", "other-store", "elsewhere"] }),
    service("last", { inputs: { command }, dependsOn: ["reader"] }),
    service("grown", { inputs: { memory } }),
  ];
  expect(effects(servers("a", 1), servers("b", 2)).restarts).toEqual([["store", "other-store"], ["reader"], ["last"]]);
});

test("another encryption of a bucket is an effect on its objects, and only that", () => {
  const bucket = (sseAlgorithm: string, kmsMasterKeyId?: string, bucketKeyEnabled = true) =>
    resource("data", {
      type: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      inputs: {
        rules: [
          {
            applyServerSideEncryptionByDefault: { sseAlgorithm, ...(kmsMasterKeyId && { kmsMasterKeyId }) },
            bucketKeyEnabled,
          },
        ],
      },
    });
  expect(effects([bucket("aws:kms", "arn:1")], [bucket("AES256")]).data).toEqual([
    "`data`: objects are encrypted with `AES256` instead of `aws:kms`, key arn:1 from now on; those that are there stay as they are",
  ]);
  expect(effects([bucket("aws:kms", "arn:1")], [bucket("aws:kms", "arn:1", false)]).data).toEqual([]);
});
