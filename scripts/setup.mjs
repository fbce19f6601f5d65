/*
 * Makes the checkout ready to run and, given a script, runs it on the project's own Node:
 *
 *     node scripts/setup.mjs [SCRIPT [ARGUMENT…]]
 *
 * It is started by any Node from 20, in a fresh clone without node_modules: plain JavaScript, no dependencies. What is
 * ready costs no more than some milliseconds.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { installPackages, packagesAreInstalled } from "./setup/packages.mjs";
import { checkout, projectNode } from "./setup/paths.mjs";
import {
  executables,
  find,
  go,
  isExecutable,
  javaHomeProblem,
  prerequisiteReport,
  prerequisites,
  system,
} from "./setup/prerequisites.mjs";
import { SetupError, say, step } from "./setup/progress.mjs";
import { canDownload, existingCli, obtainCli } from "./setup/pulumi-cli.mjs";
import { projectPath, readRecord, writeRecord } from "./setup/record.mjs";

/** @typedef {import("./setup/record.mjs").SetupRecord} SetupRecord */

/** @returns {Promise<SetupRecord>} */
async function setUp() {
  const javaHome = javaHomeProblem();
  if (javaHome !== undefined) throw new SetupError(javaHome);
  const programs = Object.fromEntries(prerequisitePrograms());
  const before = readRecord();
  const samePrograms = before !== undefined && JSON.stringify(before.programs) === JSON.stringify(programs);
  if (samePrograms && isExecutable(before.cli.program) && packagesAreInstalled()) return before;

  const [existing, findings] = await step("looking at the prerequisites", lookAround);
  const report = prerequisiteReport(findings, system());
  if (report !== undefined) throw new SetupError(report);

  await installPackages();
  const record = { programs, cli: existing ?? (await obtainCli()) };
  writeRecord(record);
  say(`Set up: Pulumi CLI ${record.cli.program}`);
  return record;
}

/**
 * Looks for the CLI and for all that is needed, Go included where there is no other way to a CLI.
 *
 * @returns {Promise<[import("./setup/pulumi-cli.mjs").PulumiCli | undefined, import("./setup/prerequisites.mjs").Finding[]]>}
 */
async function lookAround() {
  const [existing, findings] = await Promise.all([existingCli(), find(prerequisites())]);
  if (existing === undefined) {
    const [builder] = await find([go]);
    const canBuild = builder !== undefined && prerequisiteReport([builder], system()) === undefined;
    if (builder !== undefined && !canBuild && !(await canDownload())) findings.push(builder);
  }
  return [existing, findings];
}

/** @returns {[string, string | undefined][]} */
function prerequisitePrograms() {
  return prerequisites()
    .map(({ command: [program = ""] }) => program)
    .filter((program) => program !== process.execPath)
    .map((program) => [program, executables(program)[0]]);
}

/**
 * Runs a script of the project on its own Node, and ends as it ends.
 *
 * @param {SetupRecord} record
 * @param {readonly string[]} command the script and its arguments
 */
function runScript(record, command) {
  const environment = { ...process.env, PATH: projectPath(record) };
  const child = spawn(projectNode, command, { stdio: "inherit", env: environment });
  // A terminal sends Ctrl-C to the script as well: this process has but to wait for it.
  process.on("SIGINT", () => {});
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)));
}

try {
  const record = await setUp();
  const [script, ...args] = process.argv.slice(2);
  if (script !== undefined) runScript(record, [join(checkout, script), ...args]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
