import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
let StormCluster: typeof import("../../../components/storm/index.ts").StormCluster;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ StormCluster } = await import("../../../components/storm/index.ts"));
  target = new RecordingTarget();
});

async function stormYaml(service: string): Promise<Record<string, unknown>> {
  const content = target.serviceArgs.get(service)?.files?.["storm.yaml"]?.content ?? "";
  return parse(await outputOf(pulumi.output(content)));
}

test("one Nimbus and one supervisor by default, each on its own address only", async () => {
  const storm = new StormCluster("storm", { target, zooKeeper: pulumi.output("127.9.1.1:2181") });

  expect(await outputOf(storm.nimbusSeeds)).toEqual(["127.9.0.1"]);
  expect(await outputOf(storm.nimbusPort)).toBe(6627);
  expect(await resources.list()).toMatchObject([
    {
      type: "lambda-architecture:index:StormCluster",
      name: "storm",
      inputs: { zooKeeper: "127.9.1.1:2181", supervisors: 1, slots: 2 },
    },
    { type: "test:index:Service", name: "storm-nimbus-0" },
    { type: "test:index:Service", name: "storm-supervisor-0" },
  ]);
  const nimbus = target.serviceArgs.get("storm-nimbus-0");
  expect(nimbus).toMatchObject({
    identity: { component: "storm", role: "nimbus", index: 0 },
    ports: { thrift: 6627 },
    readiness: { kind: "tcp", port: 6627 },
    memory: 282,
    stateful: true,
  });
  expect(nimbus?.distributions?.map(({ name }) => name)).toEqual(["storm", "bind-agent"]);
  expect(nimbus?.command.at(-1)).toBe("org.apache.storm.daemon.nimbus.Nimbus");
  expect(nimbus?.command).toContain(
    "-javaagent:/recording-target/distributions/bind-agent/lib/bind-agent.jar=127.9.0.1",
  );
  const supervisor = target.serviceArgs.get("storm-supervisor-0");
  expect(supervisor).toMatchObject({
    environment: { STORM_CONF_DIR: "/recording-target/storm-supervisor-0/configuration" },
    ports: { thrift: 6628, slot0: 6700, slot1: 6701 },
    memory: 1662,
    stateful: true,
  });
  expect(await stormYaml("storm-supervisor-0")).toMatchObject({
    "storm.local.hostname": "127.9.0.2",
    "storm.zookeeper.root": "/storm",
    "nimbus.seeds": ["127.9.0.1"],
    "worker.childopts": expect.stringMatching(/^-Xmx192m .* -javaagent:.*\/bind-agent\.jar=127\.9\.0\.2$/),
  });
});

test("replicas know each other", async () => {
  const storm = new StormCluster("storm", { target, zooKeeper: "z:2181", nimbusReplicas: 2, supervisors: 2, slots: 3 });

  expect(await outputOf(storm.nimbusSeeds)).toEqual(["127.9.0.1", "127.9.0.2"]);
  expect([...target.serviceArgs.keys()]).toEqual([
    "storm-nimbus-0",
    "storm-nimbus-1",
    "storm-supervisor-0",
    "storm-supervisor-1",
  ]);
  expect(target.serviceArgs.get("storm-supervisor-1")?.ports).toEqual({
    thrift: 6628,
    slot0: 6700,
    slot1: 6701,
    slot2: 6702,
  });
  expect(await stormYaml("storm-nimbus-1")).toMatchObject({
    "storm.local.hostname": "127.9.0.2",
    "nimbus.seeds": ["127.9.0.1", "127.9.0.2"],
    "storm.blobstore.replication.factor": 2,
  });
});

test("all input errors come at once, with the mend", () => {
  const wrong = () =>
    new StormCluster("storm", {
      target,
      zooKeeper: "z:2181",
      nimbusReplicas: 0,
      supervisors: 0.5,
      slots: 0,
      nimbusHeap: 1,
      supervisorHeap: 1,
      supervisorCpu: 0,
      workerHeap: 1,
      workerShellMemory: -1,
    });
  expect(wrong).toThrow(pulumi.InputPropertiesError);
  expect(wrong).toThrow(
    'StormCluster "storm": nimbusReplicas must be a whole number from 1 to 7; it is 0; ' +
      "supervisors must be a whole number from 1; it is 0.5; " +
      "slots must be a whole number from 1 to 100; it is 0; " +
      "nimbusHeap must be a whole number from 96; it is 1; " +
      "supervisorHeap must be a whole number from 64; it is 1; " +
      "supervisorCpu must be a number of cores from 0.001, e.g. 0.5; it is 0; " +
      "workerHeap must be a whole number from 64; it is 1; " +
      "workerShellMemory must be a whole number from 0; it is -1",
  );
  expect(target.serviceArgs.size).toBe(0);
});
