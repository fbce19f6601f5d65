import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { loadApplication } from "../../components/application.ts";
import { chunkOf } from "../../jobs/chunks.ts";
import { coverageOf, coveredOffsets } from "../../jobs/serving/coverage.ts";
import { openStores } from "../../jobs/serving/open-stores.ts";
import type { AnyView } from "../../jobs/serving/stores.ts";
import { type RunningArchitecture, runningArchitecture } from "../demo/architecture.ts";
import { ensureStack, project, runPulumi, stateFolder } from "../environment.ts";

/** A stack of the bench's own that runs. */
export interface Session extends AsyncDisposable {
  readonly stack: string;
  /** The arguments of the CLI that name the stack and its configuration. */
  readonly stackArguments: readonly string[];
  readonly architecture: RunningArchitecture;
  readonly views: readonly AnyView[];
  readonly stores: ReturnType<typeof openStores>["stores"];
}

/** Seconds that the speed layer, or the archiver, may take for what it was given. */
const patience = 600;

/**
 * Brings a stack up.
 *
 * @param application the application's module, relative to the checkout
 */
export async function bringUp(stack: string, application: string): Promise<Session> {
  const stackArguments = ["--stack", stack, "--config-file", configurationFile(stack, application)];
  await ensureStack(stack);
  await pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs", ...stackArguments]);
  const architecture = await runningArchitecture(stack);
  const { stores, close } = openStores(architecture.configuration, 10_000);
  const { views } = (await loadApplication(architecture.application)).application;
  return { stack, stackArguments, architecture, views, stores, [Symbol.asyncDispose]: close };
}

/** Runs the CLI. @throws {Error} with its words if it fails */
export async function pulumi(args: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await runPulumi(args, { capture: true });
  if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${stdout}\n${stderr}`);
}

/** A configuration file out of the way of those that people write. */
function configurationFile(stack: string, application: string): string {
  const folder = join(stateFolder, "bench");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `Pulumi.${stack}.yaml`);
  const values = { application, ephemeral: "true", deleteData: "true", batchSchedule: "0 0 1 1 *" };
  const config = Object.fromEntries(Object.entries(values).map(([key, value]) => [`${project}:${key}`, value]));
  writeFileSync(file, stringify({ config }));
  return file;
}

/** The offsets up to which the log goes, by partition. */
export async function logEnd({ stores }: Session): Promise<Record<number, number>> {
  const watermarks = await stores.watermarks(AbortSignal.timeout(10_000));
  return Object.fromEntries(Object.entries(watermarks).map(([partition, { latest }]) => [partition, latest]));
}

/**
 * Waits until the speed layer has written every row of the log.
 *
 * @param from where to begin to look: what comes before was written earlier
 */
export async function speedDrained(session: Session, from: Readonly<Record<number, number>>): Promise<void> {
  const { chunkSize } = session.architecture.configuration;
  const end = await logEnd(session);
  const first = Object.fromEntries(
    Object.entries(from).map(([name, offset]) => [name, chunkOf(offset, chunkSize) * chunkSize]),
  );
  const firstChunk = Math.min(...Object.values(first)) / chunkSize;
  await until("the speed layer to work the log off", async () => {
    for (const view of session.views) {
      const progress = await session.stores.progress(view, firstChunk, AbortSignal.timeout(10_000));
      const covered = coveredOffsets(coverageOf(first, progress, {}, chunkSize));
      if (Object.entries(end).some(([partition, offset]) => (covered[partition] ?? 0) < offset)) return false;
    }
    return true;
  });
}

/** Waits until every whole chunk of the log is archived. */
export async function archiverDrained(session: Session): Promise<void> {
  const { chunkSize } = session.architecture.configuration;
  const end = await logEnd(session);
  await until("the archiver to work the log off", async () => {
    const archived = await session.stores.archived(AbortSignal.timeout(10_000));
    return Object.entries(end).every(([name, offset]) => (archived[name] ?? 0) >= offset - (offset % chunkSize));
  });
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patience * 1_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${patience} s for ${what}`);
    await sleep(25);
  }
}

/** How many seconds the work took, and what it came to. */
export async function timed<Result>(work: () => Promise<Result>): Promise<{ seconds: number; result: Result }> {
  const began = performance.now();
  const result = await work();
  return { seconds: (performance.now() - began) / 1_000, result };
}
