/**
 * Starts a container that the deployment has created, after it was given its configuration files, and tells how it went:
 *
 *     run-container --container ID --files FOLDER --user UID --configuration PATH [--timeout SECONDS -- PROBE…]
 *
 * With a probe, the container is a server: it ends with 0 once the probe, run in the container, ends with 0; a server
 * that dies or is not ready in time is stopped, and its last lines are printed. Without, it is a task: it runs to its end,
 * prints what it prints and ends with its exit code.
 *
 * The deployment's own provider for Docker does not look at the exit code of a container, cannot put files into one whose
 * root is read-only, and forgets on the next run that a server never got ready. The files are sent, not mounted: the
 * daemon may be on another machine.
 */
import { spawn } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { pack } from "tar-stream";

/** How often a server may die before it was ready: once may be the fault of a neighbour that is not up yet. */
const toleratedDeaths = 1;

interface State {
  readonly Status: string;
  readonly Running: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly ExitCode: number;
}

async function main(): Promise<void> {
  const { values, positionals: probe } = parseArgs({
    options: {
      container: { type: "string" },
      files: { type: "string" },
      user: { type: "string" },
      configuration: { type: "string" },
      timeout: { type: "string", default: "120" },
    },
    allowPositionals: true,
  });
  const { container, files, user, configuration, timeout } = values;
  if (container === undefined || files === undefined || user === undefined || configuration === undefined)
    throw new Error("Usage: run-container --container ID --files FOLDER --user UID --configuration PATH [-- PROBE…]");
  if (probe.length === 0) {
    await sendFiles(container, files, configuration, Number(user));
    process.exitCode = await follow(["start", "--attach", container]);
    return;
  }
  // One that runs has its files: other files make another container.
  if (!(await inspect(container)).state.Running) {
    await sendFiles(container, files, configuration, Number(user));
    await docker(["start", container]);
  }
  const problem = await awaitReadiness(container, probe, Number(timeout));
  if (problem === undefined) return;
  await docker(["stop", container]).catch(() => {});
  throw new Error(`${problem}\n${await lastLines(container)}`);
}

/** Waits until the probe succeeds. Returns why it will not, or undefined. */
async function awaitReadiness(
  container: string,
  probe: readonly string[],
  timeout: number,
): Promise<string | undefined> {
  const { restarts: before } = await inspect(container);
  const deadline = Date.now() + timeout * 1000;
  for (let pause = 500; ; pause = Math.min(pause * 1.5, 3_000)) {
    const { state, restarts } = await inspect(container);
    if (state.OOMKilled) return "took more memory than it was given and was killed.";
    if (restarts - before > toleratedDeaths || state.Status === "exited")
      return `ended with exit code ${state.ExitCode} before it was ready.`;
    if (state.Running && !state.Restarting && (await run(["exec", container, ...probe])).status === 0) return undefined;
    if (Date.now() > deadline)
      return `was not ready after ${timeout} s. If it only needs more time, raise readinessTimeout.`;
    await sleep(pause);
  }
}

async function inspect(container: string): Promise<{ state: State; restarts: number }> {
  const { status, output } = await run([
    ...["container", "inspect", "--format", "{{json .State}}\n{{.RestartCount}}"],
    container,
  ]);
  if (status !== 0 && /no such container/i.test(output))
    throw new Error(
      `the container ${container} is gone. Mend: let Pulumi see that (npm run pulumi -- refresh), and deploy again.`,
    );
  if (status !== 0) throw new Error(`docker inspect ${container}: ${output.trim()}`);
  const [state = "{}", restarts = "0"] = output.trim().split("\n");
  return { state: JSON.parse(state), restarts: Number(restarts) };
}

/** Sends the files of a folder as an archive, in which they are those of the user and have the modes that they have. */
async function sendFiles(container: string, folder: string, configuration: string, user: number): Promise<void> {
  const archive = pack();
  const owner = { uid: user, gid: user };
  for (const file of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, file);
    const { mode, mtime } = await stat(path);
    if ((await stat(path)).isDirectory()) archive.entry({ name: `${file}/`, type: "directory", mode: 0o700, ...owner });
    else archive.entry({ name: file, mode: mode & 0o777, mtime, ...owner }, await readFile(path));
  }
  archive.finalize();
  const child = spawn("docker", ["cp", "-", `${container}:${configuration}`], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  archive.pipe(child.stdin);
  const status = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (status !== 0) throw new Error(`its files cannot be sent: ${output.trim()}`);
}

async function lastLines(container: string): Promise<string> {
  return (await run(["logs", "--tail", "30", container])).output.trimEnd();
}

async function docker(args: readonly string[]): Promise<string> {
  const { status, output } = await run(args);
  if (status !== 0) throw new Error(`docker ${args.join(" ")}: ${output.trim()}`);
  return output;
}

function run(args: readonly string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    child.once("error", reject).once("close", (status) => resolve({ status, output }));
  });
}

/** Runs `docker` with this program's own output; a signal to end is passed on, to the container too. */
function follow(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", args, { stdio: ["ignore", "inherit", "inherit"] });
    process.once("SIGTERM", () => child.kill("SIGTERM"));
    child.once("error", reject).once("close", (status) => resolve(status ?? 1));
  });
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
