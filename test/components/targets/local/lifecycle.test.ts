import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Context } from "../../../../components/targets/local/instance.ts";
import { instances, memoryGiven, stopStack } from "../../../../components/targets/local/instances.ts";
import {
  deleteService,
  inspectService,
  replaceService,
  startService,
  stopService,
} from "../../../../components/targets/local/service.ts";
import type { ServiceInputs, TaskInputs } from "../../../../components/targets/local/state.ts";
import { deleteTask, runTask } from "../../../../components/targets/local/task.ts";
import { kill } from "../../../support/kill.ts";

// The lifecycle without Pulumi: the programs are shells, which start in no time.
const stackFolder = mkdtempSync(join(tmpdir(), "life cycle "));
afterAll(async () => {
  await stopStack(stackFolder, 1);
  rmSync(stackFolder, { recursive: true, force: true });
});

let warnings: string[] = [];
let statuses: string[] = [];
let cancellation = new AbortController();
let context: Context;
beforeEach(() => {
  warnings = [];
  statuses = [];
  cancellation = new AbortController();
  context = {
    cancelled: cancellation.signal,
    status: (message) => statuses.push(message),
    warn: (message) => warnings.push(message),
  };
});

const instance = (name: string, script: string) => ({
  stackFolder,
  instance: name,
  address: "127.22.0.21",
  configuration: join(stackFolder, name, "configuration"),
  data: join(stackFolder, "data", name),
  logs: join(stackFolder, name, "logs"),
  command: ["/bin/sh", "-c", script],
  environment: {},
  files: { "a.properties": { content: "a=1\n", secret: false } },
});
const service = (name: string, script: string, changes: Partial<ServiceInputs> = {}): ServiceInputs => ({
  ...instance(name, script),
  group: name,
  prepare: [],
  ports: {},
  readiness: { kind: "command", command: ["test", "-e", join(stackFolder, "data", name, "ready")] },
  readinessTimeout: 30,
  memory: 1,
  stateful: true,
  deleteData: false,
  permanent: {},
  stopSignal: "SIGTERM",
  stopGrace: 5,
  ...changes,
});
const task = (name: string, script: string, changes: Partial<TaskInputs> = {}): TaskInputs => ({
  ...instance(name, script),
  checkCommand: [],
  deleteCommand: [],
  triggers: [],
  timeout: 30,
  retries: 0,
  ...changes,
});
const serve = "touch ready; while :; do sleep 0.1; done";

test("a service starts in its data folder, is inspected, and is deleted but for its data", async () => {
  const inputs = service("server", serve);
  const state = await startService(inputs, context);
  expect(await inspectService(inputs)).toEqual({ drift: [], pid: state.pid });
  const [status] = await instances(stackFolder);
  expect(status).toMatchObject({ name: "server", address: "127.22.0.21", pid: state.pid, memoryLimit: 1 });
  expect(await memoryGiven(stackFolder)).toEqual(new Map([["server", 1]]));
  await kill(state.supervisor);
  expect((await inspectService(inputs)).drift).toEqual(["server runs without its supervisor"]);
  const again = await startService(inputs, context);
  expect(again.pid).not.toBe(state.pid);
  expect((await instances(stackFolder)).map(({ pids }) => pids.length <= 6)).toEqual([true]);
  await deleteService(inputs);
  expect(await instances(stackFolder)).toEqual([]);
  expect(existsSync(join(stackFolder, "server"))).toBe(false);
  expect(existsSync(join(inputs.data, "ready"))).toBe(true);
});

test("a service whose data is to be deleted with it leaves nothing", async () => {
  const inputs = service("forgetful", serve, { deleteData: true });
  await startService(inputs, context);
  expect(existsSync(join(inputs.data, "ready"))).toBe(true);
  await deleteService(inputs);
  expect(existsSync(inputs.data)).toBe(false);
  expect(existsSync(join(stackFolder, "forgetful"))).toBe(false);
});

test("the stop signal arrives, SIGINT too, and the server may end in peace", async () => {
  for (const stopSignal of process.platform === "linux" ? (["SIGTERM", "SIGINT"] as const) : (["SIGTERM"] as const)) {
    const name = `peaceful-${stopSignal.toLowerCase()}`;
    const script = `trap 'sleep 0.3; touch "in peace"; exit 0' ${stopSignal.slice(3)}; ${serve}`;
    const inputs = service(name, script, { stopSignal });
    await startService(inputs, context);
    await stopService(inputs);
    expect(existsSync(join(inputs.data, "in peace"))).toBe(true);
    expect(readFileSync(join(inputs.logs, `${name}.log`), "utf8")).toContain("supervisor: stopped");
  }
});

test("the log of a healthy server is rotated while it runs, and goes on without losing what it says", async () => {
  const count = "cat said; touch ready; n=0; while :; do n=$((n + 1)); echo $n; sleep 0.02; done";
  const inputs = service("talkative", count);
  const log = join(inputs.logs, "talkative.log");
  mkdirSync(inputs.data, { recursive: true });
  writeFileSync(join(inputs.data, "said"), "what it says first\n".repeat(600_000));
  const { pid } = await startService(inputs, context);
  for (const end = Date.now() + 15_000; !existsSync(`${log}.1`) || statSync(log).size > 1_000_000; await sleep(100))
    if (Date.now() > end) throw new Error("the log is not rotated");
  await sleep(300);
  expect((await inspectService(inputs)).pid).toBe(pid);
  const lines = [`${log}.1`, log].map((file) => readFileSync(file, "utf8").trimEnd().split("\n"));
  expect(lines[0]?.slice(0, 600_000).every((line) => line === "what it says first")).toBe(true);
  const counted = [...(lines[0]?.slice(600_000) ?? []), ...(lines[1] ?? [])].map(Number);
  expect(counted).toEqual([...counted].sort((a, b) => a - b));
  // At most what it says in a second.
  expect((counted.at(-1) ?? 0) - counted.length).toBeLessThan(50);
  await deleteService(inputs);
});

describe.runIf(process.platform === "linux")("a service that may overlap", () => {
  const port = 8643;
  const web = (text: string, changes: Partial<ServiceInputs> = {}) => {
    const program = `
      const server = require("node:http").createServer((_, response) => response.end(${JSON.stringify(text)}));
      process.on("SIGTERM", () => setImmediate(() => server.close()));
      setTimeout(() => server.listen({ host: "127.22.0.21", port: ${port}, reusePort: true }), 300);`;
    return service("web", "", {
      command: [process.execPath, "-e", program],
      ports: { http: port },
      readiness: { kind: "http", port, path: "/" },
      overlaps: true,
      ...changes,
    });
  };
  /** Asks all the time, each time on a connection of its own; what was answered, and what was not. */
  const asking = () => {
    const [answers, failures]: [string[], string[]] = [[], []];
    let goesOn = true;
    const done = (async () => {
      while (goesOn) {
        const answer = fetch(`http://127.22.0.21:${port}/`, { headers: { connection: "close" } });
        await answer.then(
          async (response) => answers.push(await response.text()),
          (error: Error) => failures.push(String(error.cause ?? error)),
        );
      }
    })();
    return async () => {
      goesOn = false;
      await done;
      return { answers, failures };
    };
  };
  const processes = async () => (await instances(stackFolder)).find(({ name }) => name === "web")?.pids.length;

  test("is replaced without a question refused, and one of it runs before and after", async () => {
    const first = await startService(web("one"), context);
    // The server, its supervisor, and what looks after the log and sleeps.
    await expect.poll(processes).toBe(4);
    const stop = asking();
    const second = await replaceService(web("one"), web("two"), context);
    await sleep(200);
    const { answers, failures } = await stop();
    expect(failures).toEqual([]);
    expect([answers[0], answers.at(-1)]).toEqual(["one", "two"]);
    expect(second.pid).not.toBe(first.pid);
    expect(await inspectService(web("two"))).toEqual({ drift: [], pid: second.pid });
    await expect.poll(processes).toBe(4);
    // As often as one likes.
    const third = await replaceService(web("two"), web("three"), context);
    expect(await inspectService(web("three"))).toEqual({ drift: [], pid: third.pid });
    await expect.poll(processes).toBe(4);
    await deleteService(web("three"));
    expect(existsSync(join(stackFolder, "web"))).toBe(false);
  });

  test("goes on as it was if the new one does not get ready", async () => {
    const files = { "a.properties": { content: "a=2\n", secret: false } };
    const first = await startService(web("one"), context);
    const stop = asking();
    const bad = web("two", { command: ["/bin/sh", "-c", "echo no such view >&2; exit 7"], files });
    await expect(replaceService(web("one"), bad, context)).rejects.toThrow(
      /ended 2 times .* with status 7[\s\S]*no such view/,
    );
    const { answers, failures } = await stop();
    expect(failures).toEqual([]);
    expect(new Set(answers)).toEqual(new Set(["one"]));
    expect(await inspectService(web("one"))).toEqual({ drift: [], pid: first.pid });
    // What an interrupted deployment leaves is ended by the next one.
    await replaceService(web("one"), web("two", { files }), context);
    expect((await inspectService(web("two", { files }))).drift).toEqual([]);
    await deleteService(web("two"));
  });

  test("is restarted where the one that runs cannot share its port, or is not as it was deployed", async () => {
    await startService(web("one", { overlaps: false }), context);
    const { pid } = await replaceService(web("one", { overlaps: false }), web("two"), context);
    expect(await inspectService(web("two"))).toEqual({ drift: [], pid });
    rmSync(web("two").configuration, { recursive: true });
    const next = await replaceService(web("two"), web("three"), context);
    expect(await inspectService(web("three"))).toEqual({ drift: [], pid: next.pid });
    await deleteService(web("three"));
  });
});

test("a server that is not ready in time fails by name, with its log, and is stopped", async () => {
  const inputs = service("slow", "echo thinking; exec sleep 60", { readinessTimeout: 1 });
  await expect(startService(inputs, context)).rejects.toThrow(
    /^slow was not ready after 1 s: test ended with exit code 1.*\n.*slow\.log:\n {2}thinking$/,
  );
  expect(await instances(stackFolder)).toEqual([]);
  expect(existsSync(inputs.configuration)).toBe(false);
});

test("a preparation that fails, fails the start", async () => {
  const inputs = service("unprepared", serve, { prepare: ["/bin/sh", "-c", "echo no disk; exit 9"] });
  await expect(startService(inputs, context)).rejects.toThrow(
    /ended 2 times before it was ready, with status 9[\s\S]*no disk/,
  );
});

test("a cancelled deployment takes back what it began", async () => {
  const starting = startService(service("cancelled", "exec sleep 60"), context);
  setTimeout(() => cancellation.abort(), 300);
  await expect(starting).rejects.toThrow("cancelled was cancelled before it was ready.");
  expect(await instances(stackFolder)).toEqual([]);
});

test("a folder that was removed does not keep its server", async () => {
  const inputs = service("homeless", serve);
  await startService(inputs, context);
  rmSync(join(stackFolder, "homeless"), { recursive: true });
  await deleteService(inputs);
  expect(await instances(stackFolder)).toEqual([]);
});

test("a task is tried again, and its error names exit code and last lines", async () => {
  const script = 'n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo "$n" >count; echo "try $n"; [ "$n" -ge 2 ]';
  expect((await runTask(task("second", script, { retries: 1 }), context)).log).toContain("second.log");
  await expect(runTask(task("failing", "echo why; exit 6"), context)).rejects.toThrow(
    /^failing failed with exit code 6\.\nThe last lines of .*failing\.log:\n {2}why$/,
  );
  await expect(runTask(task("nothing", "", { command: ["/no/such/program"] }), context)).rejects.toThrow(
    "could not be run",
  );
});

test("a task tells what it says last while it runs", async () => {
  await runTask(task("talking", "echo first; sleep 1.5; echo second; sleep 1.5"), context);
  expect(statuses.filter((line) => /first|second/.test(line))).toEqual(["running: first", "running: second"]);
});

test("a task out of time is killed with all that it started", async () => {
  const inputs = task("endless", "sleep 60 & sleep 60", { timeout: 0.3 });
  await expect(runTask(inputs, context)).rejects.toThrow("endless was not done after 0.3 s.");
  expect(await instances(stackFolder)).toEqual([]);
});

test("a delete command that fails is told and passed over", async () => {
  const inputs = task("undone", "true", { deleteCommand: ["/bin/sh", "-c", "echo gone already; exit 5"] });
  await runTask(inputs, context);
  await deleteTask(inputs, context);
  expect(warnings).toEqual([
    expect.stringMatching(/undone: its delete command failed with exit code 5\.[\s\S]*gone already/),
  ]);
  expect(existsSync(join(stackFolder, "undone"))).toBe(false);
  expect(existsSync(inputs.data)).toBe(false);
});

test("a stack is stopped whole, whatever its state knows", async () => {
  await startService(service("forgotten", serve), context);
  expect(await stopStack(stackFolder, 2)).toEqual(["forgotten"]);
  expect(await instances(stackFolder)).toEqual([]);
});
