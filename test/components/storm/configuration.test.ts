import { expect, test } from "vitest";
import { parse } from "yaml";
import {
  clientConfiguration,
  stormConfiguration,
  topologyDefinition,
  workerLogging,
  zooKeeperServers,
} from "../../../components/storm/configuration.ts";
import { shellBolt, shellSpout } from "../../../components/storm/flux.ts";

test("a server's storm.yaml", () => {
  const text = stormConfiguration({
    address: "127.9.0.3",
    nimbusSeeds: ["127.9.0.1", "127.9.0.2"],
    zooKeeper: "127.9.0.8:2181,127.9.0.9:2181",
    zooKeeperRoot: "/storm",
    slots: 2,
    workerFlags: ["-Xmx192m", "-javaagent:agent.jar=127.9.0.3"],
    configuration: "/configuration",
    data: "/data",
    logs: "/logs",
  });
  expect(parse(text)).toMatchObject({
    "storm.local.hostname": "127.9.0.3",
    "storm.local.dir": "/data",
    "storm.log4j2.conf.dir": "/configuration",
    "storm.workers.artifacts.dir": "/logs/workers",
    "storm.zookeeper.servers": ["127.9.0.8", "127.9.0.9"],
    "storm.zookeeper.port": 2181,
    "storm.zookeeper.root": "/storm",
    "storm.blobstore.replication.factor": 2,
    "nimbus.seeds": ["127.9.0.1", "127.9.0.2"],
    "nimbus.thrift.port": 6627,
    "supervisor.slots.ports": [6700, 6701],
    "worker.childopts": "-Xmx192m -javaagent:agent.jar=127.9.0.3",
  });
});

test("a client needs to know Nimbus only", () => {
  expect(clientConfiguration(["127.9.0.1"])).toBe("nimbus.seeds:\n  - 127.9.0.1\nnimbus.thrift.port: 6627\n");
});

test("ZooKeeper's servers share a port", () => {
  expect(zooKeeperServers("a:2181")).toEqual({ hosts: ["a"], port: 2181 });
  expect(() => zooKeeperServers("a:2181,b:2182")).toThrow("one port for all");
  expect(() => zooKeeperServers("")).toThrow("host:port of each server");
});

test("a worker's files are named by Storm's system properties", () => {
  expect(workerLogging).toContain(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: log4j's own placeholders
    'fileName="${sys:workers.artifacts}/${sys:storm.id}/${sys:worker.port}/${sys:logfile.name}"',
  );
});

test("a topology for Flux; shell components without fields take the constructor without", () => {
  const text = topologyDefinition("hello", {
    config: { "topology.workers": 1 },
    spouts: [shellSpout({ id: "numbers", command: ["node", "numbers.mjs"], fields: ["number"] })],
    bolts: [shellBolt({ id: "printer", command: ["node", "printer.mjs"], parallelism: 3 })],
    streams: [{ from: "numbers", to: "printer", grouping: { type: "SHUFFLE" } }],
  });
  expect(parse(text)).toEqual({
    name: "hello",
    config: { "topology.workers": 1 },
    spouts: [
      {
        id: "numbers",
        className: "org.apache.storm.flux.wrappers.spouts.FluxShellSpout",
        constructorArgs: [["node", "numbers.mjs"], ["number"]],
        parallelism: 1,
      },
    ],
    bolts: [
      {
        id: "printer",
        className: "org.apache.storm.flux.wrappers.bolts.FluxShellBolt",
        constructorArgs: [["node", "printer.mjs"]],
        parallelism: 3,
      },
    ],
    streams: [{ from: "numbers", to: "printer", grouping: { type: "SHUFFLE" } }],
  });
});
