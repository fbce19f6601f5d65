/*
 * Measures every layer on stacks of its own and writes what it finds to bench/ and into the README:
 *
 *     npm run bench [-- [PART…] [--runs N] [--events N] [--most-events N] [--stack NAME]]
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dataSets, isThere } from "./bench/feed.ts";
import { measureLifecycle } from "./bench/lifecycle.ts";
import { type BenchOptions, type Part, parseBenchOptions } from "./bench/options.ts";
import { between, circumstances, headlinesOf, markdownTable, type Report, Results } from "./bench/results.ts";
import { bringUp, type Session } from "./bench/session.ts";
import { measureSpeed } from "./bench/speed.ts";
import { measureStages } from "./bench/stages.ts";
import { measureWhole } from "./bench/whole.ts";
import { runCommandLine } from "./command-line.ts";
import { Progress } from "./demo/progress.ts";
import { checkout } from "./environment.ts";
import { takeDown } from "./take-down.ts";

const folder = join(checkout, "bench");
/** The application of the whole: both views. */
const wholeApplication = "jobs/wikipedia/index.ts";
const progress = new Progress();

await runCommandLine(() => bench(parseBenchOptions(process.argv.slice(2))), "The bench cannot go on: ");

async function bench(options: BenchOptions): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { parts, runs, events } = options;
  const results = new Results(join(folder, "results.json"), parts, (line) => progress.say(line));
  const has = (...some: readonly Part[]) => some.some((part) => parts.includes(part));
  /** Brings a stack up, measures on it, and takes it down. */
  const on = async (name: string, application: string, measure: (session: Session) => Promise<void>) => {
    const stack = `${options.stack}-${name}`;
    progress.say(`bringing ${stack} up`);
    try {
      await using session = await bringUp(stack, application);
      await measure(session);
    } finally {
      if (!options.keep) await takeDown(stack);
    }
  };

  if (has("speed", "stages"))
    for (const [of, name] of [
      ["few keys", "few-keys"],
      ["many keys", "many-keys"],
    ] as const)
      await on(name, `scripts/bench/applications/${name}.ts`, async (session) => {
        for (const dataSet of dataSets.filter(isThere))
          await measureSpeed(session, results, {
            of,
            dataSet,
            events,
            runs: has("speed") ? runs : 1,
            archiver: name === "few-keys",
          });
        if (has("stages")) await measureStages(session, results, { of, runs });
      });
  if (has("latency", "batch", "query", "growth"))
    await on("whole", wholeApplication, (session) => measureWhole(session, results, options));
  if (has("lifecycle"))
    await measureLifecycle(results, { stack: `${options.stack}-life`, application: wholeApplication, runs });
  writeTables(results.report);
}

/** Writes all that is measured beside the JSON, and what most people want to know into the README. */
function writeTables(report: Report): void {
  const { measurements } = report;
  const head = `# Measurements\n\n${circumstances(report)} By \`npm run bench\`; the README says how.`;
  writeFileSync(join(folder, "results.md"), `${head}\n\n${markdownTable(measurements)}\n`);
  const readme = join(checkout, "README.md");
  const short = `${circumstances(report)}\n\n${markdownTable(headlinesOf(measurements))}`;
  writeFileSync(readme, between(readFileSync(readme, "utf8"), "bench", short));
}
