import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
let ZooKeeperEnsemble: typeof import("../../../components/zookeeper/index.ts").ZooKeeperEnsemble;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ ZooKeeperEnsemble } = await import("../../../components/zookeeper/index.ts"));
  target = new RecordingTarget();
});

test("one server by default, under its component", async () => {
  const ensemble = new ZooKeeperEnsemble("zookeeper", { target });

  expect(await outputOf(ensemble.connectString)).toBe("127.9.0.1:2181");
  expect(await outputOf(ensemble.servers)).toEqual(["127.9.0.1"]);
  expect(await outputOf(ensemble.clientPort)).toBe(2181);
  expect(await resources.list()).toMatchObject([
    {
      type: "lambda-architecture:index:ZooKeeperEnsemble",
      name: "zookeeper",
      inputs: { replicas: 1, heap: 64, cpu: 0.05 },
    },
    { type: "test:index:Service", name: "zookeeper-server-0" },
    { type: "test:index:Task", name: "zookeeper-membership", dependsOn: ["zookeeper-server-0"] },
  ]);
  const service = target.serviceArgs.get("zookeeper-server-0");
  expect(service).toMatchObject({
    identity: { component: "zookeeper", role: "server", index: 0 },
    ports: { client: 2181, quorum: 2888, election: 3888 },
    readiness: { kind: "tcp", port: 2181, send: "srvr", expect: "Mode: (leader|follower|observer)" },
    memory: 144,
    stateful: true,
  });
  expect(service?.command).toContain("-Xmx64m");
  expect(service?.command.slice(-2)).toEqual([
    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
    "/recording-target/zookeeper-server-0/data/zoo.cfg",
  ]);
});

test("three servers know each other and their own number", async () => {
  const ensemble = new ZooKeeperEnsemble("coordination", { target, replicas: 3, heap: 128 });

  expect(await outputOf(ensemble.connectString)).toBe("127.9.0.1:2181,127.9.0.2:2181,127.9.0.3:2181");
  expect([...target.serviceArgs.keys()]).toEqual([
    "coordination-server-0",
    "coordination-server-1",
    "coordination-server-2",
  ]);
  const service = target.serviceArgs.get("coordination-server-2");
  const folder = "/recording-target/coordination-server-2";
  expect(service?.files?.myid?.content).toBe("3\n");
  expect(service?.prepare?.slice(-2)).toEqual([`${folder}/configuration`, `${folder}/data`]);
  expect(service?.files?.members?.content).toMatch(/^server\.1=.*participant.*\nserver\.3=.*observer.*\n$/);
  expect(service?.ports).toEqual({ client: 2181, quorum: 2888, election: 3888 });
  expect(service?.memory).toBe(208);
  const task = target.tasks.get("coordination-membership");
  expect(task?.files?.members?.content).toMatch(/^(server\.\d=.*participant.*\n){3}$/);
  expect(task?.checkCommand).toEqual([...(task?.command ?? []), "--check"]);
});

test("all input errors come at once, with the mend", () => {
  expect(() => new ZooKeeperEnsemble("zookeeper", { target, replicas: 2, heap: 8.5, cpu: Number.NaN })).toThrow(
    'ZooKeeperEnsemble "zookeeper": replicas must be odd: 2 servers bear no more losses than 1; ' +
      "heap must be a whole number from 32; it is 8.5; " +
      "cpu must be a number of cores from 0.001, e.g. 0.5; it is NaN",
  );
  expect(() => new ZooKeeperEnsemble("zookeeper", { target, replicas: 9 })).toThrow(
    "replicas must be a whole number from 1 to 7; it is 9",
  );
  expect(target.serviceArgs.size).toBe(0);
});

test("the error is one that the Pulumi CLI shows property by property", () => {
  const errorOf = () => new ZooKeeperEnsemble("zookeeper", { target, replicas: 0, heap: 0 });
  expect(errorOf).toThrow(pulumi.InputPropertiesError);
});
