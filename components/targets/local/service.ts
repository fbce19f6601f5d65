import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { shellWords } from "../../shell-words.ts";
import { instanceEnvironment } from "./environment.ts";
import {
  type Context,
  configurationDrift,
  DeploymentError,
  type InstanceDescription,
  instanceFile,
  instanceFolder,
  markerOf,
  outputLog,
  removeFolders,
  writeConfiguration,
} from "./instance.ts";
import { lastLines, logSize } from "./log.ts";
import { forgetPermanentValues, notePermanentValues } from "./permanent.ts";
import { portProblems } from "./ports.ts";
import { isInstanceProcess, readProcess, stopProcesses } from "./processes.ts";
import { describeReadiness, probe } from "./readiness.ts";
import type { ServiceInputs, ServiceState } from "./state.ts";

/**
 * The supervisor: a POSIX shell script a service, about 2 MB each with what bounds the log. The well-kept process managers do not fit:
 * process-compose, runit and s6 are not to be had from npm or Maven, supervisord needs Python, and pm2's licence is
 * the AGPL; what they would add (a daemon with an interface of its own) is what the Pulumi provider is here.
 */
const supervisorScript = fileURLToPath(new URL("./supervisor.sh", import.meta.url));

/** How often a server may die before it was ready: once may be the fault of a neighbour that is not up yet. */
const toleratedDeaths = 1;

/**
 * Starts the service under a supervisor and waits until it is ready. What runs of the instance already, left over by
 * a deployment that was interrupted, is stopped before. If it fails, nothing of it runs any more.
 *
 * @throws {DeploymentError} if a port is taken, or the server is not ready in time or dies
 */
export async function startService(inputs: ServiceInputs, context: Context): Promise<ServiceState> {
  const { instance, address } = inputs;
  await stopService(inputs);
  const taken = await portProblems(address, inputs.ports);
  if (taken.length > 0)
    throw new DeploymentError(`${instance} cannot start: ${taken.map((problem) => problem.message).join("; ")}`);
  await writeConfiguration(inputs);
  await notePermanentValues(inputs);
  await writeRunFolder(inputs);
  const log = outputLog(inputs);
  const before = await logSize(log);
  const environment = instanceEnvironment(markerOf(inputs), inputs.environment);
  context.status(`starting on ${address}`);
  const supervisor = await startSupervisor(inputs, environment);
  try {
    await awaitReadiness(inputs, environment, supervisor, context);
  } catch (error) {
    const lines = await lastLines(log, before);
    await stopService(inputs);
    // All but the log, which the error names.
    for (const folder of [inputs.configuration, runFolder(inputs)]) await rm(folder, { recursive: true, force: true });
    if (!(error instanceof DeploymentError)) throw error;
    throw new DeploymentError(`${instance} ${error.message}\nThe last lines of ${log}:\n${lines}`);
  }
  const pid = (await readPid(inputs, "server")) ?? 0;
  context.status(`ready: process ${pid} on ${address}`);
  return { ...inputs, pid, supervisor, log, running: true, drift: [] };
}

/**
 * Starts a service that was there before in another form. If it fails, what is left tells its replicas that one of
 * them is missing.
 *
 * @throws {DeploymentError} as {@link startService}
 */
export async function restartService(olds: ServiceInputs, news: ServiceInputs, context: Context) {
  await stopService(olds);
  try {
    return await startService(news, context);
  } catch (error) {
    await mkdir(runFolder(news), { recursive: true, mode: 0o700 });
    await describeService(news);
    throw error;
  }
}

/** Tells others what the service is. */
export async function describeService({ stackFolder, instance, ...inputs }: ServiceInputs): Promise<void> {
  const { address, ports, memory, group, readiness } = inputs;
  const description: InstanceDescription = { address, ports, memory, group, readiness };
  await writeFile(join(runFolder({ stackFolder, instance }), instanceFile), JSON.stringify(description));
}

/** Stops the service: the stop signal, its grace, then SIGKILL, for all that the server left behind too. */
export async function stopService(inputs: ServiceInputs): Promise<void> {
  const marker = markerOf(inputs);
  const supervisor = await readPid(inputs, "supervisor");
  const server = await readPid(inputs, "server");
  const first = (await isInstanceProcess(supervisor, marker))
    ? { pid: supervisor as number, signal: "SIGTERM" as const }
    : (await isInstanceProcess(server, marker))
      ? { pid: server as number, signal: inputs.stopSignal }
      : undefined;
  try {
    await stopProcesses({
      belongs: (other) => other === marker,
      grace: inputs.stopGrace,
      ...(first && { first }),
      ...(server !== undefined && { await: server }),
    });
  } catch (error) {
    throw new DeploymentError(`${inputs.instance} cannot be stopped: ${(error as Error).message}`);
  }
}

/** Stops the service and removes its configuration and logs. Its data stays unless it was to be deleted as well. */
export async function deleteService(inputs: ServiceInputs): Promise<void> {
  await stopService(inputs);
  if (inputs.deleteData) {
    await rm(inputs.data, { recursive: true, force: true });
    await forgetPermanentValues(inputs);
  }
  await removeFolders(inputs);
}

/** Whether going from one to the other takes a restart: not what only the waiting for it, or its end, looks at. */
export function needsRestart(olds: ServiceInputs, news: ServiceInputs): boolean {
  const running = ({
    group,
    permanent,
    memory,
    stateful,
    deleteData,
    readiness,
    readinessTimeout,
    stopGrace,
    ...others
  }: ServiceInputs) => others;
  const [before, after] = [running(olds), running(news)];
  // What was deployed is a state, which has more than its inputs.
  return Object.entries(after).some(([name, value]) => !isDeepStrictEqual(before[name as keyof typeof before], value));
}

/** What of the service is not as it was deployed, a sentence each, and the server's process if it runs. */
export async function inspectService(inputs: ServiceInputs): Promise<{ drift: string[]; pid: number }> {
  const marker = markerOf(inputs);
  const server = await readPid(inputs, "server");
  const [supervised, running, files] = await Promise.all([
    readPid(inputs, "supervisor").then((pid) => isInstanceProcess(pid, marker)),
    isInstanceProcess(server, marker),
    configurationDrift(inputs),
  ]);
  const drift = [...files];
  if (!running) drift.unshift(`${inputs.instance} does not run`);
  else if (!supervised) drift.unshift(`${inputs.instance} runs without its supervisor`);
  return { drift, pid: running ? (server as number) : 0 };
}

/** The folder that the supervisor works in. */
function runFolder(inputs: Pick<ServiceInputs, "stackFolder" | "instance">): string {
  return join(instanceFolder(inputs), "run");
}

async function writeRunFolder(inputs: ServiceInputs): Promise<void> {
  const folder = runFolder(inputs);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  // A shell makes its background commands ignore SIGINT, so a server that is to heed it needs that undone.
  const undo = inputs.stopSignal === "SIGINT" ? "env --default-signal=INT " : "";
  const script = (command: readonly string[]) => `#!/bin/sh\nexec ${undo}${shellWords(command)}\n`;
  await writeFile(join(folder, "start"), script(inputs.command), { mode: 0o700 });
  await describeService(inputs);
  if (inputs.prepare.length > 0) await writeFile(join(folder, "prepare"), script(inputs.prepare), { mode: 0o700 });
}

async function startSupervisor(inputs: ServiceInputs, environment: Record<string, string>): Promise<number> {
  const child = spawn(
    "/bin/sh",
    [supervisorScript, runFolder(inputs), outputLog(inputs), inputs.stopSignal.slice("SIG".length)],
    // In a session of its own, so that it outlives the deployment and does not hear the terminal's Ctrl-C.
    { cwd: inputs.data, env: environment, detached: true, stdio: "ignore" },
  );
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  child.unref();
  return child.pid as number;
}

/** @throws {DeploymentError} whose message is to be put behind the instance's name */
async function awaitReadiness(
  inputs: ServiceInputs,
  environment: Record<string, string>,
  supervisor: number,
  context: Context,
): Promise<void> {
  const begun = Date.now();
  const deadline = begun + inputs.readinessTimeout * 1000;
  const waitsFor = `waits for ${describeReadiness(inputs.readiness, inputs.address)}`;
  let problem: string | undefined;
  context.status(waitsFor);
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 250)) {
    const exits = (await readFile(join(runFolder(inputs), "exits"), "utf8").catch(() => "")).trim().split("\n");
    const deaths = exits.filter((line) => line !== "").length;
    if (deaths > toleratedDeaths)
      throw new DeploymentError(`ended ${deaths} times before it was ready, with status ${exits.at(-1)}.`);
    if ((await readProcess(supervisor)) === undefined) throw new DeploymentError("was stopped before it was ready.");
    if (context.cancelled.aborted) throw new DeploymentError("was cancelled before it was ready.");
    // Only a server of our own counts: what answers while none runs is somebody else.
    const running = await isInstanceProcess(await readPid(inputs, "server"), markerOf(inputs));
    const probed = Date.now();
    if (running) {
      problem = await probe(inputs.readiness, inputs.address, environment);
      if (problem === undefined) return;
    }
    if (Date.now() > deadline)
      throw new DeploymentError(
        `was not ready after ${inputs.readinessTimeout} s: ${problem ?? "it does not run"}. If it only needs more time, raise readinessTimeout.`,
      );
    // A probe that costs much, such as a command that is a program of Java, is not made all the time.
    await sleep(Math.max(pause, Date.now() - probed));
  }
}

async function readPid(inputs: ServiceInputs, which: "server" | "supervisor"): Promise<number | undefined> {
  const pid = Number(await readFile(join(runFolder(inputs), `${which}.pid`), "utf8").catch(() => ""));
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}
