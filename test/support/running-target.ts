import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { bundleProgram } from "../../components/programs.ts";
import {
  type Distribution,
  type InstanceIdentity,
  instanceName,
  type Placement,
  type ScheduleArgs,
  type ServiceArgs,
  type TaskArgs,
} from "../../components/target.ts";
import { distributionDirectory, ensureDistribution } from "../../components/targets/local/distribution.ts";
import { probe } from "../../components/targets/local/readiness.ts";
import { RecordingTarget } from "./recording-target.ts";

/**
 * A target for tests of one or a few components on real servers: it starts what components ask of it as plain
 * processes, without Pulumi's engine, state or supervision.
 */
export class RunningTarget extends RecordingTarget {
  override readonly java = "java";
  readonly #network: string;
  readonly #folder: string;
  readonly #names: string[] = [];
  readonly #processes = new Map<string, ChildProcess>();

  /**
   * @param network the first three bytes of the servers' addresses, e.g. `127.26.0`; no two tests at once may share them
   * @param folder where files go; deleted by {@link stop}
   */
  constructor(network: string, folder: string) {
    super(folder);
    this.#network = network;
    this.#folder = folder;
  }

  override placement(identity: InstanceIdentity): Placement {
    const name = instanceName(identity);
    if (!this.#names.includes(name)) this.#names.push(name);
    return { ...super.placement(identity), address: `${this.#network}.${this.#names.indexOf(name) + 1}` };
  }

  override directory(distribution: Distribution): string {
    return distributionDirectory(distribution);
  }

  override program(entry: string, application?: string): string {
    return bundleProgram({ entry, ...(application !== undefined && { application }) });
  }

  /** Starts the services whose names match, all at once, and waits until every one is ready. */
  async start(names = /^/): Promise<void> {
    const starting = [...this.serviceArgs.keys()].filter((name) => names.test(name) && !this.#processes.has(name));
    for (const name of starting)
      for (const distribution of this.serviceArgs.get(name)?.distributions ?? [])
        await ensureDistribution(distribution);
    await Promise.all(starting.map((name) => this.#startOne(name)));
  }

  /** The process of a service. */
  process(name: string): ChildProcess {
    const process = this.#processes.get(name);
    if (process === undefined) throw new Error(`${name} does not run; what runs: ${[...this.#processes.keys()]}`);
    return process;
  }

  /** Ends one service with a signal and waits for its end. */
  async kill(name: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.process(name);
    this.#processes.delete(name);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), (this.serviceArgs.get(name)?.stopGrace ?? 10) * 1_000);
    await ended;
    clearTimeout(timer);
  }

  /** Ends every service, those that came last first, and deletes all files. */
  async stop(): Promise<void> {
    // ZooKeeper comes first in every component that needs it, and others hang when they stop without it.
    const [first, ...others] = this.#processes.keys();
    await Promise.all(others.map((name) => this.kill(name, "SIGTERM")));
    if (first !== undefined) await this.kill(first, "SIGTERM");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a task, or a schedule's command once, to its end. */
  async run(name: string): Promise<void> {
    const args = this.tasks.get(name) ?? this.schedules.get(name);
    if (args === undefined) throw new Error(`there is no task or schedule ${name}`);
    for (const distribution of args.distributions ?? []) await ensureDistribution(distribution);
    const env = await this.#prepare(args);
    const [program, ...rest] = args.command;
    const ended = spawnSync(program as string, rest, { env, encoding: "utf8" });
    if (ended.status !== 0) throw new Error(`${name}: ${ended.error?.message ?? ended.stderr}`);
  }

  async #startOne(name: string): Promise<void> {
    const args = this.serviceArgs.get(name);
    if (args === undefined) throw new Error(`there is no service ${name}`);
    const placement = this.placement(args.identity);
    const env = await this.#prepare(args);
    if (args.prepare !== undefined) {
      const [program, ...rest] = args.prepare;
      const prepared = spawnSync(program as string, rest, { env, encoding: "utf8" });
      if (prepared.status !== 0) throw new Error(`${name}: ${args.prepare.join(" ")}: ${prepared.stderr}`);
    }
    const log = join(placement.logs, "output.log");
    const output = openSync(log, "a");
    const [program, ...rest] = args.command;
    const child = spawn(program as string, rest, { env, cwd: placement.data, stdio: ["ignore", output, output] });
    closeSync(output);
    this.#processes.set(name, child);
    // Tests share their machine with others: be three times as patient.
    const deadline = Date.now() + 3 * (args.readinessTimeout ?? 120) * 1_000;
    for (;;) {
      const problem = await probe(args.readiness, placement.address, env);
      if (problem === undefined) return;
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline)
        throw new Error(`${name} is not ready: ${problem}\n${readFileSync(log, "utf8").slice(-4_000)}`);
      await sleep(250);
    }
  }

  /** Makes the instance's folders and files; its environment. */
  async #prepare(args: ServiceArgs | TaskArgs | ScheduleArgs): Promise<Record<string, string>> {
    const placement = this.placement(args.identity);
    for (const folder of [placement.configuration, placement.data, placement.logs, placement.temporary])
      mkdirSync(folder, { recursive: true });
    for (const [path, file] of Object.entries(args.files ?? {})) {
      const absolute = join(placement.configuration, path);
      mkdirSync(dirname(absolute), { recursive: true });
      writeFileSync(absolute, await resolve(file.content));
      chmodSync(absolute, file.secret === true ? 0o600 : 0o644);
    }
    return { ...process.env, ...(await resolve(args.environment ?? {})) } as Record<string, string>;
  }
}

/** The value of an input under Pulumi's mocks. */
function resolve<T>(input: pulumi.Input<T>): Promise<T> {
  return new Promise((done) => pulumi.output(input).apply((value) => done(value as T)));
}
