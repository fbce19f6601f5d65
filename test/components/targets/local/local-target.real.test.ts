import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loopbackAddress } from "../../../../components/targets/local/placement.ts";
import { processTable } from "../../../../components/targets/local/processes.ts";
import type { Plan } from "./toy/program.ts";
import { ToyProject } from "./toy/project.ts";

// Steps of one story: each test builds on the state that the one before left.
const project = new ToyProject();
const basic = {
  servers: { alpha: { text: "alpha 1", leaves: true }, beta: { text: "beta 1", stubborn: true } },
  tasks: { greet: { run: `echo ran >>"${project.folder}/ran"`, undo: "exit 4" } },
} satisfies Plan;

beforeAll(async () => {
  project.plan(basic);
  await project.succeed("stack", "init", "one");
});

afterAll(async () => project.remove("one", "two"));

const address = (component: string, stack = "one") =>
  loopbackAddress(`${project.stackFolder(stack)}\0toy\0${stack}`, `${component}-server`);
const answer = async (component: string, stack = "one") =>
  (await fetch(`http://${address(component, stack)}:8642/`, { headers: { connection: "close" } })).text();
const pidOf = async (name: string, stack = "one") => (await project.running(stack)).get(name)?.pid;

/** How many processes an instance has. */
const countOf = async (name: string) => (await project.running("one")).get(name)?.pids.length;

/** Waits until the condition holds, at most a minute. */
async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await condition().catch(() => false)); await sleep(50))
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
}

test("a deployment starts servers, waits until they are ready, and runs tasks after them", async () => {
  const output = await project.succeed("up", "-y", "-s", "one");
  expect(output).toMatch(/alpha-server.*ready: process \d+ on 127\./);
  expect(await Promise.all([answer("alpha"), answer("beta")])).toEqual(["alpha 1", "beta 1"]);
  expect(readFileSync(join(project.folder, "ran"), "utf8")).toBe("ran\n");
  const own = join(project.stackFolder("one"), "alpha-server");
  expect(readFileSync(join(own, "logs", "alpha-server.log"), "utf8")).toBe("prepared it's a toy\nserving alpha 1\n");
  const mode = (path: string) => (statSync(join(own, path)).mode & 0o777).toString(8);
  expect(["configuration", "configuration/keys", "logs", "../data/alpha-server"].map(mode)).toEqual(
    Array(4).fill("700"),
  );
  expect(mode("configuration/toy.properties")).toBe("644");
  expect(mode("configuration/keys/secret")).toBe("600");
});

test("secrets are neither in the state, nor is the passphrase in a server's environment", async () => {
  const state = join(project.folder, "backend", ".pulumi", "stacks", "toy", "one.json");
  expect(readFileSync(state, "utf8")).toContain("a=1");
  expect(readFileSync(state, "utf8")).not.toContain("open sesame");
  if (process.platform !== "linux") return;
  const environment = readFileSync(`/proc/${await pidOf("alpha-server")}/environ`, "utf8");
  expect(environment).toContain("TOY=it's a toy");
  expect(environment).not.toContain("passphrase of a test");
});

test("the same plan again changes nothing, and what changed restarts alone", async () => {
  const before = await project.running("one");
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
  project.plan({ ...basic, servers: { ...basic.servers, beta: { text: "beta 2" } } });
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
  const after = await project.running("one");
  expect(await answer("beta")).toBe("beta 2");
  expect(after.get("alpha-server")?.pid).toBe(before.get("alpha-server")?.pid);
  expect(after.get("beta-server")?.pid).not.toBe(before.get("beta-server")?.pid);
  expect(readFileSync(join(project.folder, "ran"), "utf8")).toBe("ran\n");
});

test("a server that is killed comes back, and the deployment sees nothing of it", async () => {
  const before = await pidOf("beta-server");
  process.kill(before as number, "SIGKILL");
  await until("beta answers again", async () => (await answer("beta")) === "beta 2");
  expect(await pidOf("beta-server")).not.toBe(before);
  const log = readFileSync(join(project.stackFolder("one"), "beta-server", "logs", "beta-server.log"), "utf8");
  expect(log).toContain("supervisor: the server ended with status 137; it starts again in 1 s");
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("refresh finds a dead server and an edited file, and the next deployment mends both", async () => {
  const status = (await project.running("one")).get("beta-server");
  for (const pid of status?.pids ?? []) process.kill(pid, "SIGKILL");
  const file = join(project.stackFolder("one"), "alpha-server", "configuration", "toy.properties");
  writeFileSync(file, "a=2\n");
  const refreshed = await project.succeed("refresh", "-y", "--skip-preview", "--diff", "-s", "one");
  expect(refreshed).toContain("beta-server does not run");
  expect(refreshed).toContain("toy.properties was changed");
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
  expect(await Promise.all([answer("alpha"), answer("beta")])).toEqual(["alpha 1", "beta 2"]);
  expect(readFileSync(file, "utf8")).toBe("a=1\n");
});

test("what a task made and somebody took away is told by a refresh in words, and the next deployment runs it again", async () => {
  const made = join(project.folder, "made");
  const check = `[ -e '${made}' ] || { echo "the keyspace is gone"; exit 1; }`;
  project.plan({ ...basic, tasks: { make: { run: `touch '${made}'`, check } } });
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
  rmSync(made);
  expect(await project.succeed("preview", "-s", "one")).toContain("the keyspace is gone");
  expect(await project.succeed("refresh", "-y", "--skip-preview", "--diff", "-s", "one")).toContain(
    "the keyspace is gone",
  );
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
  expect(existsSync(made)).toBe(true);
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("two deployments of one stack at once: the second is told who holds the lock, and changes nothing", async () => {
  project.plan({ servers: { ...basic.servers, gamma: { text: "gamma", startsIn: 4000 } } });
  const first = project.start("up", "-y", "--skip-preview", "-s", "one");
  await until("gamma starts", async () => (await pidOf("gamma-server")) !== undefined);
  const second = await project.pulumi("up", "-y", "--skip-preview", "-s", "one");
  expect(second.exitCode).not.toBe(0);
  expect(second.output).toMatch(/the stack is currently locked by 1 lock\(s\)/);
  if (first.exitCode === null) await once(first, "exit");
  expect(first.exitCode).toBe(0);
  expect(await answer("gamma")).toBe("gamma");
});

test("interrupted anywhere, by Ctrl-C or kill -9, the next deployment converges and leaves no orphan", async () => {
  const servers = (text: string) =>
    Object.fromEntries(
      ["alpha", "beta", "gamma", "delta"].map((name) => [name, { text, leaves: true, startsIn: 300 }]),
    );
  // A fixed sequence: what fails once fails again.
  const moments = [300, 900, 1_500, 2_100, 2_800, 3_500].map((moment, index) => [index % 2 === 0, moment] as const);
  for (const [gently, moment] of moments) {
    project.plan({ servers: servers(`after ${moment}`), tasks: basic.tasks });
    const cut = project.start("up", "-y", "--skip-preview", "-s", "one");
    const ended = once(cut, "exit");
    await sleep(moment);
    cut.kill(gently ? "SIGINT" : "SIGKILL");
    await ended;
    // A CLI that was killed could not give back its lock.
    if (!gently) await project.succeed("cancel", "-y", "-s", "one");
  }
  project.plan({ servers: servers("at last"), tasks: basic.tasks });
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
  const names = ["alpha", "beta", "gamma", "delta"];
  expect(await Promise.all(names.map((name) => answer(name)))).toEqual(Array(4).fill("at last"));
  const running = await project.running("one");
  expect([...running.keys()].sort()).toEqual(names.map((name) => `${name}-server`).sort());
  // The server, what it leaves behind, its supervisor, and what looks after the log and sleeps: one of each.
  for (const name of running.keys()) await expect.poll(() => countOf(name)).toBe(5);
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
  // So have the programs of the CLIs that were killed.
  await expect.poll(() => project.programs(), { timeout: 30_000 }).toEqual([]);
  project.plan(basic);
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
});

test("a server that dies fails the deployment at once, with its last words, and leaves nothing running", async () => {
  project.plan({ servers: { ...basic.servers, gamma: { text: "gamma", dies: true, readinessTimeout: 300 } } });
  const begun = Date.now();
  const { exitCode, output } = await project.pulumi("up", "-y", "--skip-preview", "-s", "one");
  expect(exitCode).not.toBe(0);
  expect(Date.now() - begun).toBeLessThan(200_000);
  const log = join(project.stackFolder("one"), "gamma-server", "logs", "gamma-server.log");
  expect(output).toContain("gamma-server ended 2 times before it was ready, with status 3.");
  expect(output).toContain(`The last lines of ${log}:`);
  expect(output).toContain("cannot open the flux compensator");
  expect(output).not.toMatch(/\.(ts|js):\d+/);
  expect((await project.running("one")).has("gamma-server")).toBe(false);
});

test("a taken port is told by the preview, with who holds it", async () => {
  const stranger = createServer().listen(8642, address("gamma"));
  await once(stranger, "listening");
  try {
    project.plan({ servers: { ...basic.servers, gamma: { text: "gamma" } } });
    const { exitCode, output } = await project.pulumi("preview", "-s", "one");
    expect(exitCode).not.toBe(0);
    expect(output).toContain(`${address("gamma")}:8642 (http) is taken by process ${process.pid}`);
  } finally {
    stranger.close();
    await once(stranger, "close");
  }
});

test("a deployment that was killed leaves nothing half done, and the next one converges", async () => {
  project.plan({ servers: { ...basic.servers, gamma: { text: "gamma", startsIn: 3000 } } });
  const interrupted = project.start("up", "-y", "--skip-preview", "-s", "one");
  await until("gamma starts", async () => (await pidOf("gamma-server")) !== undefined);
  interrupted.kill("SIGKILL");
  await once(interrupted, "exit");
  // The CLI that was killed could not give back its lock; `pulumi cancel` does.
  await project.succeed("cancel", "-y", "-s", "one");
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
  expect(await answer("gamma")).toBe("gamma");
  const log = readFileSync(join(project.stackFolder("one"), "gamma-server", "logs", "gamma-server.log"), "utf8");
  expect(log.match(/serving gamma/g)?.length).toBeGreaterThan(1);
  await expect.poll(() => countOf("gamma-server")).toBe(4);
});

test("two stacks stand side by side on the same ports", async () => {
  project.plan({ servers: { alpha: { text: "second alpha" } } });
  await project.succeed("stack", "init", "two");
  await project.succeed("up", "-y", "--skip-preview", "-s", "two");
  expect(await Promise.all([answer("alpha", "one"), answer("alpha", "two")])).toEqual(["alpha 1", "second alpha"]);
});

test("what is protected is refused to go, and to delete data takes the second switch as well", async () => {
  const data = join(project.stackFolder("two"), "data", "alpha-server");
  writeFileSync(join(data, "kept"), "");
  project.plan({ servers: { alpha: { text: "second alpha" } }, protect: true });
  await project.succeed("up", "-y", "--skip-preview", "-s", "two");
  const before = (await project.running("two")).get("alpha-server");
  const refused = await project.pulumi("destroy", "-y", "--skip-preview", "-s", "two");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.output).toMatch(/alpha-server.*protect/s);
  project.plan({ servers: { alpha: { text: "second alpha" } }, deleteData: true });
  await project.succeed("up", "-y", "--skip-preview", "-s", "two");
  // Neither switch is the server's business: it went on all the time.
  expect((await project.running("two")).get("alpha-server")?.pid).toBe(before?.pid);
  await project.succeed("destroy", "-y", "--skip-preview", "-s", "two");
  expect(existsSync(data)).toBe(false);
  project.plan({ servers: { alpha: { text: "second alpha" } } });
  await project.succeed("up", "-y", "--skip-preview", "-s", "two");
});

test("destroy stops a stack's servers and whatever they left behind, nothing else, and keeps their data", async () => {
  const left = [...(await project.running("one")).values()].flatMap(({ pids }) => pids);
  const data = join(project.stackFolder("one"), "data", "alpha-server");
  writeFileSync(join(data, "kept"), "");
  const output = await project.succeed("destroy", "-y", "--skip-preview", "-s", "one");
  expect(output).not.toContain("error:");
  const running = new Set((await processTable()).map(({ pid }) => pid));
  expect(left.filter((pid) => running.has(pid))).toEqual([]);
  expect(readdirSync(project.stackFolder("one"))).toEqual(["data"]);
  expect(existsSync(join(data, "kept"))).toBe(true);
  expect(await answer("alpha", "two")).toBe("second alpha");
  rmSync(project.stackFolder("two"), { recursive: true });
  await project.succeed("destroy", "-y", "--skip-preview", "-s", "two");
  expect(await project.running("two")).toEqual(new Map());
});
