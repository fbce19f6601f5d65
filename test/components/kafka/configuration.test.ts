import { expect, test } from "vitest";
import {
  defaultControllers,
  metaProperties,
  minInSyncReplicas,
  replicationFactor,
  serverProperties,
} from "../../../components/kafka/configuration.ts";

const addresses = ["127.9.0.1", "127.9.0.2", "127.9.0.3", "127.9.0.4"];

test("replication is derived from the number of brokers", () => {
  const derived = [1, 2, 3, 4, 9].map((replicas) => [
    defaultControllers(replicas),
    replicationFactor(replicas),
    minInSyncReplicas(replicas),
  ]);
  expect(derived).toEqual([
    [1, 1, 1],
    [1, 2, 1],
    [3, 3, 2],
    [3, 3, 2],
    [3, 3, 2],
  ]);
});

test("a broker alone is its own controller", () => {
  expect(
    serverProperties({ brokers: ["127.9.0.1"], index: 0, controllers: 1, data: "/data" }),
  ).toBe(`process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.9.0.1:9093
listeners=PLAINTEXT://127.9.0.1:9092,CONTROLLER://127.9.0.1:9093
advertised.listeners=PLAINTEXT://127.9.0.1:9092
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=/data
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
`);
});

test("the first three of many brokers are the quorum, and no broker beyond them opens its port", () => {
  const voters = "0@127.9.0.1:9093,1@127.9.0.2:9093,2@127.9.0.3:9093";
  const third = serverProperties({ brokers: addresses, index: 2, controllers: 3, data: "/data" });
  expect(third).toContain("process.roles=broker,controller\nnode.id=2\n");
  expect(third).toContain(`controller.quorum.voters=${voters}\n`);
  const fourth = serverProperties({ brokers: addresses, index: 3, controllers: 3, data: "/data" });
  expect(fourth).toContain("process.roles=broker\nnode.id=3\n");
  expect(fourth).toContain(`controller.quorum.voters=${voters}\n`);
  expect(fourth).toContain("\nlisteners=PLAINTEXT://127.9.0.4:9092\n");
  expect(fourth).toContain("min.insync.replicas=2\n");
});

test("the brokers of a cluster share its id, and each folder has one of its own", () => {
  const [first, second] = [0, 1].map((index) => metaProperties("project/stack/kafka", index));
  expect(first).toBe(metaProperties("project/stack/kafka", 0));
  const idOf = (text = "", key: string) => new RegExp(`^${key}=([A-Za-z0-9_][A-Za-z0-9_-]{21})$`, "m").exec(text)?.[1];
  expect(idOf(first, "cluster.id")).toBeDefined();
  expect(idOf(second, "cluster.id")).toBe(idOf(first, "cluster.id"));
  expect(idOf(second, "directory.id")).not.toBe(idOf(first, "directory.id"));
  expect(idOf(metaProperties("project/other/kafka", 0), "cluster.id")).not.toBe(idOf(first, "cluster.id"));
});
