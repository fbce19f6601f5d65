/**
 * One batch run: `main.ts --configuration FILE [--force] [--seal] [--accept-loss]`. Exit code 0: every view answers from everything archived;
 * 1: it failed, with the reason on standard error; 2: the configuration is wrong; 3: another run is under way.
 *
 * `--force` makes a new version even if nothing new is archived. `--seal` closes the open chunks first, so that the run
 * has all events that were written before. `--accept-loss` goes on without what is lost: it
 * closes the open chunks that lack something, too.
 */
import { parseArgs } from "node:util";
import application from "#application";
import { readConfiguration } from "../configuration.ts";
import { nextIncarnationLine } from "../log/next-incarnation-line.ts";
import { report, stopSignal } from "../program.ts";
import { beforeRun } from "./before-run.ts";
import { batchConfigurationSchema } from "./configuration.ts";
import { runBatchWithLease } from "./leased-run.ts";
import { SupersededError } from "./pointer.ts";

const configuration = readConfiguration(batchConfigurationSchema);
const flag = { type: "boolean", default: false } as const;
const { values: flags } = parseArgs({ options: { force: flag, seal: flag, "accept-loss": flag }, strict: false });

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return error instanceof SupersededError ? 3 : 1;
});
// What is still under way, e.g. an abandoned request, must not keep a failed run from ending.
process.exit();

async function main(): Promise<number> {
  const { views } = application;
  const [force, seal, acceptLoss] = [flags.force === true, flags.seal === true, flags["accept-loss"] === true];
  const signal = stopSignal();
  if (seal || acceptLoss) {
    const next = await beforeRun({ configuration, application, seal, acceptLoss, signal, report });
    if (next !== undefined) {
      report(nextIncarnationLine(next));
      return 0;
    }
  }
  const other = await runBatchWithLease({ configuration, views, force, signal, report });
  if (other === undefined) return 0;
  console.error(`another batch run is under way (${other}); one that was killed is waited for half a minute`);
  return 3;
}
