import { execFile, spawn } from "node:child_process";
import { mkdir, open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { instanceEnvironment } from "./environment.ts";
import {
  type Context,
  configurationDrift,
  DeploymentError,
  markerOf,
  outputLog,
  removeFolders,
  writeConfiguration,
} from "./instance.ts";
import { lastLine, lastLines, logSize } from "./log.ts";
import { stopProcesses } from "./processes.ts";
import type { TaskInputs, TaskState } from "./state.ts";

/** Seconds that a task out of time gets to end by itself. */
const stopGrace = 5;
/** Seconds that a delete command gets at most: servers that it asks may be gone. */
const deleteLimit = 30;
/** Seconds that a check gets at most: it is made in every preview. */
const checkLimit = 20;

/**
 * Runs the task to its end, again up to `retries` times if it fails. What runs of it already, left over by a
 * deployment that was interrupted, is stopped before.
 *
 * @throws {DeploymentError} naming the exit code and the log's last lines if the last run fails
 */
export async function runTask(inputs: TaskInputs, context: Context): Promise<TaskState> {
  await stopTask(inputs);
  await writeConfiguration(inputs);
  const log = outputLog(inputs);
  for (let run = 0; ; run++) {
    const running = run === 0 ? "running" : `running, retry ${run} of ${inputs.retries}`;
    context.status(running);
    const before = await logSize(log);
    const done = new AbortController();
    void tellProgress(log, before, done.signal, (line) => context.status(`${running}: ${line}`));
    const problem = await execute(inputs, inputs.command, inputs.timeout, context.cancelled);
    done.abort();
    if (problem === undefined) {
      context.status("done");
      return { ...inputs, log, drift: [] };
    }
    if (run < inputs.retries && !context.cancelled.aborted) {
      await sleep(1000);
      continue;
    }
    throw new DeploymentError(
      `${inputs.instance} ${problem}\nThe last lines of ${log}:\n${await lastLines(log, before)}`,
    );
  }
}

/**
 * What is not as the task left it, a sentence each: a configuration file that was changed, or what its check command
 * says. That a check could not be made counts too, since the task, which runs then, finds out.
 */
export async function inspectTask(inputs: TaskInputs): Promise<string[]> {
  const drift = await configurationDrift(inputs);
  // A task that a version without checks deployed has none in its state.
  const [program, ...args] = inputs.checkCommand ?? [];
  if (program === undefined || drift.length > 0) return drift;
  await mkdir(inputs.data, { recursive: true, mode: 0o700 });
  const environment = instanceEnvironment(markerOf(inputs), inputs.environment);
  return new Promise((resolve) => {
    const options = { cwd: inputs.data, env: environment, timeout: checkLimit * 1000, encoding: "utf8" as const };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve([]);
      const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
      const reason = error.killed ? `the check was not done after ${checkLimit} s` : error.message;
      resolve(lines.length > 0 ? lines : [`${inputs.instance}: ${reason}`]);
    });
  });
}

/**
 * Takes the task back by its delete command, if it has one, and removes its files. A delete command that fails is
 * reported and passed over: what it would ask may be gone for good, and then nothing could ever be destroyed.
 */
export async function deleteTask(inputs: TaskInputs, context: Context): Promise<void> {
  await stopTask(inputs);
  if (inputs.deleteCommand.length > 0) {
    // Its files may have been changed or removed since it ran.
    await writeConfiguration(inputs);
    const log = outputLog(inputs);
    const before = await logSize(log);
    const timeout = Math.min(inputs.timeout, deleteLimit);
    const problem = await execute(inputs, inputs.deleteCommand, timeout, context.cancelled);
    if (problem !== undefined)
      context.warn(
        `${inputs.instance}: its delete command ${problem} What it was to take back may still be there.\n${await lastLines(log, before)}`,
      );
  }
  await removeFolders(inputs);
}

/** Tells what the log says last, whenever that is something else, until it is over. */
async function tellProgress(
  log: string,
  since: number,
  over: AbortSignal,
  tell: (line: string) => void,
): Promise<void> {
  for (let told = ""; !over.aborted; await sleep(1000, undefined, { ref: false })) {
    const line = await lastLine(log, since);
    if (line !== told && !over.aborted) tell(line);
    told = line;
  }
}

/** Runs the command; returns how it failed, as a sentence without its subject, or undefined. */
async function execute(
  inputs: TaskInputs,
  [program, ...args]: readonly string[],
  timeout: number,
  cancelled: AbortSignal,
): Promise<string | undefined> {
  const log = await open(outputLog(inputs), "a");
  try {
    const child = spawn(program as string, args, {
      cwd: inputs.data,
      env: instanceEnvironment(markerOf(inputs), inputs.environment),
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    const ended = new Promise<string | undefined>((resolve) => {
      child.once("error", (error) => resolve(`could not be run: ${error.message}.`));
      child.once("exit", (code, signal) =>
        resolve(code === 0 ? undefined : `failed with ${code === null ? signal : `exit code ${code}`}.`),
      );
    });
    const limit = new AbortController();
    const first = await Promise.race([
      ended,
      sleep(timeout * 1000, `was not done after ${timeout} s.`, { signal: limit.signal }).catch(() => undefined),
      new Promise<string>((resolve) => {
        if (cancelled.aborted) resolve("was cancelled.");
        cancelled.addEventListener("abort", () => resolve("was cancelled."), { signal: limit.signal });
      }),
    ]);
    limit.abort();
    if (child.exitCode === null && child.signalCode === null) await stopTask(inputs);
    return first;
  } finally {
    await log.close();
  }
}

/** Stops what runs of the task. */
async function stopTask(inputs: TaskInputs): Promise<void> {
  const marker = markerOf(inputs);
  await stopProcesses({ belongs: (other) => other === marker, grace: stopGrace });
}
