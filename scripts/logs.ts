/*
 * Shows the logs of a stack's servers, the last lines of each:
 *
 *     npm run logs -- SYSTEM [--follow] [--lines 20] [--stack dev]
 *
 * SYSTEM is a part of the instances' names, e.g. `kafka` or `druid-broker`. Without it, the instances are listed.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { CommandLine, runCommandLine, UsageError } from "./command-line.ts";
import { runCommand } from "./demo/architecture.ts";
import { containersByInstance } from "./demo/containers.ts";
import { defaultStack, project, requireStack, stackFolder } from "./environment.ts";
import { dockerLogs, kubectlLogs, type LogOptions } from "./log-commands.ts";
import { instanceOfLog, logsOf } from "./log-files.ts";
import { readStackConfiguration } from "./stack-configuration.ts";

// Ctrl-C ends what is followed, and this with it.
process.on("SIGINT", () => {});
await runCommandLine(async () => {
  const commandLine = new CommandLine(
    {
      name: "logs",
      usage: "[SYSTEM] [--follow] [--lines N|all] [--stack NAME]",
      options: {
        follow: { type: "boolean", short: "f" },
        lines: { type: "string", short: "n" },
        stack: { type: "string" },
      },
      ...{ word: "system", mostWords: 1 },
    },
    process.argv.slice(2),
  );
  const { values, words } = commandLine;
  const lines = values.lines === "all" ? "all" : String(commandLine.whole("lines", 0) ?? 20);
  const stack = commandLine.stack(defaultStack);
  commandLine.throwIfAny();
  requireStack(stack);
  return await showLogs({ stack, lines, follow: values.follow ?? false }, words[0]);
});

/** What to show of a stack's logs. */
interface ShownLogs extends LogOptions {
  readonly stack: string;
}

/** @returns the exit code: 1 if there is no log, 2 if there is none of that system */
async function showLogs(shown: ShownLogs, system: string | undefined): Promise<number> {
  const { stack } = shown;
  const { target, kubernetesNamespace } = readStackConfiguration(stack);
  if (target === "local") return await showFiles(shown, system);
  if (target === "docker") return await showContainers(shown, system);
  const command = kubectlLogs(project, stack, kubernetesNamespace, system, shown);
  console.error(`The stack ${stack} runs on Kubernetes, whose logs kubectl shows:\n  ${command.join(" ")}`);
  return 1;
}

async function showFiles({ stack, lines, follow }: ShownLogs, system: string | undefined): Promise<number> {
  const folder = stackFolder(stack);
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  const files = logsOf(all, system ?? "");
  if (system === undefined || files.length === 0)
    return listInstances(stack, logsOf(all, "").map(instanceOfLog), system);
  // -F goes on with the new file when a log is rotated.
  const args = ["-n", lines === "all" ? "+1" : lines, ...(follow ? ["-F"] : []), ...files];
  const child = spawn("tail", args, { cwd: folder, stdio: "inherit" });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 0));
  });
}

/** Each line begins with the instance's name: those of several containers come as they are written. */
async function showContainers(shown: ShownLogs, system: string | undefined): Promise<number> {
  const all = await containersByInstance(shown.stack);
  const chosen = [...all].filter(([instance]) => instance.includes(system ?? ""));
  if (system === undefined || chosen.length === 0) return listInstances(shown.stack, [...all.keys()], system);
  const show = ([instance, container]: readonly [string, string]) =>
    runCommand(dockerLogs(container, shown), (line) => console.log(`${instance} | ${line}`));
  if (shown.follow) return Math.max(...(await Promise.all(chosen.map(show))));
  let exitCode = 0;
  for (const each of chosen) exitCode = Math.max(exitCode, await show(each));
  return exitCode;
}

/** @returns the exit code: 0 if the instances were asked for and there are any */
function listInstances(stack: string, instances: readonly string[], system: string | undefined): number {
  const names = [...new Set(instances)];
  if (names.length === 0) {
    console.error(`The stack ${stack} has no logs: is it up?`);
    return 1;
  }
  if (system !== undefined)
    throw new UsageError(
      `no instance has ${JSON.stringify(system)} in its name; the instances are ${names.join(", ")}`,
    );
  for (const name of names) console.log(name);
  return 0;
}
