import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { instances } from "../../components/targets/local/index.ts";
import type { Offsets } from "../../jobs/chunks.ts";
import { EventProducer } from "../../jobs/kafka/event-producer.ts";
import { generatorSource } from "../../jobs/sources/generator.ts";
import { play } from "../../jobs/sources/play.ts";
import { type RunningArchitecture, runBatch, runningArchitecture } from "../../scripts/demo/architecture.ts";
import { check } from "../../scripts/demo/check.ts";
import { Log } from "../../scripts/demo/log.ts";
import { checkout, ensureStack, runPulumi, stackFolder } from "../../scripts/environment.ts";
import { takeDown } from "../../scripts/take-down.ts";
import { kill } from "./kill.ts";

/** Runs the CLI on a stack, as a person does, and keeps what it says. */
export function pulumi(stack: string, ...args: string[]) {
  return runPulumi([...args, "--stack", stack, "--non-interactive"], { capture: true });
}

/** As {@link pulumi}, and expects that it passes. Returns what it said. */
export async function pulumiPasses(stack: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await pulumi(stack, ...args);
  expect(exitCode, stdout + stderr).toBe(0);
  return stdout;
}

/** Sets keys of a stack's configuration. */
export async function configure(stack: string, values: Readonly<Record<string, string>>): Promise<void> {
  const given = Object.entries(values).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
  await pulumiPasses(stack, "config", "set-all", ...given);
}

/** What a stack of a test needs to leave nothing, with small chunks, and no batch run but those of the test. */
const configuration = { ephemeral: "true", deleteData: "true", chunkSize: "1000", batchSchedule: "0 0 29 2 *" };

/** A whole architecture that runs on the local target: gives it events, hurts it, and asks whether it is exact. */
export class WholeArchitecture {
  readonly stack: string;
  #architecture: RunningArchitecture;
  #log: Log;

  private constructor(stack: string, architecture: RunningArchitecture) {
    this.stack = stack;
    this.#architecture = architecture;
    this.#log = new Log(architecture);
  }

  /** As the last `up` left it. */
  get architecture(): RunningArchitecture {
    return this.#architecture;
  }

  /** @param stack one that is up */
  static async of(stack: string): Promise<WholeArchitecture> {
    return new WholeArchitecture(stack, await runningArchitecture(stack));
  }

  /**
   * Brings a stack of the test's own up, with events before and after a first batch run.
   *
   * @param values keys of its configuration
   */
  static async bringUp(stack: string, values: Readonly<Record<string, string>> = {}): Promise<WholeArchitecture> {
    await takeDown(stack);
    await ensureStack(stack);
    await configure(stack, { ...configuration, ...values });
    await pulumiPasses(stack, "up", "--yes", "--skip-preview");
    const whole = await WholeArchitecture.of(stack);
    await whole.playGenerated(1, 20_000);
    await whole.runBatch();
    await whole.playGenerated(2, 2_500);
    await whole.expectExact();
    return whole;
  }

  /** Leaves nothing of a stack that {@link bringUp} began to bring up, whether or not it could. */
  static async remove(stack: string, whole: WholeArchitecture | undefined): Promise<void> {
    await whole?.close();
    await takeDown(stack);
    rmSync(join(checkout, `Pulumi.${stack}.yaml`), { force: true });
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  /**
   * Changes keys of the stack's configuration and brings it up with them.
   *
   * @returns what `up` said
   */
  async up(values: Readonly<Record<string, string>> = {}): Promise<string> {
    if (Object.keys(values).length > 0) await configure(this.stack, values);
    const said = await pulumiPasses(this.stack, "up", "--yes", "--skip-preview");
    await this.#log.close();
    this.#architecture = await runningArchitecture(this.stack);
    this.#log = new Log(this.#architecture);
    return said;
  }

  /** Where the log ends. */
  logEnd(): Promise<Offsets> {
    return this.#log.end();
  }

  /** Every event of the log as it is now, for an oracle that outlives what Kafka deletes. */
  async events() {
    const events = [];
    for await (const event of await this.#log.events()) events.push(event);
    return events;
  }

  /** Compares 200 answers with one pass in memory over the log, once the speed layer has come to its end. */
  async expectExact(): Promise<void> {
    const result = await check(this.architecture, this.#log, { queries: 200, settled: true });
    expect(result.differ).toEqual([]);
    expect(result.differing).toBe(0);
    expect(result.answers).toBe(200);
  }

  /** What the serving layer answers. */
  // biome-ignore lint/suspicious/noExplicitAny: the API's JSON
  async ask(path: string): Promise<any> {
    const response = await fetch(`${this.architecture.queryUrl}${path}`);
    expect(response.status, path).toBe(200);
    return await response.json();
  }

  /** @param rate events a second. Default: as fast as it goes */
  async playGenerated(seed: number, count: number, rate?: number): Promise<void> {
    const { kafka, topic } = this.architecture.configuration;
    await using producer = new EventProducer({ bootstrapServers: kafka.bootstrapServers, topic });
    await play(generatorSource(seed, count), producer, { rate });
  }

  async runBatch(...args: readonly string[]): Promise<void> {
    await runBatch([...this.architecture.batchCommand, ...args], (line) => console.log(line));
  }

  /** Kills processes of the stack's instances at once. Returns how many. */
  async killProcesses(instance: RegExp, command: RegExp): Promise<number> {
    const pids = (await instances(stackFolder(this.stack)))
      .filter(({ name }) => instance.test(name))
      .flatMap(({ pids }) => pids);
    const matching = pids.filter((pid) => command.test(commandLine(pid)));
    await kill(...matching);
    return matching.length;
  }
}

/** A process's command line, its arguments apart by NUL; empty where there is no such process any more. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
