import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { instances } from "../../components/targets/local/index.ts";
import { EventProducer } from "../../jobs/kafka/event-producer.ts";
import { generatorSource } from "../../jobs/sources/generator.ts";
import { play } from "../../jobs/sources/play.ts";
import { type RunningArchitecture, runBatch, runningArchitecture } from "../../scripts/demo/architecture.ts";
import { check } from "../../scripts/demo/check.ts";
import { Log } from "../../scripts/demo/log.ts";
import { runPulumi, stackFolder } from "../../scripts/environment.ts";

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

/** A whole architecture that runs on the local target: gives it events, hurts it, and asks whether it is exact. */
export class WholeArchitecture {
  readonly stack: string;
  readonly architecture: RunningArchitecture;
  readonly #log: Log;

  private constructor(stack: string, architecture: RunningArchitecture) {
    this.stack = stack;
    this.architecture = architecture;
    this.#log = new Log(architecture);
  }

  /** @param stack one that is up */
  static async of(stack: string): Promise<WholeArchitecture> {
    return new WholeArchitecture(stack, await runningArchitecture(stack));
  }

  async close(): Promise<void> {
    await this.#log.close();
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
    for (const pid of matching) process.kill(pid, "SIGKILL");
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
