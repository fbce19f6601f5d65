/*
 * ZooKeeper servers and DataNodes come and go, on the local target with the real CLI. Steps and expected results:
 * 1. One of each with data, then three: the ensemble has three voters, files have three copies, the data is there. A
 *    file whose number of copies somebody else has chosen keeps it, more than there are DataNodes, and breaks no `up`.
 * 2. A ZooKeeper server and a DataNode killed with their supervisors: the others answer; `up` mends both.
 * 3. Back to one of each: the data is there. A second time up to three, over what the servers left behind.
 */

import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { distributionDirectory } from "../../../../components/targets/local/distribution.ts";
import { loopbackAddress } from "../../../../components/targets/local/placement.ts";
import { zooKeeperDistribution } from "../../../../components/zookeeper/index.ts";
import { WebHdfs } from "../../../../jobs/hdfs/web-hdfs.ts";
import { LocalProject } from "../../../support/local-project.ts";
import type { Plan } from "./scaling/program.ts";

const project = new LocalProject<Plan>("scaling", fileURLToPath(new URL("./scaling/program.ts", import.meta.url)));
const address = (name: string) => loopbackAddress(`${project.stackFolder("one")}\0scaling\0one`, name);
const zooKeeper = (index: number) => address(`zookeeper-server-${index}`);
const hdfs = new WebHdfs({ url: `http://${address("hdfs-namenode")}:9870`, user: "hdfs" });
const scale = async (count: number) => {
  project.plan({ zooKeeper: { replicas: count }, hdfs: { dataNodes: count } });
  return project.succeed("up", "-y", "--skip-preview", "-s", "one");
};
const files = Array.from({ length: 5 }, (_, index) => [`/kept/${index}`, `${index} `.repeat(100_000)] as const);

beforeAll(() => project.succeed("stack", "init", "one"));
afterAll(() => project.remove("one"));

/** Runs a command of ZooKeeper's own client. */
async function zooKeeperClient(index: number, ...command: string[]): Promise<string> {
  const classPath = join(distributionDirectory(zooKeeperDistribution), "lib", "*");
  const client = ["-cp", classPath, "org.apache.zookeeper.ZooKeeperMain", "-server", `${zooKeeper(index)}:2181`];
  const { stdout } = await promisify(execFile)("java", ["-Xmx64m", "-XX:TieredStopAtLevel=1", ...client, ...command]);
  return stdout;
}

async function mode(index: number): Promise<string | undefined> {
  const socket = connect(2181, zooKeeper(index));
  socket.write("srvr");
  return /^Mode: (\w+)$/m.exec(await text(socket))?.[1];
}

async function expectData(): Promise<void> {
  expect(await zooKeeperClient(0, "get", "/kept")).toMatch(/^precious$/m);
  for (const [path, content] of files) expect(await hdfs.readText(path)).toBe(content);
}

/** For each file, how many of the first DataNodes have its block, as the NameNode says: it also names those that left. */
async function copies(dataNodes: number): Promise<number[]> {
  const wanted = Array.from({ length: dataNodes }, (_, index) => address(`hdfs-datanode-${index}`));
  const locations = files.map(async ([path]) => {
    const query = "op=GETFILEBLOCKLOCATIONS&user.name=hdfs";
    const response = await fetch(`http://${address("hdfs-namenode")}:9870/webhdfs/v1${path}?${query}`);
    const { BlockLocations } = (await response.json()) as { BlockLocations: { BlockLocation: { hosts: string[] }[] } };
    return BlockLocations.BlockLocation[0]?.hosts.filter((host) => wanted.includes(host)).length ?? 0;
  });
  return Promise.all(locations);
}

const others = `http://${address("hdfs-namenode")}:9870/webhdfs/v1/others/file?user.name=hdfs`;

async function chooseCopies(count: number): Promise<void> {
  const headers = { "X-XSRF-HEADER": "test" };
  const response = await fetch(`${others}&op=SETREPLICATION&replication=${count}`, { method: "PUT", headers });
  expect(await response.json()).toEqual({ boolean: true });
}

async function copiesChosen(): Promise<number> {
  const response = await fetch(`${others}&op=GETFILESTATUS`);
  return ((await response.json()) as { FileStatus: { replication: number } }).FileStatus.replication;
}

test("from one server to three: they vote, files get three copies, the data is there", async () => {
  await scale(1);
  await zooKeeperClient(0, "create", "/kept", "precious");
  for (const [path, content] of files) await hdfs.create(path, [Buffer.from(content)]);
  await hdfs.create("/others/file", [Buffer.from("theirs")]);
  await chooseCopies(7);
  await scale(3);
  expect(await copiesChosen()).toBe(7);
  expect((await Promise.all([0, 1, 2].map(mode))).sort()).toEqual(["follower", "follower", "leader"]);
  expect(await copies(3)).toEqual(Array(files.length).fill(3));
  await expectData();
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("one of each killed with its supervisor: the others answer, and up mends it", async () => {
  const running = await project.running("one");
  for (const name of ["zookeeper-server-0", "hdfs-datanode-1"])
    for (const pid of running.get(name)?.pids ?? []) process.kill(pid, "SIGKILL");
  expect(await zooKeeperClient(2, "get", "/kept")).toMatch(/^precious$/m);
  for (const [path, content] of files) expect(await hdfs.readText(path)).toBe(content);
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
  await expectData();
});

test("back to one: the data is there; and up to three again, over what the servers left behind", async () => {
  await scale(1);
  expect([...(await project.running("one")).keys()].sort()).toEqual([
    "hdfs-datanode-0",
    "hdfs-namenode",
    "zookeeper-server-0",
  ]);
  expect(await mode(0)).toBe("leader");
  expect(await copies(1)).toEqual(Array(files.length).fill(1));
  expect(await copiesChosen()).toBe(7);
  await expectData();
  await zooKeeperClient(0, "set", "/kept", "precious still");
  await scale(3);
  expect(await zooKeeperClient(2, "get", "/kept")).toMatch(/^precious still$/m);
  expect(await copies(3)).toEqual(Array(files.length).fill(3));
  await project.succeed("destroy", "-y", "--skip-preview", "-s", "one");
});
