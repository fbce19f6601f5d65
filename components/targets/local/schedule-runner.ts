/**
 * Runs a command at the times of a cron expression, in UTC; a run is skipped while the one before it goes on.
 *
 * Usage: schedule-runner --cron EXPRESSION --ready FILE -- COMMAND…
 *   FILE appears once the expression was understood and the first run is planned.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Cron } from "croner";

const { values, positionals } = parseArgs({
  options: { cron: { type: "string" }, ready: { type: "string" } },
  allowPositionals: true,
});
const [program, ...args] = positionals;
if (values.cron === undefined || values.ready === undefined || program === undefined) {
  console.error("Usage: schedule-runner --cron EXPRESSION --ready FILE -- COMMAND…");
  process.exit(2);
}

let stopRun: (() => void) | undefined;
let toldOfSkipping = false;
const say = (message: string) => console.log(`${new Date().toISOString()} schedule: ${message}`);

function run(): Promise<void> {
  return new Promise((resolve) => {
    const begun = Date.now();
    const done = (outcome: string) => {
      stopRun = undefined;
      say(`run ${outcome} after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
      resolve();
    };
    toldOfSkipping = false;
    say("run begins");
    const child = spawn(program as string, args, { stdio: ["ignore", "inherit", "inherit"] });
    stopRun = () => child.kill("SIGTERM");
    child.once("error", (error) => done(`could not start: ${error.message};`));
    child.once("exit", (code, signal) =>
      done(code === 0 ? "succeeded" : `failed with ${signal ?? `exit code ${code}`}`),
    );
  });
}

/** Told each half minute that a run would be due. */
function skip(): void {
  if (!toldOfSkipping) say("runs are skipped until this one ends");
  toldOfSkipping = true;
}

const job = new Cron(values.cron, { timezone: "UTC", mode: "5-part", protect: skip }, run);

process.once("SIGTERM", () => {
  job.stop();
  if (stopRun === undefined) process.exit(0);
  stopRun();
  setInterval(() => stopRun === undefined && process.exit(0), 50);
});

writeFileSync(values.ready, "");
say(`next run at ${job.nextRun()?.toISOString() ?? "no time ever"}`);
