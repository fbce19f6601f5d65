import { beforeEach, expect, test } from "vitest";
import { hadoopProperties } from "../../support/hadoop-properties.ts";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
let HdfsStorage: typeof import("../../../components/hdfs/index.ts").HdfsStorage;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ HdfsStorage } = await import("../../../components/hdfs/index.ts"));
  target = new RecordingTarget();
});

test("one DataNode and one copy by default, under their component", async () => {
  const hdfs = new HdfsStorage("hdfs", { target });

  expect(await outputOf(hdfs.fileSystem)).toBe("hdfs://127.9.0.1:8020");
  expect(await outputOf(hdfs.webHdfs)).toBe("http://127.9.0.1:9870");
  expect(await outputOf(hdfs.superuser)).toBe("hdfs");
  expect(await outputOf(hdfs.replication)).toBe(1);
  const [component, ...services] = await resources.list();
  expect(component).toMatchObject({
    type: "lambda-architecture:index:HdfsStorage",
    name: "hdfs",
    inputs: { dataNodes: 1, replication: 1, superuser: "hdfs", nameNodeHeap: 192, dataNodeHeap: 128 },
  });
  expect(services.map(({ name }) => name).sort()).toEqual(["hdfs-datanode-0", "hdfs-membership", "hdfs-namenode"]);
});

test("the NameNode is formatted before its first start, as the superuser", async () => {
  new HdfsStorage("hdfs", { target, superuser: "archivist", nameNodeHeap: 300 });
  await resources.list();

  const service = target.serviceArgs.get("hdfs-namenode");
  expect(service).toMatchObject({
    identity: { component: "hdfs", role: "namenode" },
    environment: { HADOOP_USER_NAME: "archivist" },
    ports: { rpc: 8020, http: 9870 },
    memory: 440,
    stateful: true,
  });
  expect(service?.command).toContain("-Xmx300m");
  expect(service?.command.at(-1)).toBe("org.apache.hadoop.hdfs.server.namenode.NameNode");
  expect(service?.prepare?.[0]).toBe("/bin/sh");
  expect(service?.prepare?.slice(-4)).toEqual([
    "org.apache.hadoop.hdfs.server.namenode.NameNode",
    "-format",
    "-force",
    "-nonInteractive",
  ]);
  expect(Object.keys(service?.files ?? {})).toEqual(["core-site.xml", "hdfs-site.xml"]);
});

test("every DataNode has its own address, from which it also calls the NameNode", async () => {
  new HdfsStorage("storage", { target, dataNodes: 5 });
  await resources.list();

  expect([...target.serviceArgs.keys()]).toEqual([
    "storage-namenode",
    ...[0, 1, 2, 3, 4].map((index) => `storage-datanode-${index}`),
  ]);
  const service = target.serviceArgs.get("storage-datanode-4");
  expect(service).toMatchObject({ ports: { data: 9866, http: 9864, ipc: 9867 }, stateful: true });
  expect(service?.command).toContain(
    "-javaagent:/recording-target/distributions/bind-agent/lib/bind-agent.jar=127.9.0.6",
  );
  expect(service?.distributions?.map(({ name }) => name)).toEqual(["hadoop", "bind-agent"]);
  const site = hadoopProperties(service?.files?.["hdfs-site.xml"]?.content as string);
  expect(site).toMatchObject({ "dfs.datanode.address": "127.9.0.6:9866", "dfs.replication": "3" });
});

test("after all servers the membership is made so, through the file that the NameNode reads", async () => {
  new HdfsStorage("hdfs", { target, dataNodes: 2 });
  const list = await resources.list();

  expect(list.find(({ name }) => name === "hdfs-membership")?.dependsOn).toEqual([
    "hdfs-datanode-0",
    "hdfs-datanode-1",
    "hdfs-namenode",
  ]);
  const task = target.tasks.get("hdfs-membership");
  expect(task?.command.slice(2)).toEqual([
    "--name-node=http://127.9.0.1:9870",
    "--data-nodes=127.9.0.2,127.9.0.3",
    "--replication=2",
    "--user=hdfs",
    "--excluded=/recording-target/hdfs-namenode/data/excluded-data-nodes",
    "--java=java",
    "--class-path=/recording-target/hdfs-membership/configuration:/recording-target/distributions/hadoop/lib/*",
  ]);
  expect(task?.checkCommand).toEqual([...(task?.command ?? []), "--check"]);
  const site = target.serviceArgs.get("hdfs-namenode")?.files?.["hdfs-site.xml"]?.content as string;
  expect(hadoopProperties(site)["dfs.hosts.exclude"]).toBe("/recording-target/hdfs-namenode/data/excluded-data-nodes");
});

test("a DataNode that the NameNode has taken in is ready", async () => {
  new HdfsStorage("hdfs", { target });
  await resources.list();

  const readiness = target.serviceArgs.get("hdfs-datanode-0")?.readiness;
  const answer = (state: string) =>
    `"BPServiceActorInfo" : "[{\\"ActorState\\":\\"${state}\\",\\"NamenodeAddress\\":\\"127.9.0.1:8020\\"}]"`;
  const expected = new RegExp((readiness as { expect: string }).expect);
  expect(answer("RUNNING")).toMatch(expected);
  expect(answer("CONNECTING")).not.toMatch(expected);
});

test("every wrong argument is reported at once, each with its mend", () => {
  const wrong = {
    dataNodes: 0,
    replication: 2,
    superuser: "Root!",
    nameNodeHeap: 10,
    dataNodeHeap: 1.5,
    dataNodeCpu: 0,
  };
  expect(() => new HdfsStorage("hdfs", { target, ...wrong })).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('HdfsStorage "hdfs": '),
      errors: [
        { propertyPath: "dataNodes", reason: "must be a whole number from 1; it is 0" },
        { propertyPath: "replication", reason: "must be at most the number of DataNodes (0); it is 2" },
        {
          propertyPath: "superuser",
          reason: 'must be a user name of lower-case letters, digits, _ and -; it is "Root!"',
        },
        { propertyPath: "nameNodeHeap", reason: "must be a whole number from 96; it is 10" },
        { propertyPath: "dataNodeHeap", reason: "must be a whole number from 64; it is 1.5" },
        { propertyPath: "dataNodeCpu", reason: "must be a number of cores from 0.001, e.g. 0.5; it is 0" },
      ],
    }),
  );
  expect(target.serviceArgs.size).toBe(0);
});
