/*
 * Changing the code of views on the whole architecture, as a person does it: edit the module, preview, up.
 * 1. Events, a batch version, more events: exact.
 * 2. The code of one view is changed: a preview names that view, says that it is computed anew, and names no other.
 * 3. An `up` that is interrupted while the new code is computed: the old code goes on answering.
 * 4. `up`, while events come and questions are asked: every answer is exact by the old code or by the new, to one who goes
 *    on asking on a connection never by the old again after the new, and no question fails. Then all are exact by the new
 *    code, and only the new topology runs.
 * 5. The next batch run removes all that there was of the old code.
 * 6. The former code comes back, another view is taken out, and a third is added: exact, and the old data goes.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "cassandra-driver";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadApplication } from "../components/application.ts";
import { instances } from "../components/targets/local/index.ts";
import { DruidCoordinator } from "../jobs/batch/druid-coordinator.ts";
import { isVersion } from "../jobs/batch/versions.ts";
import { EventProducer } from "../jobs/kafka/event-producer.ts";
import { type LoggedEvent, Oracle } from "../jobs/oracle/oracle.ts";
import type { Contains } from "../jobs/serving/query.ts";
import { generatorSource } from "../jobs/sources/generator.ts";
import { play } from "../jobs/sources/play.ts";
import { generationOfTable } from "../jobs/speed/tables.ts";
import { openStorage } from "../jobs/storage/open-storage.ts";
import { type RunningArchitecture, runBatch, runningArchitecture } from "../scripts/demo/architecture.ts";
import { check } from "../scripts/demo/check.ts";
import { Log } from "../scripts/demo/log.ts";
import { checkout, ensureStack, runPulumi, stackFolder } from "../scripts/environment.ts";
import { takeDown } from "../scripts/take-down.ts";
import { commandLine } from "./support/whole-architecture.ts";

const stack = "test-views";
const stackFile = join(checkout, `Pulumi.${stack}.yaml`);
const folder = mkdtempSync(join(tmpdir(), "views-"));
/** The module that the stack is pointed at; each of the others holds a code of its own, for the oracle. */
const [live, original, doubled, reshaped] = ["live", "original", "doubled", "reshaped"].map((name) =>
  join(folder, name),
) as [string, string, string, string];
let architecture: RunningArchitecture;
let log: Log;
let seed = 1;
let formerTopology: string | undefined;

beforeAll(async () => {
  writeApplications();
  edit(original);
  const configuration = { application: join(live, "index.ts"), ephemeral: true, deleteData: true, chunkSize: 1000 };
  // No run but those of the test.
  const values = { ...configuration, batchSchedule: "0 0 29 2 *" };
  const lines = Object.entries(values).map(([key, value]) => `  lambda-architecture:${key}: ${JSON.stringify(value)}`);
  writeFileSync(stackFile, ["config:", ...lines, ""].join("\n"));
  await takeDown(stack);
  await ensureStack(stack);
  const up = await pulumi("up", "--yes", "--skip-preview");
  expect(up.exitCode, up.stdout + up.stderr).toBe(0);
  architecture = await runningArchitecture(stack);
  log = new Log(architecture);
});

afterAll(async () => {
  await log?.close();
  await takeDown(stack);
  rmSync(stackFile, { force: true });
  rmSync(folder, { recursive: true, force: true });
  expect(existsSync(stackFolder(stack))).toBe(false);
});

test("at first nothing is computed anew, and answers are exact with and without a batch version", async () => {
  expect(readFileSync(recomputationLog(), "utf8")).toMatch(/of no view that answers the code has changed/);
  await playGenerated(12_000);
  await runBatch(architecture.batchCommand, (line) => console.log(line));
  await playGenerated(3_500);
  await expectExact(original);
});

test("a preview names the view whose code has changed, says that it is computed anew, and names no other", async () => {
  const before = architecture.configuration.generations;
  [formerTopology] = await runningTopologies();
  expect(formerTopology).toBeDefined();
  edit(doubled);
  const preview = await pulumi("preview");
  console.log(preview.stdout);
  expect(preview.exitCode, preview.stderr).toBe(0);
  const [, generation] =
    /view edits-by-page is recomputed, since its code is now ([0-9a-f]{8});/.exec(preview.stdout) ?? [];
  expect(preview.stdout).toMatch(new RegExp(`\\+ .*lambda-view-edits-by-page-${generation} +create`));
  expect(preview.stdout).toMatch(new RegExp(`- .*lambda-view-edits-by-page-${before["edits-by-page"]} +delete`));
  expect(preview.stdout).not.toMatch(/view[- ]edits-by-channel/);
});

test("an up that is interrupted leaves the old code answering", async () => {
  const begun = readFileSync(recomputationLog(), "utf8").length;
  const up = spawn(process.execPath, [join(checkout, "scripts/pulumi.ts"), ...upArguments], { stdio: "ignore" });
  const ended = new Promise((resolve) => up.once("exit", resolve));
  await until(
    () => /is computed beside/.test(readFileSync(recomputationLog(), "utf8").slice(begun)),
    "the recomputation",
  );
  up.kill("SIGTERM");
  expect(await ended).not.toBe(0);
  await playGenerated(500);
  await expectExact(original);
});

test("during up every answer is exact by the old code or the new; then all by the new, and the old topology is gone", async () => {
  const asking = new Asking();
  const [up, asked] = await Promise.all([
    pulumi("up", "--yes", "--skip-preview").finally(() => asking.end()),
    asking.untilEnd(),
    playWhile(() => !asking.ended),
  ]);
  console.log(up.stdout.split("\n").slice(-40).join("\n"));
  expect(up.exitCode, up.stdout + up.stderr).toBe(0);
  console.log(readFileSync(recomputationLog(), "utf8").split("\n").slice(-25).join("\n"));

  const events: LoggedEvent<unknown>[] = [];
  for await (const event of await log.events()) events.push(event);
  const [former, latter] = await Promise.all([original, doubled].map((code) => oracles(code, events)));
  for (const view of ["edits-by-page", "edits-by-channel"]) {
    const codes = asked.answers
      .filter((answer) => answer.view === view)
      .map((answer) => {
        const by = [former, latter].map((some) => isAnswerOf(some?.get(view), answer));
        expect(by, JSON.stringify(answer)).toContain(true);
        return by;
      });
    const firstNew = codes.findIndex(([old]) => !old);
    const lastOld = codes.findLastIndex(([, latest]) => !latest);
    console.log(
      `${view}: ${codes.length} answers, the last by old code alone ${lastOld}, the first by new ${firstNew}`,
    );
    expect(codes.length).toBeGreaterThan(50);
    if (view === "edits-by-page") expect([lastOld >= 0, firstNew > lastOld]).toEqual([true, true]);
    else expect([lastOld, firstNew]).toEqual([-1, -1]);
  }
  const lags = asked.answers.map(({ contains }) => contains.lag).sort((a, b) => a - b);
  console.log(`lag: median ${lags[lags.length >> 1]}, most ${lags.at(-1)} events at ${playRate} a second`);
  expect(lags[lags.length >> 1]).toBeLessThan(2 * playRate);
  expect(asked.failures).toEqual([]);

  await expectExact(doubled);
  await until(async () => (await runningTopologies()).length === 1, "the end of the old topology");
  expect(await runningTopologies()).not.toEqual([formerTopology]);
});

test("the next batch run removes all that there was of the old code", async () => {
  const before = architecture.configuration.generations;
  architecture = await runningArchitecture(stack);
  const { generations } = architecture.configuration;
  expect(generations["edits-by-channel"]).toBe(before["edits-by-channel"]);
  expect(generations["edits-by-page"]).not.toBe(before["edits-by-page"]);
  expect(await generationsWithTables()).toContain(`edits-by-page ${before["edits-by-page"]}`);
  await runBatch(architecture.batchCommand, (line) => console.log(line));
  await expectNothingElse();
  await expectExact(doubled);
});

test("code that comes back, a view taken out and one added: exact, and the old data goes", async () => {
  edit(reshaped);
  await playGenerated(700);
  const preview = await pulumi("preview");
  expect(preview.stdout).toMatch(/view edits-by-user is recomputed/);
  expect(preview.stdout).toMatch(/- .*lambda-view-edits-by-channel-[0-9a-f]{8} +delete/);
  const up = await pulumi("up", "--yes", "--skip-preview");
  expect(up.exitCode, up.stdout + up.stderr).toBe(0);
  architecture = await runningArchitecture(stack);
  await playGenerated(700);
  await expectExact(reshaped);
  const { views } = (await (await fetch(`${architecture.queryUrl}/views`)).json()) as { views: { name: string }[] };
  expect(views.map(({ name }) => name)).toEqual(["edits-by-page", "edits-by-user"]);
  await runBatch(architecture.batchCommand, (line) => console.log(line));
  await expectNothingElse();
  await expectExact(reshaped);
  const again = await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  expect(again.exitCode, again.stdout + again.stderr).toBe(0);
});

/** Writes each code of the application into a folder of its own. */
function writeApplications(): void {
  for (const code of [original, doubled, reshaped]) {
    mkdirSync(code);
    for (const file of ["event.ts", "edits-by-channel.ts", "edits-by-page.ts", "index.ts"]) {
      const text = readFileSync(join(checkout, "jobs/wikipedia", file), "utf8")
        .replaceAll('"../', `"${join(checkout, "jobs")}/`)
        .replace('"zod"', `"${join(checkout, "node_modules/zod/index.js")}"`);
      writeFileSync(join(code, file), text);
    }
  }
  change(doubled, "edits-by-page.ts", "edit.added", "2 * edit.added");
  cpSync(join(reshaped, "edits-by-channel.ts"), join(reshaped, "edits-by-user.ts"));
  change(reshaped, "edits-by-user.ts", "{ channel: (edit) => edit.channel }", "{ user: (edit) => edit.user }");
  change(reshaped, "edits-by-user.ts", "edits-by-channel", "edits-by-user");
  change(reshaped, "edits-by-user.ts", "editsByChannel", "editsByUser");
  change(reshaped, "index.ts", "edits-by-channel", "edits-by-user");
  change(reshaped, "index.ts", "import { editsByChannel }", "import { editsByUser }");
  change(reshaped, "index.ts", "[editsByChannel, editsByPage]", "[editsByPage, editsByUser]");
}

function change(code: string, file: string, from: string, to: string): void {
  const before = readFileSync(join(code, file), "utf8");
  expect(before).toContain(from);
  writeFileSync(join(code, file), before.replace(from, to));
}

/** Makes the stack's module what another one is, as a person who edits it. */
function edit(code: string): void {
  rmSync(live, { recursive: true, force: true });
  cpSync(code, live, { recursive: true });
}

const upArguments = ["up", "--yes", "--skip-preview", "--stack", stack, "--non-interactive"];

function pulumi(...args: string[]) {
  return runPulumi([...args, "--stack", stack, "--non-interactive"], { capture: true });
}

function recomputationLog(): string {
  return join(stackFolder(stack), "lambda-recomputation/logs/lambda-recomputation.log");
}

async function playGenerated(count: number): Promise<void> {
  const { kafka, topic } = architecture.configuration;
  await using producer = new EventProducer({ bootstrapServers: kafka.bootstrapServers, topic });
  await play(generatorSource(seed++, count), producer, {});
}

/** Events a second that come while questions are asked. */
const playRate = 200;

async function playWhile(goesOn: () => boolean): Promise<void> {
  // What is played at once may come at once: only all of it keeps the rate.
  while (goesOn()) await Promise.all([playGenerated(playRate), sleep(1_000)]);
}

async function expectExact(code: string): Promise<void> {
  const result = await check({ ...architecture, application: join(code, "index.ts") }, log, {
    queries: 200,
    settled: true,
  });
  expect(result.differ).toEqual([]);
  expect(result.differing).toBe(0);
  // On a busy machine a store may be too slow for a question; that is said, and no wrong answer.
  expect(result.answers + result.unavailable).toBe(200);
  expect(result.unavailable).toBeLessThan(20);
}

/** The topologies of which a worker runs. */
async function runningTopologies(): Promise<string[]> {
  const supervisors = (await instances(stackFolder(stack))).filter(({ name }) => /storm-supervisor/.test(name));
  const commands = supervisors.flatMap(({ pids }) => pids.map(commandLine));
  return [...new Set(commands.flatMap((command) => /lambda-speed-[0-9a-f]{8}/.exec(command)?.[0] ?? []))];
}

/** An answer, to be checked once the log is known. */
interface Answer {
  readonly view: string;
  readonly key: Readonly<Record<string, string>>;
  readonly total: unknown;
  readonly contains: Contains;
}

/** Asks for keys of both views in turn, all the time. */
class Asking {
  ended = false;

  end(): void {
    this.ended = true;
  }

  async untilEnd() {
    const answers: Answer[] = [];
    const failures: string[] = [];
    const keys = await eventKeys();
    for (let turn = 0; !this.ended; turn++) {
      const { channel, page } = keys[turn % keys.length] as { channel: string; page: string };
      const [view, key] = turn % 2 === 0 ? ["edits-by-page", { channel, page }] : ["edits-by-channel", { channel }];
      try {
        const parameters = new URLSearchParams({ ...(key as Record<string, string>), granularity: "all" });
        const response = await fetch(`${architecture.queryUrl}/views/${view}?${parameters}`);
        const text = await response.text();
        if (response.status !== 200) throw new Error(`${response.status} ${text}`);
        const { total, contains } = JSON.parse(text) as Answer;
        answers.push({ view: view as string, key: key as Record<string, string>, total, contains });
      } catch (error) {
        failures.push((error as Error).message);
      }
      await sleep(20);
    }
    return { answers, failures };
  }
}

/** Keys as frequent as in the events. */
async function eventKeys(): Promise<{ channel: string; page: string }[]> {
  const keys: { channel: string; page: string }[] = [];
  for await (const batch of generatorSource(1, 500))
    for (const { value } of batch) keys.push(JSON.parse(String(value)) as { channel: string; page: string });
  return keys;
}

async function oracles(code: string, events: readonly LoggedEvent<unknown>[]): Promise<Map<string, Oracle<unknown>>> {
  const { application } = await loadApplication(join(code, "index.ts"));
  return new Map(
    application.views.map((view) => {
      const oracle = new Oracle<unknown>(view);
      for (const event of events) oracle.add(event);
      return [view.name, oracle];
    }),
  );
}

function isAnswerOf(oracle: Oracle<unknown> | undefined, { key, total, contains }: Answer): boolean {
  const expected = oracle?.key(Object.values(key), { end: contains.speed }, {}, "all");
  return JSON.stringify(expected?.total) === JSON.stringify(total);
}

/** The generations of which there are tables, as `view generation`. */
async function generationsWithTables(): Promise<string[]> {
  const client = new Client(architecture.configuration.cassandra);
  try {
    const cql = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?";
    const { rows } = await client.execute(cql, [architecture.configuration.cassandra.keyspace], { prepare: true });
    const keys = rows.map((row) => generationOfTable(row.table_name)).filter((key) => key !== undefined);
    return [...new Set(keys.map(({ view, generation }) => `${view} ${generation}`))].sort();
  } finally {
    await client.shutdown();
  }
}

/** Of no generation but the deployed ones is there a table, a pointer, a datasource or an output. */
async function expectNothingElse(): Promise<void> {
  const { generations, cassandra, druid, storage, batchViews } = architecture.configuration;
  const deployed = Object.entries(generations).map(([view, generation]) => `${view} ${generation}`);
  expect(await generationsWithTables()).toEqual(deployed.sort());
  const client = new Client(cassandra);
  const pointers = await client.execute('SELECT "view", generation FROM batch_pointer');
  expect(pointers.rows.map((row) => `${row.view} ${row.generation}`).sort()).toEqual(deployed);
  expect((await client.execute("SELECT * FROM retired_generation")).rows).toEqual([]);
  await client.shutdown();
  const names = Object.entries(generations).map(([view, generation]) => `${view.replaceAll("-", "_")}_${generation}_`);
  const datasources = await new DruidCoordinator(druid.coordinator).datasources();
  expect(datasources.filter((name) => !names.some((own) => name.startsWith(own)))).toEqual([]);
  using files = openStorage(storage);
  const outputs = (await files.list(batchViews)).filter(isVersion);
  for (const output of outputs)
    expect(
      datasources.some((name) => name.endsWith(output)),
      output,
    ).toBe(true);
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + 120_000; !(await condition()); await sleep(200))
    if (performance.now() > end) throw new Error(`${what}: not within two minutes`);
}
