import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { cacheFolder } from "../../cache-folder.mjs";
import { modulePath } from "../../module-path.ts";
import { bundleProgram } from "../../programs.ts";
import { runError } from "../../run-error.ts";
import {
  type DataSafetyArgs,
  type Distribution,
  type File,
  type InstanceIdentity,
  instanceName,
  type Placement,
  type ScheduleArgs,
  type ServiceArgs,
  type ServicesArgs,
  type Target,
  type TaskArgs,
} from "../../target.ts";
import { Admission, type Surroundings } from "./admission.ts";
import { initialDisk } from "./budget.ts";
import { distributionDirectory } from "./distribution.ts";
import { Placements } from "./placement.ts";
import { type Args, LocalDistribution, LocalService, LocalTask } from "./resources.ts";
import { serverPathProblem } from "./server-path.ts";
import type { InstanceInputs } from "./state.ts";

/** The Node that the npm package `node` brought, if it is installed, else the one that runs the deployment. */
export function projectNode(): string {
  try {
    const node = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
    return existsSync(node) ? node : process.execPath;
  } catch {
    return process.execPath;
  }
}

/** What a local target is made for. */
export interface LocalTargetArgs extends DataSafetyArgs {
  /** The Pulumi project's name. */
  readonly project: string;
  /** The Pulumi stack's name. */
  readonly stack: string;
  /**
   * The stack's folder, e.g. `<checkout>/.lambda/stacks/dev`: `<instance>/configuration` and `<instance>/logs`, and
   * `data/<instance>`, which outlives the instance.
   */
  readonly folder: string;
  /**
   * What the servers' demands are compared with before the first one starts.
   *
   * @default this machine
   */
  readonly surroundings?: Surroundings;
}

/**
 * Runs servers as supervised processes of this machine, each on a loopback address of its own (127.x.y.z, known from
 * the stack's folder and the instance's name), so that several nodes and several stacks stand side by side on the
 * standard ports. Before the first one starts, and in previews, the machine is checked to have room for all of them.
 */
export class LocalTarget implements Target {
  readonly name = "local";
  /** The project's own Node, whichever one runs the deployment: another path would restart every job. */
  readonly node = projectNode();
  /** The stack's folder. */
  readonly folder: string;
  readonly #placements: Placements;
  readonly #protect: boolean;
  readonly #deleteData: boolean;
  readonly #admission: Admission;
  readonly #directories = new Map<string, string>();
  readonly #distributions = new Map<string, LocalDistribution>();

  /** @throws {pulumi.RunError} if servers cannot have their files under a path that it would give them */
  constructor({ project, stack, folder, protect = false, deleteData = false, surroundings }: LocalTargetArgs) {
    this.folder = resolve(folder);
    const problem =
      serverPathProblem(this.folder, "the stack's folder") ??
      serverPathProblem(cacheFolder(), "the cache, where the servers' jars are");
    if (problem !== undefined) throw runError(problem);
    this.#placements = new Placements(`${this.folder}\0${project}\0${stack}`, this.folder);
    this.#protect = protect;
    this.#deleteData = deleteData;
    this.#admission = new Admission(this.folder, surroundings);
  }

  /** The absolute path of JAVA_HOME's `java`, else PATH's. @throws {Error} if there is none */
  get java(): string {
    const folders = [
      process.env.JAVA_HOME && join(process.env.JAVA_HOME, "bin"),
      ...(process.env.PATH ?? "").split(delimiter),
    ];
    for (const folder of folders) {
      if (!folder) continue;
      try {
        const java = join(folder, "java");
        accessSync(java, constants.X_OK);
        return realpathSync(java);
      } catch {
        // Not here.
      }
    }
    throw new Error("No java on PATH or in JAVA_HOME. Install a JDK, version 17 or newer.");
  }

  placement(identity: InstanceIdentity): Placement {
    return this.#placements.place(instanceName(identity));
  }

  published(identity: InstanceIdentity, port: number): string {
    return `${this.placement(identity).address}:${port}`;
  }

  commandIn(_identity: InstanceIdentity, command: readonly string[]): string[] {
    return [...command];
  }

  directory(distribution: Distribution): string {
    let directory = this.#directories.get(distribution.name);
    if (directory === undefined) {
      directory = distributionDirectory(distribution);
      this.#directories.set(distribution.name, directory);
    }
    return directory;
  }

  program(entry: string, application?: string): string {
    return bundleProgram({ entry, ...(application !== undefined && { application }) });
  }

  services({ replicas, ordered = false }: ServicesArgs, opts: pulumi.CustomResourceOptions): LocalService[] {
    const services: LocalService[] = [];
    for (const args of replicas) services.push(this.#service(args, opts, ordered ? services.slice(-1) : []));
    return services;
  }

  /** @param before what the server waits for beside what the options say */
  #service(args: ServiceArgs, opts: pulumi.CustomResourceOptions, before: readonly LocalService[]): LocalService {
    const { stateful = false } = args;
    const admitted = this.#admission.admit({
      identity: args.identity,
      memory: args.memory,
      cpu: args.cpu,
      disk: initialDisk(stateful),
      ports: Object.values(args.ports),
      permanent: args.permanent ?? {},
    });
    return new LocalService(
      instanceName(args.identity),
      {
        ...this.#instance(args),
        group: instanceName({ component: args.identity.component, role: args.identity.role }),
        prepare: args.prepare ?? [],
        ports: args.ports,
        readiness: args.readiness,
        readinessTimeout: args.readinessTimeout ?? 120,
        memory: args.memory,
        stateful,
        deleteData: this.#deleteData,
        permanent: args.permanent ?? {},
        stopSignal: args.stopSignal ?? "SIGTERM",
        stopGrace: args.stopGrace ?? 10,
        ...(args.overlaps === true && { overlaps: true }),
      },
      this.#after(
        args.distributions,
        // Unless it is to be protected, what the component's own options say holds.
        stateful && this.#protect ? { ...opts, protect: true } : opts,
        admitted,
        before,
      ),
    );
  }

  task(args: TaskArgs, opts: pulumi.CustomResourceOptions): LocalTask {
    return new LocalTask(
      instanceName(args.identity),
      {
        ...this.#instance(args),
        checkCommand: args.checkCommand ?? [],
        deleteCommand: args.deleteCommand ?? [],
        triggers: [...(args.triggers ?? [])],
        timeout: args.timeout ?? 120,
        retries: args.retries ?? 0,
      },
      this.#after(args.distributions, opts),
    );
  }

  /** A schedule is a service of its own: a small runner that starts the command at its times. */
  schedule(args: ScheduleArgs, opts: pulumi.CustomResourceOptions): LocalService {
    const { data } = this.placement(args.identity);
    const runner = this.program(modulePath("./schedule-runner.ts", import.meta.url));
    const ready = join(data, "ready");
    return this.#service(
      {
        identity: args.identity,
        command: [this.node, runner, "--cron", args.cron, "--ready", ready, "--", ...args.command],
        ...(args.environment && { environment: args.environment }),
        ...(args.files && { files: args.files }),
        ...(args.distributions && { distributions: args.distributions }),
        prepare: ["rm", "-f", ready],
        ports: {},
        readiness: { kind: "command", command: ["test", "-e", ready] },
        readinessTimeout: 30,
        memory: args.memory + scheduleRunnerMemory,
        cpu: args.cpu,
      },
      opts,
      [],
    );
  }

  #instance(args: {
    readonly identity: InstanceIdentity;
    readonly command: readonly string[];
    readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
    readonly files?: Readonly<Record<string, File>>;
  }): Args<InstanceInputs> {
    const { name, address, configuration, data, logs } = this.placement(args.identity);
    // Each value stays an input of its own, so that one secret does not hide its neighbours in a preview.
    const files = Object.entries(args.files ?? {}).map(([path, { content, secret = false }]) => {
      return [path, { content: secret ? pulumi.secret(content) : content, secret }] as const;
    });
    return {
      stackFolder: this.folder,
      instance: name,
      address,
      configuration,
      data,
      logs,
      command: [...args.command],
      environment: { ...args.environment },
      files: Object.fromEntries(files),
    };
  }

  /**
   * The options, with the distributions among what must be there before.
   *
   * @param before further resources
   * @param admitted rejects if the machine has no room: then nothing is registered at all. Default: it has
   */
  #after(
    distributions: readonly Distribution[] | undefined,
    opts: pulumi.CustomResourceOptions,
    admitted: Promise<void> = Promise.resolve(),
    before: readonly pulumi.Resource[] = [],
  ): pulumi.CustomResourceOptions {
    const needed = (distributions ?? []).map((distribution) => this.#distribution(distribution, admitted));
    const { dependsOn = [] } = opts;
    const others = pulumi.output(dependsOn as pulumi.Input<pulumi.Resource | pulumi.Input<pulumi.Resource>[]>);
    const all = pulumi.all([others, admitted]).apply(([resources]) => [...needed, ...before, ...[resources].flat()]);
    return { ...opts, dependsOn: all as never };
  }

  #distribution(distribution: Distribution, admitted: Promise<void>): LocalDistribution {
    let resource = this.#distributions.get(distribution.name);
    if (resource === undefined) {
      const { name, parts } = distribution;
      const dependsOn: Promise<pulumi.Resource[]> = admitted.then(() => []);
      resource = new LocalDistribution(
        `${name}-distribution`,
        { name, parts, directory: this.directory(distribution) },
        { dependsOn },
      );
      this.#distributions.set(name, resource);
    }
    return resource;
  }
}

/** What the schedule's runner takes beside its runs, in MiB. */
const scheduleRunnerMemory = 60;
