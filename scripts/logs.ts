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
import { defaultStack, stackFolder } from "./environment.ts";
import { instanceOfLog, logsOf } from "./log-files.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    follow: { type: "boolean", short: "f", default: false },
    lines: { type: "string", short: "n", default: "20" },
    stack: { type: "string", default: defaultStack },
  },
});
process.exitCode = await showLogs(positionals[0]);

/** @returns the exit code: 1 if there is no such log */
async function showLogs(system: string | undefined): Promise<number> {
  const folder = stackFolder(values.stack);
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  const files = logsOf(all, system ?? "");
  if (system === undefined || files.length === 0) {
    const names = [...new Set(logsOf(all, "").map(instanceOfLog))];
    if (names.length === 0) console.error(`The stack ${values.stack} has no logs: is it up?`);
    else if (system !== undefined) console.error(`No log's instance has "${system}" in its name. The instances are:`);
    for (const name of names) console.log(name);
    return system === undefined && names.length > 0 ? 0 : 1;
  }
  // -F goes on with the new file when a log is rotated.
  const args = ["-n", values.lines, ...(values.follow ? ["-F"] : []), ...files];
  const child = spawn("tail", args, { cwd: folder, stdio: "inherit" });
  process.on("SIGINT", () => {});
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 0));
  });
}
