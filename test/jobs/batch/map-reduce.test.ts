import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  finish,
  jobConfiguration,
  killAll,
  type MapReduceArgs,
  type MapReduceProgress,
  mapReduceResult,
  runMapReduce,
  submitCommand,
} from "../../../jobs/batch/map-reduce.ts";
import type { YarnApplication } from "../../../jobs/batch/yarn.ts";
import { hadoopProperties } from "../../support/hadoop-properties.ts";

const args: MapReduceArgs = {
  hadoop: {
    java: "/jdk/bin/java",
    classPath: ["/hadoop/lib/*"],
    configurationDirectory: "/client",
    resourceManager: "http://127.9.0.1:8088",
    historyServer: "http://127.9.0.2:19888",
    node: "/opt/node 24/bin/node",
    mapper: "/programs/mapper.mjs",
    reducer: "/programs/reducer.mjs",
    reducers: 2,
    user: "hdfs",
    environment: { FROM: "here" },
  },
  name: "Batch",
  version: "20260102T030405006",
  views: ["by-shop", "by-item"],
  input: ["/master/a", "/master/b", "/master/c,d\\e"],
  output: "/views/20260102T030405006",
};

test("the job's configuration holds its tags and all files but the first", () => {
  expect(hadoopProperties(jobConfiguration(args))).toMatchObject({
    "mapreduce.job.name": "Batch 20260102T030405006",
    "mapreduce.job.tags": "batch,20260102t030405006",
    "mapreduce.job.reduces": "2",
    "mapreduce.input.fileinputformat.inputdir": "/master/b,/master/c\\,d\\\\e",
  });
});

test("the client puts generic options first and quotes the programs", () => {
  const command = submitCommand(args, "/tmp/job.xml");
  expect(command[0]).toBe("/jdk/bin/java");
  expect(command).toContain("/client:/hadoop/lib/*");
  expect(command.slice(command.indexOf("org.apache.hadoop.streaming.HadoopStreaming") + 1)).toEqual([
    "-conf",
    "/tmp/job.xml",
    "-files",
    "file:///programs/mapper.mjs,file:///programs/reducer.mjs",
    "-background",
    "-inputformat",
    "org.apache.hadoop.mapred.lib.CombineTextInputFormat",
    "-input",
    "/master/a",
    "-output",
    "/views/20260102T030405006",
    "-mapper",
    '"/opt/node 24/bin/node" --single-threaded-gc "mapper.mjs"',
    "-reducer",
    '"/opt/node 24/bin/node" --single-threaded-gc "reducer.mjs"',
  ]);
});

const hadoop = { MAP_INPUT_RECORDS: 10, REDUCE_INPUT_RECORDS: 7, REDUCE_OUTPUT_RECORDS: 5 };
// Of two tasks: halves of digests add up beyond their 24 bits.
// Of two tasks: the halves of their digests add up beyond 24 bits.
const own = {
  "lines mapped": 10,
  "bytes mapped": 900,
  "digest mapped high": 0x123455 + 2 ** 24,
  "digest mapped low": 0x789abc + 2 ** 24,
  "records reduced": 7,
  invalid: 1,
  "skipped by-shop": 2,
  "output by-shop": 3,
  "output by-item": 2,
};
const counters = (ofHadoop: Record<string, number>, ofTasks: Record<string, number>) =>
  new Map([
    ["org.apache.hadoop.mapreduce.TaskCounter", new Map(Object.entries(ofHadoop))],
    ["lambda-architecture", new Map(Object.entries(ofTasks))],
  ]);

describe("counters", () => {
  test("say what was done", () => {
    expect(mapReduceResult("application_1_1", counters(hadoop, own), args.views)).toEqual({
      applicationId: "application_1_1",
      content: { events: 10, bytes: 900, digest: 0x123456789abc },
      invalid: 1,
      skipped: { "by-shop": 2, "by-item": 0 },
      outputRecords: { "by-shop": 3, "by-item": 2 },
    });
  });

  test.each([
    ["lines mapped 9, Hadoop counts 10", hadoop, { ...own, "lines mapped": 9 }],
    ["records reduced 7, Hadoop counts 8", { ...hadoop, REDUCE_INPUT_RECORDS: 8 }, own],
    ["lines of output 4, Hadoop counts 5", hadoop, { ...own, "output by-item": 1 }],
  ])("that do not add up are an error: %s", (message, ofHadoop, ofTasks) => {
    expect(() => mapReduceResult("application_1_1", counters(ofHadoop, ofTasks), args.views)).toThrow(
      `the MapReduce job application_1_1 is incomplete: ${message}`,
    );
  });
});

/** The REST interfaces of a cluster that runs what a fake client submits. */
class FakeCluster {
  readonly killed: string[] = [];
  /** What is answered about the application with the version's tag, one after another; the last again and again. */
  states: { state: string; finalStatus: string; progress: number; diagnostics?: string }[] = [];
  /** Applications that an earlier run has left behind. */
  leftBehind: string[] = [];
  leftBehindVersion = "20260101T000000000";
  #server: Server = createServer((incoming, response) => void this.#answer(incoming, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer({ method, url = "" }: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(this.#body(method, new URL(url, "http://fake"))));
  }

  #body(method: string | undefined, url: URL): unknown {
    const id = url.pathname.match(/application_\d+_\d+/)?.[0];
    if (method === "PUT" && id !== undefined) {
      this.killed.push(`${id} as ${url.searchParams.get("user.name")}`);
      this.leftBehind = this.leftBehind.filter((other) => other !== id);
      this.states = this.states.map((state) => ({ ...state, finalStatus: "KILLED" }));
      return { state: "KILLED" };
    }
    if (url.pathname.endsWith("/counters")) {
      const group = (counterGroupName: string, all: Record<string, number>) => {
        const list = Object.entries(all).map(([name, totalCounterValue]) => ({ name, totalCounterValue }));
        // As the history server writes it: no list around one.
        return { counterGroupName, counter: list.length === 1 ? list[0] : list };
      };
      return {
        jobCounters: {
          counterGroup: [
            group("org.apache.hadoop.mapreduce.TaskCounter", hadoop),
            group("lambda-architecture", own),
            group("Shuffle Errors", { IO_ERROR: 0 }),
          ],
        },
      };
    }
    const tag = url.searchParams.get("applicationTags");
    const left = this.leftBehind.map((other) => ({
      ...application(other, { state: "RUNNING", finalStatus: "UNDEFINED", progress: 5 }),
      name: `Batch ${this.leftBehindVersion}`,
    }));
    const [current] = this.states;
    if (tag === "batch" && current === undefined) return { apps: left.length === 0 ? null : { app: left } };
    if (current === undefined) return { apps: {} };
    if (this.states.length > 1 && tag !== "batch") this.states.shift();
    return { apps: { app: [application("application_1_2", current)] } };
  }
}

function application(
  id: string,
  state: { state: string; finalStatus: string; progress: number; diagnostics?: string },
) {
  return { id, name: "Batch 20260102T030405006", diagnostics: "", ...state, user: "hdfs" };
}

describe("a run", () => {
  let cluster: FakeCluster;
  let folder: string;
  let url: string;

  beforeEach(async () => {
    cluster = new FakeCluster();
    url = await cluster.start();
    folder = mkdtempSync(join(tmpdir(), "map-reduce-"));
  });
  afterEach(() => {
    cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The arguments with a client that runs the shell script. */
  function withClient(script: string): MapReduceArgs {
    const java = join(folder, "java");
    writeFileSync(java, `#!/bin/sh\n${script}\n`);
    chmodSync(java, 0o755);
    return { ...args, hadoop: { ...args.hadoop, java, resourceManager: url, historyServer: url } };
  }

  const running = { state: "RUNNING", finalStatus: "UNDEFINED", progress: 50 };
  const succeeded = { state: "FINISHED", finalStatus: "SUCCEEDED", progress: 100 };

  test("submits as the user, reports progress and gives the counters", async () => {
    cluster.leftBehind = ["application_1_1"];
    const progress: MapReduceProgress[] = [];
    const client = withClient(`echo "$HADOOP_USER_NAME $FROM" >'${folder}/user'`);
    const run = runMapReduce({
      ...client,
      onProgress: (one) => {
        progress.push(one);
        if (one.state === "SUBMITTING") cluster.states = [running, running, succeeded];
      },
    });

    expect(await run).toMatchObject({ applicationId: "application_1_2", content: { events: 10 } });
    expect(readFileSync(join(folder, "user"), "utf8")).toBe("hdfs here\n");
    expect(cluster.killed).toEqual(["application_1_1 as hdfs"]);
    expect(progress).toEqual([
      { state: "SUBMITTING", percent: 0 },
      { applicationId: "application_1_2", state: "RUNNING", percent: 50 },
      { applicationId: "application_1_2", state: "FINISHED", percent: 100 },
    ]);
  });

  test("without YARN says that it does not answer", async () => {
    cluster.stop();
    await expect(runMapReduce(withClient("exit 0"))).rejects.toThrow(/YARN does not answer: GET http.*ECONNREFUSED/);
  });

  test("that cannot be submitted says what the client says", async () => {
    const client = withClient("echo Output directory exists >&2; exit 5");
    await expect(runMapReduce(client)).rejects.toThrow("could not be submitted:\nOutput directory exists");
  });

  test("whose job fails says why and where its logs are", async () => {
    const failed = { state: "FINISHED", finalStatus: "FAILED", progress: 100, diagnostics: "Task failed\n" };
    const run = runMapReduce({
      ...withClient("exit 0"),
      onProgress: () => {
        cluster.states = [failed];
      },
    });
    await expect(run).rejects.toThrow(/application_1_2 has FAILED.*containers\/application_1_2: Task failed$/);
  });

  test("that is stopped kills its job", async () => {
    const controller = new AbortController();
    const run = runMapReduce({
      ...withClient("exit 0"),
      signal: controller.signal,
      onProgress: ({ state }) => {
        if (state === "SUBMITTING") cluster.states = [running];
        else controller.abort(new Error("stopped by SIGTERM"));
      },
    });
    await expect(run).rejects.toThrow("stopped by SIGTERM");
    expect(cluster.killed).toEqual(["application_1_2 as hdfs"]);
  });

  test("that is stopped while it submits stops the client", async () => {
    const controller = new AbortController();
    const run = runMapReduce({
      ...withClient("exec sleep 60"),
      signal: controller.signal,
      onProgress: () => setTimeout(() => controller.abort(new Error("stopped by SIGTERM")), 200),
    });
    await expect(run).rejects.toThrow("stopped by SIGTERM");
  });
});

/** YARN's answers about one application, one after another; the last one stays. */
function yarnOf(...answers: readonly Partial<YarnApplication>[]) {
  const left = [...answers];
  const killed: string[] = [];
  const basic = {
    id: "application_1",
    name: "edits v1",
    state: "RUNNING",
    finalStatus: "UNDEFINED",
    progress: 0,
    diagnostics: "",
  };
  return {
    killed,
    applications: async () => [{ ...basic, ...(left.length > 1 ? left.shift() : left[0]) }],
    kill: async (id: string) => void killed.push(id),
  };
}

test("a job that makes no progress is given up with the reason; one that does is waited for", async () => {
  const waits = yarnOf({ state: "ACCEPTED" });
  await expect(finish(waits, { version: "v1" }, 300)).rejects.toThrow(
    "the MapReduce job application_1 is ACCEPTED at 0 % for 0.3 s without progress",
  );
  const slow = yarnOf({ progress: 1 }, { progress: 2 }, { progress: 3 }, { finalStatus: "SUCCEEDED", progress: 100 });
  expect(await finish(slow, { version: "v1" }, 700)).toMatchObject({ progress: 100 });
});

test("an application that does not end when it is killed is not waited for without end", async () => {
  const stuck = yarnOf({});
  await expect(killAll(stuck, { name: "edits", version: "v2" }, 300)).rejects.toThrow(
    "YARN's application application_1 has not ended within 0.3 s of being killed",
  );
  expect(stuck.killed).toContain("application_1");
  await killAll(yarnOf({}, { finalStatus: "KILLED" }), { name: "edits", version: "v2" });
});
