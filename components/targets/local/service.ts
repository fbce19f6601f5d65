import { spawn } from "node:child_process";
import {
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, join } from "node:path";
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
import { listensOn, portProblems } from "./ports.ts";
import { isInstanceProcess, readProcess, type StopOptions, stopProcesses } from "./processes.ts";
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
  await removeRunFolders(inputs);
  return launch(inputs, context, {
    isReady: () => probe(inputs.readiness, address, environmentOf(inputs)),
    async giveUp() {
      await stopService(inputs);
      // All but the log, which the error names.
      await rm(inputs.configuration, { recursive: true, force: true });
      await removeRunFolders(inputs);
    },
    beside: false,
  });
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

/**
 * Starts a service beside the one that runs in its former form, and stops that when the new one is ready: one of them
 * answers all the time. If it fails, the former one goes on as it was. Where the two cannot listen on the same ports,
 * the service is restarted.
 *
 * @throws {DeploymentError} as {@link startService}
 */
export async function replaceService(
  olds: ServiceInputs,
  news: ServiceInputs,
  context: Context,
): Promise<ServiceState> {
  if (!(await canOverlap(olds, news))) return restartService(olds, news, context);
  const marker = markerOf(news);
  const [former, formerSupervisor, formerServer] = await Promise.all([
    realpath(runFolder(olds)),
    readPid(runFolder(olds), "supervisor"),
    readPid(runFolder(olds), "server"),
  ]);
  const stop = (which: Partial<StopOptions>) =>
    stopProcesses({ belongs: (other) => other === marker, grace: news.stopGrace, ...which });
  const onlyFormer = formerSupervisor === undefined ? {} : { except: formerSupervisor };
  // What a deployment left that was interrupted here.
  await stop(onlyFormer);
  await removeRunFolders(news, former);
  const aside = `${news.configuration}-before`;
  await rm(aside, { recursive: true, force: true });
  await cp(news.configuration, aside, { recursive: true });
  await writeConfiguration(news);
  const state = await launch(news, context, {
    async isReady(server) {
      // An answer may be of the former one.
      if (!(await listensOn(server, news.address, news.ports))) return `process ${server} does not listen yet`;
      return probe(news.readiness, news.address, environmentOf(news));
    },
    async giveUp() {
      await stop(onlyFormer);
      await removeRunFolders(news, former);
      await rm(news.configuration, { recursive: true, force: true });
      await rename(aside, news.configuration);
    },
    beside: true,
  });
  await notePermanentValues(news);
  context.status("the former one answers what it was asked, and ends");
  await stop({
    except: state.supervisor,
    ...(formerSupervisor !== undefined && { first: { pid: formerSupervisor, signal: "SIGTERM" } }),
    ...(formerServer !== undefined && { await: formerServer }),
  });
  await removeRunFolders(news, await realpath(runFolder(news)));
  await rm(aside, { recursive: true, force: true });
  return state;
}

/**
 * Whether the one that runs, and the other, may listen on the same ports, and it can be told which of them does; and the
 * one that runs is as it was deployed, so that it can be again if the other does not get ready.
 */
async function canOverlap(olds: ServiceInputs, news: ServiceInputs): Promise<boolean> {
  if (!(olds.overlaps && news.overlaps && process.platform === "linux")) return false;
  if (olds.address !== news.address || !isDeepStrictEqual(olds.ports, news.ports)) return false;
  const link = await lstat(runFolder(olds)).catch(() => undefined);
  return link?.isSymbolicLink() === true && (await inspectService(olds)).drift.length === 0;
}

/** How a server is started. */
interface Launch {
  /** @returns undefined if the server, the process given, is ready, else what it is not */
  isReady(server: number): Promise<string | undefined>;
  /** Takes back what was begun. */
  giveUp(): Promise<void>;
  /** Whether another one counts as the server that runs until this one is ready. */
  readonly beside: boolean;
}

/** @throws {DeploymentError} if the server is not ready in time or dies */
async function launch(inputs: ServiceInputs, context: Context, how: Launch): Promise<ServiceState> {
  const { instance, address } = inputs;
  const log = outputLog(inputs);
  const before = await logSize(log);
  const run = await makeRunFolder(inputs);
  if (!how.beside) await linkRunFolder(inputs, run);
  context.status(`starting on ${address}`);
  const supervisor = await startSupervisor(inputs, run);
  try {
    await awaitReadiness(inputs, run, supervisor, how, context);
  } catch (error) {
    const lines = await lastLines(log, before);
    await how.giveUp();
    if (!(error instanceof DeploymentError)) throw error;
    throw new DeploymentError(`${instance} ${error.message}\nThe last lines of ${log}:\n${lines}`);
  }
  if (how.beside) await linkRunFolder(inputs, run);
  const pid = (await readPid(run, "server")) ?? 0;
  context.status(`ready: process ${pid} on ${address}`);
  return { ...inputs, pid, supervisor, log, running: true, drift: [] };
}

function environmentOf(inputs: ServiceInputs): Record<string, string> {
  return instanceEnvironment(markerOf(inputs), inputs.environment);
}

/** Tells others what the service is. */
export async function describeService(inputs: ServiceInputs): Promise<void> {
  await writeFile(join(runFolder(inputs), instanceFile), descriptionOf(inputs));
}

function descriptionOf({ address, ports, memory, group, readiness }: ServiceInputs): string {
  const description: InstanceDescription = { address, ports, memory, group, readiness };
  return JSON.stringify(description);
}

/** Stops the service: the stop signal, its grace, then SIGKILL, for all that the server left behind too. */
export async function stopService(inputs: ServiceInputs): Promise<void> {
  const marker = markerOf(inputs);
  const supervisor = await readPid(runFolder(inputs), "supervisor");
  const server = await readPid(runFolder(inputs), "server");
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
    overlaps,
    ...others
  }: ServiceInputs) => others;
  const [before, after] = [running(olds), running(news)];
  // What was deployed is a state, which has more than its inputs.
  return Object.entries(after).some(([name, value]) => !isDeepStrictEqual(before[name as keyof typeof before], value));
}

/** What of the service is not as it was deployed, a sentence each, and the server's process if it runs. */
export async function inspectService(inputs: ServiceInputs): Promise<{ drift: string[]; pid: number }> {
  const marker = markerOf(inputs);
  const server = await readPid(runFolder(inputs), "server");
  const [supervised, running, files] = await Promise.all([
    readPid(runFolder(inputs), "supervisor").then((pid) => isInstanceProcess(pid, marker)),
    isInstanceProcess(server, marker),
    configurationDrift(inputs),
  ]);
  const drift = [...files];
  if (!running) drift.unshift(`${inputs.instance} does not run`);
  else if (!supervised) drift.unshift(`${inputs.instance} runs without its supervisor`);
  return { drift, pid: running ? (server as number) : 0 };
}

/** The folder that the supervisor of the server that runs works in: a link, so that another one can take its place. */
function runFolder(inputs: Pick<ServiceInputs, "stackFolder" | "instance">): string {
  return join(instanceFolder(inputs), "run");
}

/** Makes the folder of another supervisor, beside those that are there. */
async function makeRunFolder(inputs: ServiceInputs): Promise<string> {
  const folder = await mkdtemp(join(instanceFolder(inputs), "run-"));
  // A shell makes its background commands ignore SIGINT, so a server that is to heed it needs that undone.
  const undo = inputs.stopSignal === "SIGINT" ? "env --default-signal=INT " : "";
  const script = (command: readonly string[]) => `#!/bin/sh\nexec ${undo}${shellWords(command)}\n`;
  await writeFile(join(folder, "start"), script(inputs.command), { mode: 0o700 });
  await writeFile(join(folder, instanceFile), descriptionOf(inputs));
  if (inputs.prepare.length > 0) await writeFile(join(folder, "prepare"), script(inputs.prepare), { mode: 0o700 });
  return folder;
}

async function linkRunFolder(inputs: ServiceInputs, folder: string): Promise<void> {
  const link = `${folder}.link`;
  await symlink(basename(folder), link);
  await rename(link, runFolder(inputs));
}

/** @param except the one that stays, with the link to it. Default: none */
async function removeRunFolders(inputs: ServiceInputs, except?: string): Promise<void> {
  for (const name of await readdir(instanceFolder(inputs))) {
    const isOurs = name.startsWith("run-") ? name !== (except && basename(except)) : name === "run" && !except;
    if (isOurs) await rm(join(instanceFolder(inputs), name), { recursive: true, force: true });
  }
}

async function startSupervisor(inputs: ServiceInputs, run: string): Promise<number> {
  const child = spawn(
    "/bin/sh",
    [supervisorScript, run, outputLog(inputs), inputs.stopSignal.slice("SIG".length)],
    // In a session of its own, so that it outlives the deployment and does not hear the terminal's Ctrl-C.
    { cwd: inputs.data, env: environmentOf(inputs), detached: true, stdio: "ignore" },
  );
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  child.unref();
  return child.pid as number;
}

/** @throws {DeploymentError} whose message is to be put behind the instance's name */
async function awaitReadiness(
  inputs: ServiceInputs,
  run: string,
  supervisor: number,
  { isReady }: Launch,
  context: Context,
): Promise<void> {
  const begun = Date.now();
  const deadline = begun + inputs.readinessTimeout * 1000;
  const waitsFor = `waits for ${describeReadiness(inputs.readiness, inputs.address)}`;
  let problem: string | undefined;
  context.status(waitsFor);
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 250)) {
    const exits = (await readFile(join(run, "exits"), "utf8").catch(() => "")).trim().split("\n");
    const deaths = exits.filter((line) => line !== "").length;
    if (deaths > toleratedDeaths)
      throw new DeploymentError(`ended ${deaths} times before it was ready, with status ${exits.at(-1)}.`);
    if ((await readProcess(supervisor)) === undefined) throw new DeploymentError("was stopped before it was ready.");
    if (context.cancelled.aborted) throw new DeploymentError("was cancelled before it was ready.");
    // Only a server of our own counts: what answers while none runs is somebody else.
    const server = await readPid(run, "server");
    const probed = Date.now();
    if (server !== undefined && (await isInstanceProcess(server, markerOf(inputs)))) {
      problem = await isReady(server);
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

async function readPid(run: string, which: "server" | "supervisor"): Promise<number | undefined> {
  const pid = Number(await readFile(join(run, `${which}.pid`), "utf8").catch(() => ""));
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}
