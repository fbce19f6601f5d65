/*
 * Shows the logs of a stack's servers, the last lines of each:
 *
 *     npm run logs -- SYSTEM [--follow] [--lines 20] [--stack dev]
 *
 * SYSTEM is a part of the instances' names, e.g. `kafka` or `druid-broker`. Without it, the instances are listed.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { runCommand } from "./demo/architecture.ts";
import { containersByInstance } from "./demo/containers.ts";
import { defaultStack, project, stackFolder } from "./environment.ts";
import { dockerLogs, kubectlLogs } from "./log-commands.ts";
import { instanceOfLog, logsOf } from "./log-files.ts";
import { readStackConfiguration } from "./stack-configuration.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    follow: { type: "boolean", short: "f", default: false },
    lines: { type: "string", short: "n", default: "20" },
    stack: { type: "string", default: defaultStack },
  },
});
// Ctrl-C ends what is followed, and this with it.
process.on("SIGINT", () => {});
try {
  process.exitCode = await showLogs(positionals[0]);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

/** @returns the exit code: 1 if there is no such log */
async function showLogs(system: string | undefined): Promise<number> {
  const { target, kubernetesNamespace } = readStackConfiguration(values.stack);
  if (target === "local") return await showFiles(system);
  if (target === "docker") return await showContainers(system);
  const command = kubectlLogs(project, values.stack, kubernetesNamespace, system, values);
  console.error(`The stack ${values.stack} runs on Kubernetes, whose logs kubectl shows:\n  ${command.join(" ")}`);
  return 1;
}

async function showFiles(system: string | undefined): Promise<number> {
  const folder = stackFolder(values.stack);
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  const files = logsOf(all, system ?? "");
  if (system === undefined || files.length === 0) return listInstances(logsOf(all, "").map(instanceOfLog), system);
  // -F goes on with the new file when a log is rotated.
  const args = ["-n", values.lines, ...(values.follow ? ["-F"] : []), ...files];
  const child = spawn("tail", args, { cwd: folder, stdio: "inherit" });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 0));
  });
}

/** Each line begins with the instance's name: those of several containers come as they are written. */
async function showContainers(system: string | undefined): Promise<number> {
  const all = await containersByInstance(values.stack);
  const chosen = [...all].filter(([instance]) => instance.includes(system ?? ""));
  if (system === undefined || chosen.length === 0) return listInstances([...all.keys()], system);
  const show = ([instance, container]: readonly [string, string]) =>
    runCommand(dockerLogs(container, values), (line) => console.log(`${instance} | ${line}`));
  if (values.follow) return Math.max(...(await Promise.all(chosen.map(show))));
  let exitCode = 0;
  for (const each of chosen) exitCode = Math.max(exitCode, await show(each));
  return exitCode;
}

/** @returns the exit code: 1 unless the instances were asked for, and there are any */
function listInstances(instances: readonly string[], system: string | undefined): number {
  const names = [...new Set(instances)];
  if (names.length === 0) console.error(`The stack ${values.stack} has no logs: is it up?`);
  else if (system !== undefined) console.error(`No log's instance has "${system}" in its name. The instances are:`);
  for (const name of names) console.log(name);
  return system === undefined && names.length > 0 ? 0 : 1;
}
