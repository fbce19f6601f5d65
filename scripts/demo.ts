/*
 * The main job: brings the whole architecture up, plays events, runs a batch while it goes on playing and asking, and
 * checks the merged answers against one pass in memory.
 *
 *     npm run demo [-- [--input FILE | --events N] [--rate N] [--stack NAME] [--down]]
 *
 * Exit code 0 only if no answer differs.
 */
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadApplication } from "../components/application.ts";
import { format, table } from "../components/table.ts";
import { EventProducer } from "../jobs/kafka/event-producer.ts";
import type { CheckResult } from "../jobs/oracle/check.ts";
import { fileSource } from "../jobs/sources/file.ts";
import { generatorSource } from "../jobs/sources/generator.ts";
import { play } from "../jobs/sources/play.ts";
import type { Source } from "../jobs/sources/source.ts";
import { runCommandLine } from "./command-line.ts";
import { type RunningArchitecture, runBatch, runningArchitecture } from "./demo/architecture.ts";
import { check, checkUntil } from "./demo/check.ts";
import { Log } from "./demo/log.ts";
import { type DemoOptions, parseDemoOptions } from "./demo/options.ts";
import { checkDemo, prepareStack } from "./demo/preparation.ts";
import { Progress } from "./demo/progress.ts";
import { serverTable, stackMemory } from "./demo/servers.ts";
import { defaultStack, ensureStack, runPulumi } from "./environment.ts";
import { DeadLetterWatch } from "./play/dead-letter-watch.ts";
import { outcomeLines, tooLargeText } from "./play/report.ts";
import { configurationFile, readStackConfiguration } from "./stack-configuration.ts";
import { takeDown } from "./take-down.ts";
import { ensureProviderPlugin } from "./toolchain/provider-plugins.ts";

/** The part of the events that is played before the batch run, and up to the end of it; the rest comes after. */
const beforeBatch = 0.6;
const untilBatchEnds = 0.8;
/** Questions of the checks before and after the batch run. */
const earlyQuestions = 300;
const finalQuestions = 1_000;
/** How long the events played beside the batch run are spread over, in seconds. */
const besideBatchSeconds = 20;

const progress = new Progress();

await runCommandLine(
  () => demo(parseDemoOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd())),
  "The demo cannot go on: ",
);

async function demo(options: DemoOptions): Promise<number> {
  const { stack, target } = options;
  // A file that cannot be played is told before anything is made.
  const events = await countEvents(sourceOf(options), options);
  const isOwnStack = prepareStack(options, (line) => progress.say(line));
  const stackConfiguration = readStackConfiguration(stack);
  await checkDemo(options, stackConfiguration);
  if (target === "docker") await ensureProviderPlugin("docker");
  progress.say("bringing the architecture up (pulumi up)");
  await ensureStack(stack);
  const up = await runPulumi(["up", "--yes", "--skip-preview", "--suppress-outputs", "--stack", stack]);
  process.stderr.write(up.stderr);
  if (up.exitCode !== 0) throw new Error("pulumi up failed, see above; run the demo again once that is fixed");
  const architecture = await runningArchitecture(stack);
  progress.say("all servers are ready");
  console.log((await serverTable(stack)).join("\n"));

  const letters = new DeadLetterWatch(architecture);
  await letters.begin();
  const log = new Log(architecture);
  const [first, second] = [Math.ceil(events * beforeBatch), Math.ceil(events * untilBatchEnds)];
  const before = await log.end();

  let tooLarge = await playEvents(architecture, options, letters, 0, first);
  const earliest = await check(architecture, log, { queries: 1, settled: true });
  progress.say(`the first merged answer: ${earliest.differing === 0 ? "exact" : "NOT EXACT"}`);
  const early = await check(architecture, log, { queries: earlyQuestions, settled: true });
  printCheck("before the batch run", early);

  // Without a whole chunk a batch run has nothing to do: it closes the open ones early.
  const isFull = Object.values(await log.end()).some((end) => end >= stackConfiguration.chunkSize);
  progress.say(`a batch run${isFull ? "" : " that closes the open chunks early"}, while events and questions go on`);
  const swap = { over: false };
  const memory = mostMemory(stack, () => swap.over);
  const command = [...architecture.batchCommand, ...(isFull ? [] : ["--seal"])];
  const batch = runBatch(command, (line) => progress.say(`  batch ${line}`)).finally(() => {
    swap.over = true;
  });
  const [tooLargeBeside, during] = await Promise.all([
    playEvents(architecture, options, letters, first, second, Math.max(1, (second - first) / besideBatchSeconds)),
    checkUntil(() => swap.over, architecture, log),
    batch,
  ]);
  const hasSwapped = during.versions.some((version) => version !== "none");
  printCheck(hasSwapped ? "during the batch run and its swap" : "during the batch run, without a swap", during);
  progress.say(`the most memory meanwhile: ${format(await memory)} MiB`);

  tooLarge += tooLargeBeside + (await playEvents(architecture, options, letters, second, events));
  const final = await check(architecture, log, { queries: finalQuestions, settled: true });
  if (final.versions.every((version) => version === "none"))
    progress.say("no batch view answered: the batch run made none, so all answers are of the speed layer");
  const lost = events - tooLarge - (await log.eventsSince(before));
  const outcome = await letters.end();
  await printAnswers(architecture);
  console.log((await serverTable(stack)).join("\n"));
  await log.close();

  const differing = earliest.differing + early.differing + during.differing + final.differing;
  if (lost !== 0)
    progress.say(`the log holds ${format(Math.abs(lost))} events ${lost > 0 ? "fewer" : "more"} than were played`);
  progress.say(
    `answers within p50 ${final.latency.key.p50.toFixed(1)} ms, p99 ${final.latency.key.p99.toFixed(1)} ms; ` +
      `tops within p50 ${final.latency.top.p50.toFixed(1)} ms, p99 ${final.latency.top.p99.toFixed(1)} ms`,
  );
  const answers = early.answers + during.answers + final.answers;
  const verdict = differing === 0 && lost === 0 && final.unavailable === 0 ? "exact" : "NOT EXACT";
  for (const line of outcomeLines(outcome, options.input === undefined ? "event" : "line")) progress.say(line);
  const left = [
    [outcome?.letters ?? 0, "became dead letters"],
    [tooLarge, "are too large"],
  ] as const;
  const without = left
    .filter(([count]) => count > 0)
    .map(([count, why]) => `, without ${format(count)} of this demo's events, which ${why}`)
    .join("");
  console.log(
    `\n${verdict}: ${format(answers)} answers over ${format(final.events)} events, ${differing} differ${without}\n`,
  );
  if (options.down) {
    const exitCode = await takeDown(stack);
    if (exitCode === 0 && isOwnStack) rmSync(configurationFile(stack), { force: true });
    return exitCode || (verdict === "exact" ? 0 : 1);
  }
  printWhatNext(architecture, stack);
  return verdict === "exact" ? 0 : 1;
}

function sourceOf(options: DemoOptions): Source {
  return options.input === undefined ? generatorSource(1, options.events) : fileSource(options.input);
}

async function countEvents(source: Source, options: DemoOptions): Promise<number> {
  if (options.input === undefined) return options.events;
  let events = 0;
  for await (const batch of source) events += batch.length;
  if (events === 0) throw new Error(`there is no event in ${options.input}`);
  return events;
}

/** Plays the source's events `[from, to)`. Returns how many of them were too large. */
async function playEvents(
  { configuration }: RunningArchitecture,
  options: DemoOptions,
  letters: DeadLetterWatch,
  from: number,
  to: number,
  mostRate?: number,
): Promise<number> {
  const rate = Math.min(options.rate ?? Number.POSITIVE_INFINITY, mostRate ?? Number.POSITIVE_INFINITY);
  await using producer = new EventProducer({
    ...configuration.kafka,
    topic: configuration.topic,
    clientId: "demo",
  });
  const played = await play(sourceOf(options), producer, {
    from,
    to,
    ...(Number.isFinite(rate) && { rate }),
    maxEventBytes: configuration.maxEventBytes,
    onTooLarge: ({ value }, place) =>
      progress.say(tooLargeText(`line ${place}`, Buffer.byteLength(value), configuration.maxEventBytes)),
    onWritten: (written) => letters.note(written),
    onProgress: ({ events }) => progress.tick(`  played ${format(events)} of ${format(to - from)} events`),
  });
  progress.say(
    `played ${format(played.events)} events in ${played.seconds.toFixed(1)} s ` +
      `(${format(Math.round(played.events / played.seconds))} a second)`,
  );
  return played.tooLarge;
}

function printCheck(when: string, result: CheckResult): void {
  const unavailable = result.unavailable === 0 ? "" : `, ${result.unavailable} not available`;
  progress.say(
    `${when}: ${format(result.answers)} answers checked against one pass over ${format(result.events)} events, ` +
      `${result.differing} differ${unavailable} (batch versions: ${result.versions.join(", ")})`,
  );
  for (const difference of result.differ) console.log(JSON.stringify(difference));
}

/** Prints the largest keys of each view and their totals. */
async function printAnswers({ queryUrl, application: module }: RunningArchitecture): Promise<void> {
  const { application } = await loadApplication(module);
  for (const view of application.views) {
    const [measure = ""] = Object.keys(view.measures);
    const top = await ask(`${queryUrl}/views/${view.name}/top?measure=${measure}&limit=3`);
    const rows: string[][] = [];
    for (const { key } of top.rows) {
      const answer = await ask(`${queryUrl}/views/${view.name}?${new URLSearchParams({ ...key, granularity: "all" })}`);
      const measures = Object.keys(view.measures).map((name) => format(answer.total[name] ?? 0));
      rows.push([...(Object.values(key) as string[]), ...measures]);
    }
    console.log(`\n${view.name}, the largest by ${measure}:`);
    console.log(table([...view.keyFields, ...Object.keys(view.measures)], rows).join("\n"));
  }
  console.log();
}

// biome-ignore lint/suspicious/noExplicitAny: the API's JSON, of any view
async function ask(url: string): Promise<any> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return await response.json();
}

/** The most MiB that a stack takes until it is over, looked at every few seconds. */
async function mostMemory(stack: string, isOver: () => boolean): Promise<number> {
  let most = 0;
  while (!isOver()) {
    most = Math.max(most, await stackMemory(stack));
    await sleep(3_000);
  }
  return most;
}

function printWhatNext({ queryUrl }: RunningArchitecture, stack: string): void {
  const named = stack === defaultStack ? "" : ` --stack ${stack}`;
  const separated = named && ` --${named}`;
  console.log(
    [
      "The architecture keeps running:",
      `  ask            curl "${queryUrl}/views"`,
      `  its API        ${queryUrl}/openapi.json`,
      `  play more      npm run play -- --events 1000${named}`,
      `  batch run      npm run batch${separated}`,
      `  logs           npm run logs -- kafka${named}`,
      `  take it down   npm run demo:down${separated}`,
    ].join("\n"),
  );
}
