import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hadoopDistribution } from "../../../components/hadoop/index.ts";
import { bundleProgram } from "../../../components/programs.ts";
import type { ServiceArgs } from "../../../components/target.ts";
import { processTable } from "../../../components/targets/local/processes.ts";
import { runMapReduce } from "../../../jobs/batch/map-reduce.ts";
import { RecordFormat } from "../../../jobs/batch/records.ts";
import { Yarn } from "../../../jobs/batch/yarn.ts";
import { WebHdfs } from "../../../jobs/hdfs/web-hdfs.ts";
import { generate } from "../../../jobs/sources/generator.ts";
import { Aggregate } from "../../../jobs/views/aggregate.ts";
import application from "../../../jobs/wikipedia/index.ts";
import { listeningSockets } from "../../support/listening-sockets.ts";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RunningTarget } from "../../support/running-target.ts";

/*
 * Steps and expected results, on two DataNodes and two NodeManagers:
 * 1. Every DataNode and NodeManager is known under its own address; nothing listens but on loopback addresses.
 * 2. A small job, which runs in its master alone: its output is exactly one pass in memory.
 * 3. The same with containers of their own: the same output; no container listens but on its node's address.
 * 4. A job that is stopped in the middle is killed, and no container is left.
 * 5. A file to which somebody gave more copies than there are DataNodes keeps them, and no deployment waits for them.
 * 6. What a page of a foreign site can have a browser send to any of the servers is refused.
 */
const folder = mkdtempSync(join(tmpdir(), "map-reduce-"));
const target = new RunningTarget("127.24.1", join(folder, "target"));
const marker = `map-reduce-test-${process.pid}`;
const ours = new RegExp(`^${marker}$`);
const user = "hdfs";
const events = Array.from({ length: 3_000 }, (_, index) => generate(7, index));
const input: string[] = [];
let hdfsUrl: string;
let webHdfs: WebHdfs;
let yarnUrls: { resourceManager: string; historyServer: string };

beforeAll(async () => {
  // What the local target does for every server: whatever it starts inherits the mark.
  process.env.LAMBDA_ARCHITECTURE_INSTANCE = marker;
  process.env.JAVA_HOME ??= javaHome();
  await new RecordedResources().start();
  const { HdfsStorage } = await import("../../../components/hdfs/index.ts");
  const { YarnCluster } = await import("../../../components/yarn/index.ts");
  const hdfs = new HdfsStorage("hdfs", { target, dataNodes: 2 });
  const { fileSystem, replication } = hdfs;
  const yarn = new YarnCluster("yarn", { target, nodeManagers: 2, fileSystem, replication, user: hdfs.superuser });
  mkdirSync(join(folder, "client"));
  for (const [name, { content }] of Object.entries(yarn.clientFiles))
    writeFileSync(join(folder, "client", name), await outputOf(pulumi.output(content)));
  yarnUrls = {
    resourceManager: await outputOf(yarn.resourceManager),
    historyServer: await outputOf(yarn.historyServer),
  };
  hdfsUrl = await outputOf(hdfs.webHdfs);
  webHdfs = new WebHdfs({ url: hdfsUrl, user });
  await target.start();
  for (let start = 0; start < events.length; start += 500) {
    const path = `/master/edits/0/${start}-${start + 500}.jsonl`;
    const lines = events.slice(start, start + 500).map((event) => `${JSON.stringify(event)}\n`);
    await webHdfs.create(path, [Buffer.from(lines.join(""))]);
    input.push(path);
  }
});

afterAll(async () => {
  webHdfs?.close();
  await target.stop();
});

function javaHome(): string {
  const java = execFileSync("sh", ["-c", 'readlink -f "$(command -v java)"'], { encoding: "utf8" }).trim();
  return dirname(dirname(java));
}

function job(version: string, reducers: number) {
  const program = (name: string) => fileURLToPath(new URL(`../../../jobs/batch/${name}.ts`, import.meta.url));
  return {
    hadoop: {
      java: target.java,
      classPath: [`${target.directory(hadoopDistribution)}/lib/*`],
      configurationDirectory: join(folder, "client"),
      ...yarnUrls,
      node: process.execPath,
      mapper: bundleProgram({ entry: program("mapper") }),
      reducer: bundleProgram({ entry: program("reducer") }),
      reducers,
      user,
      environment: {},
    },
    name: "batch",
    version,
    views: application.views.map((view) => view.name),
    input,
    output: `/views/${version}`,
  };
}

async function outputOfJob(version: string): Promise<string[]> {
  const files = (await webHdfs.list(`/views/${version}`)).filter(({ name }) => name.startsWith("part-"));
  const texts = await Promise.all(files.map(({ path }) => webHdfs.readText(path)));
  return texts.flatMap((text) => text.split("\n").slice(0, -1)).sort();
}

/** The views over all events in one pass: lines of output, and their number by view. */
function onePass() {
  const lines: string[] = [];
  const outputRecords: Record<string, number> = {};
  for (const view of application.views) {
    const aggregate = new Aggregate(view);
    for (const event of events) aggregate.add(event);
    const format = new RecordFormat(view);
    for (const row of aggregate.rows()) lines.push(format.line(row));
    outputRecords[view.name] = aggregate.size;
  }
  return { lines: lines.sort(), outputRecords };
}

const expected = onePass();

async function addressesOf(url: string, pattern: RegExp): Promise<string[]> {
  const text = await (await fetch(url)).text();
  return [...new Set([...text.matchAll(pattern)].map(([, address]) => address as string))].sort();
}

test("every server is known under its own address, and all listen on loopback addresses only", async () => {
  const own = (...names: string[]) =>
    names.map((name) => target.placement((target.serviceArgs.get(name) as ServiceArgs).identity).address).sort();
  const nameNode = `${hdfsUrl}/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo`;
  expect(await addressesOf(nameNode, /xferaddr\\":\\"([\d.]+):9866/g)).toEqual(
    own("hdfs-datanode-0", "hdfs-datanode-1"),
  );
  const nodes = `${yarnUrls.resourceManager}/ws/v1/cluster/nodes`;
  expect(await addressesOf(nodes, /"id":"([\d.]+):8041"/g)).toEqual(own("yarn-nodemanager-0", "yarn-nodemanager-1"));

  const sockets = await listeningSockets(ours);
  expect(sockets.length).toBeGreaterThan(20);
  for (const socket of sockets) expect(socket.address).toMatch(/^127\.(24\.1|0\.0)\./);
});

test("a small job runs in its master and gives exactly what one pass in memory gives", async () => {
  const result = await runMapReduce(job("20260101T000000001", 1));
  expect(result).toMatchObject({
    content: { events: events.length },
    invalid: 0,
    outputRecords: expected.outputRecords,
  });
  expect(await outputOfJob("20260101T000000001")).toEqual(expected.lines);
});

test("a job with containers of their own gives the same, and they listen on their nodes' addresses only", async () => {
  const ofServers = new Set((await listeningSockets(ours)).map(({ pid }) => pid));
  const ofContainers = new Set<string>();
  let watching = true;
  const watch = (async () => {
    while (watching) {
      for (const { pid, address } of await listeningSockets(ours)) if (!ofServers.has(pid)) ofContainers.add(address);
      await sleep(300);
    }
  })();
  const result = await runMapReduce(job("20260101T000000002", 2)).finally(() => {
    watching = false;
  });
  await watch;
  expect(result).toMatchObject({ content: { events: events.length }, outputRecords: expected.outputRecords });
  expect(await outputOfJob("20260101T000000002")).toEqual(expected.lines);
  expect(ofContainers.size).toBeGreaterThan(0);
  for (const address of ofContainers) expect(address).toMatch(/^127\.24\.1\./);
});

/** The processes that YARN's containers are made of, Node's included. */
async function containerProcesses(): Promise<number[]> {
  const pids = (await processTable()).filter((one) => one.marker === marker).map(({ pid }) => pid);
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes("\0CONTAINER_ID=");
    } catch {
      return false;
    }
  });
}

test("a job that is stopped in the middle is killed with all its containers", async () => {
  let containers = 0;
  const controller = new AbortController();
  const run = runMapReduce({
    ...job("20260101T000000003", 2),
    signal: controller.signal,
    onProgress: async ({ state }) => {
      if (state !== "RUNNING" || controller.signal.aborted) return;
      containers = (await containerProcesses()).length;
      controller.abort(new Error("stopped"));
    },
  });
  await expect(run).rejects.toThrow("stopped");
  const yarn = new Yarn(yarnUrls.resourceManager, yarnUrls.historyServer, user);
  expect(await yarn.applications("20260101t000000003")).toMatchObject([{ finalStatus: "KILLED" }]);
  expect(containers).toBeGreaterThan(0);
  await expect.poll(containerProcesses, { timeout: 20_000 }).toEqual([]);
});

test("a number of copies that somebody has chosen stays, and breaks no deployment", async () => {
  await target.run("hdfs-membership");
  await webHdfs.create("/others/file", [Buffer.from("theirs")]);
  const file = `${hdfsUrl}/webhdfs/v1/others/file?user.name=${user}`;
  await fetch(`${file}&op=SETREPLICATION&replication=7`, { method: "PUT" });
  await target.run("hdfs-membership");
  const status = await (await fetch(`${file}&op=GETFILESTATUS`)).json();
  expect(status).toMatchObject({ FileStatus: { replication: 7 } });
});

/** What a page of another site can have a browser send without asking the server first, and what the server says to it. */
async function fromForeignPage(method: string, url: string): Promise<{ status: number; allowed: string | null }> {
  const headers = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    origin: "https://evil.example",
    ...(method === "POST" && { "content-type": "text/plain" }),
  };
  const response = await fetch(url, { method, headers, ...(method === "POST" && { body: "{}" }), redirect: "manual" });
  await response.arrayBuffer();
  return { status: response.status, allowed: response.headers.get("access-control-allow-origin") };
}

test("a page of a foreign site changes nothing at any of the servers, nor reads what they say", async () => {
  const path = `/webhdfs/v1${input[0]}`;
  const dataNode = `http://${target.placement({ component: "hdfs", role: "datanode", index: 0 }).address}:9864`;
  const nodeManager = `http://${target.placement({ component: "yarn", role: "nodemanager", index: 0 }).address}:8042`;
  const { resourceManager, historyServer } = yarnUrls;
  const changes = [
    ["POST", `${hdfsUrl}${path}?op=TRUNCATE&newlength=0&user.name=${user}`],
    ["POST", `${hdfsUrl}${path}?op=APPEND&user.name=${user}&noredirect=true`],
    ["PUT", `${hdfsUrl}/webhdfs/v1/evil?op=MKDIRS&user.name=${user}`],
    ["DELETE", `${hdfsUrl}/webhdfs/v1/master?op=DELETE&recursive=true&user.name=${user}`],
    ["POST", `${dataNode}${path}?op=APPEND&user.name=${user}&namenoderpcaddress=${new URL(hdfsUrl).hostname}:8020`],
    ["POST", `${resourceManager}/ws/v1/cluster/apps/new-application?user.name=${user}`],
    ["POST", `${resourceManager}/ws/v1/cluster/apps?user.name=${user}`],
    ["PUT", `${resourceManager}/ws/v1/cluster/apps/application_1_0001/state?user.name=${user}`],
    ["POST", `${nodeManager}/ws/v1/node/auxiliaryservices?user.name=${user}`],
    ["POST", `${historyServer}/ws/v1/history/info?user.name=${user}`],
  ] as const;
  for (const [method, url] of changes) {
    const { status, allowed } = await fromForeignPage(method, url);
    expect(`${method} ${url}: ${status} ${allowed}`).toBe(`${method} ${url}: 400 null`);
  }
  // A DataNode would let it read.
  const read = `${path}?op=OPEN&user.name=${user}&namenoderpcaddress=${new URL(hdfsUrl).hostname}:8020`;
  for (const url of [`${hdfsUrl}${read}`, `${dataNode}${read}`])
    expect(await fromForeignPage("GET", url), url).toEqual({ status: 400, allowed: null });
  for (const url of [
    `${resourceManager}/ws/v1/cluster/info`,
    `${nodeManager}/ws/v1/node/info`,
    `${historyServer}/ws/v1/history/info`,
  ])
    expect((await fromForeignPage("GET", url)).allowed, url).toBeNull();
  // What a browser asks before it sends the header.
  for (const url of [hdfsUrl, dataNode, resourceManager, nodeManager, historyServer]) {
    const headers = {
      origin: "https://evil.example",
      "access-control-request-method": "PUT",
      "access-control-request-headers": "x-xsrf-header",
    };
    const answer = await fetch(`${url}${path}?user.name=${user}`, { method: "OPTIONS", headers });
    await answer.arrayBuffer();
    expect(answer.headers.get("access-control-allow-headers") ?? "", url).not.toMatch(/x-xsrf|\*/i);
  }
  expect(await webHdfs.status("/evil")).toBeUndefined();
  expect((await webHdfs.status(input[0] ?? ""))?.length).toBeGreaterThan(0);
});
