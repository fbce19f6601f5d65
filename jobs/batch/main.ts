/**
 * One batch run: `main.ts --configuration FILE [--force]`. Exit code 0: every view answers from everything archived;
 * 1: it failed, with the reason on standard error; 2: the configuration is wrong; 3: another run is under way.
 *
 * `--force` makes a new version even if nothing new is archived.
 */
import { parseArgs } from "node:util";
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { report, stopSignal } from "../program.ts";
import { batchConfigurationSchema } from "./configuration.ts";
import { runBatchWithLease } from "./leased-run.ts";
import { SupersededError } from "./pointer.ts";

const configuration = readConfiguration(batchConfigurationSchema);
const { values: flags } = parseArgs({ options: { force: { type: "boolean", default: false } }, strict: false });

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return error instanceof SupersededError ? 3 : 1;
});
// What is still under way, e.g. an abandoned request, must not keep a failed run from ending.
process.exit();

async function main(): Promise<number> {
  const { views } = application;
  const force = flags.force === true;
  const other = await runBatchWithLease({ configuration, views, force, signal: stopSignal(), report });
  if (other === undefined) return 0;
  console.error(`another batch run is under way (${other}); one that was killed is waited for half a minute`);
  return 3;
}
