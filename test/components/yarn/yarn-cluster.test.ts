import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import type { File } from "../../../components/target.ts";
import { hadoopProperties } from "../../support/hadoop-properties.ts";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
const fileSystem = "hdfs://127.9.9.9:8020";
let YarnCluster: typeof import("../../../components/yarn/index.ts").YarnCluster;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ YarnCluster } = await import("../../../components/yarn/index.ts"));
  target = new RecordingTarget();
});

/** The properties in one of a service's or client's files. */
async function properties(files: Readonly<Record<string, File>> | undefined, name: string) {
  return hadoopProperties(await outputOf(pulumi.output(files?.[name]?.content as pulumi.Input<string>)));
}

test("one of each server by default, under their component", async () => {
  const yarn = new YarnCluster("yarn", { target, fileSystem });

  expect(await outputOf(yarn.resourceManager)).toBe("http://127.9.0.1:8088");
  expect(await outputOf(yarn.historyServer)).toBe("http://127.9.0.2:19888");
  const [component, ...services] = await resources.list();
  expect(component).toMatchObject({
    type: "lambda-architecture:index:YarnCluster",
    name: "yarn",
    inputs: { fileSystem, replication: 1, user: "hdfs", nodeManagers: 1, containerMemory: 1536, virtualCores: 2 },
  });
  expect(services.map(({ name }) => name).sort()).toEqual([
    "yarn-historyserver",
    "yarn-nodemanager-0",
    "yarn-resourcemanager",
  ]);
});

test("servers act as the file system's user and find it", async () => {
  new YarnCluster("yarn", { target, fileSystem: pulumi.output(fileSystem), user: "archivist", replication: 3 });

  for (const service of target.serviceArgs.values()) {
    expect(service.environment).toEqual({ HADOOP_USER_NAME: "archivist" });
    expect(await properties(service.files, "core-site.xml")).toEqual({ "fs.defaultFS": fileSystem });
    expect(await properties(service.files, "hdfs-site.xml")).toEqual({ "dfs.replication": "3" });
  }
});

test("every NodeManager has its own address and is ready when the ResourceManager gives it containers", async () => {
  new YarnCluster("yarn", { target, fileSystem, nodeManagers: 2, containerMemory: 4096, virtualCores: 4 });

  const service = target.serviceArgs.get("yarn-nodemanager-1");
  expect(service).toMatchObject({
    ports: { containers: 8041, localizer: 8040, http: 8042, shuffle: 13562 },
    readiness: {
      kind: "http",
      address: "127.9.0.1",
      port: 8088,
      path: "/ws/v1/cluster/nodes/127.9.0.4:8041",
    },
    memory: 128 + 160 + 4096,
    stopGrace: 3,
  });
  expect(service?.command).toContain(
    "-javaagent:/recording-target/distributions/bind-agent/lib/bind-agent.jar=127.9.0.4",
  );
  const site = await properties(service?.files, "yarn-site.xml");
  expect(site).toMatchObject({
    "yarn.nodemanager.address": "127.9.0.4:8041",
    "yarn.nodemanager.localizer.address": "127.9.0.4:8040",
    "yarn.nodemanager.webapp.address": "127.9.0.4:8042",
    "yarn.nodemanager.local-dirs": "/recording-target/yarn-nodemanager-1/data/local",
    "yarn.nodemanager.log-dirs": "/recording-target/yarn-nodemanager-1/logs/containers",
    "yarn.nodemanager.resource.memory-mb": "4096",
    "yarn.nodemanager.resource.cpu-vcores": "4",
  });
  expect(site["yarn.nodemanager.env-whitelist"]?.split(",")).toContain("LAMBDA_ARCHITECTURE_INSTANCE");
});

test("no server listens on every interface by its configuration", async () => {
  new YarnCluster("yarn", { target, fileSystem, nodeManagers: 2 });

  for (const [name, service] of target.serviceArgs) {
    const { address } = target.placement(service.identity);
    const all = await Promise.all(Object.keys(service.files ?? {}).map((file) => properties(service.files, file)));
    const texts = all.flatMap((some) => Object.values(some));
    for (const [purpose, port] of Object.entries(service.ports)) {
      // The shuffle's address has no setting: the bind agent sees to it.
      if (purpose !== "shuffle") expect(texts, `${name} ${purpose}`).toContain(`${address}:${port}`);
    }
    expect(texts.join(" ")).not.toContain("0.0.0.0");
  }
});

test("a client's containers bind to the address of the node that they run on", async () => {
  const yarn = new YarnCluster("yarn", { target, fileSystem, masterMemory: 900, taskMemory: 800, taskHeap: 300 });

  expect(Object.keys(yarn.clientFiles)).toEqual(["core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml"]);
  const site = await properties(yarn.clientFiles, "mapred-site.xml");
  expect(site).toMatchObject({
    "mapreduce.framework.name": "yarn",
    "mapreduce.jobhistory.address": "127.9.0.2:10020",
    "mapreduce.application.classpath": "/recording-target/distributions/hadoop/lib/*",
    "yarn.app.mapreduce.am.resource.mb": "900",
    "mapreduce.map.memory.mb": "800",
    "mapreduce.reduce.memory.mb": "800",
    "mapreduce.job.ubertask.enable": "true",
  });
  for (const options of [
    "yarn.app.mapreduce.am.command-opts",
    "mapreduce.map.java.opts",
    "mapreduce.reduce.java.opts",
  ]) {
    expect(site[options]).toContain("-Xmx300m");
    expect(site[options]).toContain("/bind-agent/lib/bind-agent.jar=$NM_HOST");
  }
  expect(await properties(yarn.clientFiles, "yarn-site.xml")).toMatchObject({
    "yarn.resourcemanager.address": "127.9.0.1:8032",
  });
});

test("every wrong argument is reported at once, each with its mend", () => {
  const wrong = {
    nodeManagers: 0,
    virtualCores: 0,
    taskHeap: 64,
    taskMemory: 100,
    masterMemory: 300,
    nodeManagerHeap: 1,
    nodeManagerCpu: 0,
  };
  expect(() => new YarnCluster("yarn", { target, fileSystem, ...wrong, containerMemory: 200 })).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('YarnCluster "yarn": '),
      errors: [
        { propertyPath: "nodeManagers", reason: "must be a whole number from 1; it is 0" },
        { propertyPath: "virtualCores", reason: "must be a whole number from 1; it is 0" },
        { propertyPath: "taskHeap", reason: "must be a whole number from 128; it is 64" },
        { propertyPath: "taskMemory", reason: "must be a whole number from 256; it is 100" },
        { propertyPath: "taskMemory", reason: "must leave 128 MiB beside taskHeap (64); it is 100" },
        {
          propertyPath: "containerMemory",
          reason: "must hold a job's master and a task, 400 MiB over all NodeManagers; it is 200",
        },
        { propertyPath: "nodeManagerHeap", reason: "must be a whole number from 96; it is 1" },
        { propertyPath: "nodeManagerCpu", reason: "must be a number of cores from 0.001, e.g. 0.5; it is 0" },
      ],
    }),
  );
  expect(target.serviceArgs.size).toBe(0);
});

test("a path with a space, in which YARN starts no container, is an error before anything starts", () => {
  const spaced = new RecordingTarget("/my project");
  expect(() => new YarnCluster("yarn", { target: spaced, fileSystem })).toThrow(
    "target must keep its folders under a path without spaces, or YARN cannot start containers; " +
      "one is /my project/yarn-resourcemanager/data",
  );
});
