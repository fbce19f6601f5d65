import { join, resolve } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { mountedFolders, userId } from "../../images/layout.ts";
import { defaultImageSettings, type ImageSettings } from "../../images/recipe.ts";
import { modulePath } from "../../module-path.ts";
import { bundleProgram } from "../../programs.ts";
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
import { startCommand } from "../container/command.ts";
import { type InstanceImage, InstanceImages } from "../container/instance-images.ts";
import { containerPlacement } from "../container/placement.ts";
import { probeCommand } from "../container/probe-command.ts";
import { Admission, type Surroundings } from "../local/admission.ts";
import { projectNode } from "../local/local-target.ts";
import { LocalImage, LocalTask } from "../local/resources.ts";
import { serverContainer, taskContainer } from "./container.ts";
import { machineOfDaemon } from "./machine.ts";
import { dockerName, stackLabels } from "./names.ts";

/** What a Docker target is made for. */
export interface DockerTargetArgs extends DataSafetyArgs {
  /** The Pulumi project's name. */
  readonly project: string;
  /** The Pulumi stack's name. */
  readonly stack: string;
  /** The stack's folder on this machine, for the logs of what starts containers, e.g. `<checkout>/.lambda/stacks/demo`. */
  readonly folder: string;
  /** Where images come from and what they are called. Default: {@link defaultImageSettings}. */
  readonly images?: Partial<ImageSettings>;
  /**
   * What is added to a port that is published to give the port of 127.0.0.1 that leads to it: stacks side by side need
   * different ones. Default: 10000, so that 8080 is reached at 18080.
   */
  readonly portOffset?: number;
  /**
   * Whether containers may call out of the stack's network, as to a store that is elsewhere. Nobody may call in either
   * way. Default: false.
   */
  readonly egress?: boolean;
  /** The address of the Docker daemon. Default: DOCKER_HOST's, or the one that `docker` finds. */
  readonly host?: string;
  /** What the servers' demands are compared with. Default: the daemon's machine, as it is now. */
  readonly surroundings?: Surroundings;
}

/**
 * Runs servers as containers of one Docker daemon, in a network of the stack's own that leads nowhere else; what people
 * need is published on 127.0.0.1. Data is in named volumes, which outlive their containers. Before the first container is
 * made, and in previews, the daemon's machine is checked to have memory for all of them.
 */
export class DockerTarget implements Target {
  readonly name = "docker";
  readonly #args: Required<Omit<DockerTargetArgs, "images" | "host" | "surroundings">> & Pick<DockerTargetArgs, "host">;
  /** The images that its containers run. */
  readonly images: InstanceImages;
  readonly #admission: Admission;
  readonly #imageResources = new Map<string, LocalImage>();
  readonly #published = new Map<number, string>();
  #stackNetwork: docker.Network | undefined;
  #provider: docker.Provider | undefined;

  constructor(args: DockerTargetArgs) {
    this.#args = {
      portOffset: 10_000,
      egress: false,
      protect: false,
      deleteData: false,
      ...args,
      folder: resolve(args.folder),
    };
    const { project, stack, host, surroundings = machineOfDaemon(project, stack, host) } = args;
    this.#admission = new Admission(this.#args.folder, surroundings);
    this.images = new InstanceImages({ ...defaultImageSettings, ...args.images });
  }

  get java(): string {
    return this.images.java;
  }

  get node(): string {
    return this.images.node;
  }

  placement(identity: InstanceIdentity): Placement {
    return containerPlacement(identity, instanceName(identity));
  }

  published(identity: InstanceIdentity, port: number): string {
    return `127.0.0.1:${this.#publishedPort(identity, port)}`;
  }

  commandIn(identity: InstanceIdentity, command: readonly string[]): string[] {
    return this.#commandIn(this.#name(instanceName(identity)), command);
  }

  directory(distribution: Distribution): string {
    return this.images.directory(distribution);
  }

  program(entry: string, application?: string): string {
    return this.images.program(entry, application);
  }

  services({ replicas, ordered = false }: ServicesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
    const ready: pulumi.Resource[] = [];
    for (const args of replicas) ready.push(this.#service(args, opts, ordered ? ready.slice(-1) : []));
    return ready;
  }

  /** @returns what is there once the server is ready */
  #service(args: ServiceArgs, opts: pulumi.CustomResourceOptions, before: readonly pulumi.Resource[]): LocalTask {
    const { identity, readiness, readinessTimeout = 120, files = {} } = args;
    const name = instanceName(identity);
    const { address } = this.placement(identity);
    const image = this.images.imageOf(identity, args.command, args.distributions);
    const probe = probeCommand(readiness, address);
    const published = Object.fromEntries(
      (args.publishes ?? []).map((purpose) => {
        const port = args.ports[purpose];
        if (port === undefined) throw new TypeError(`${name}: publishes names ${purpose}, which is none of its ports`);
        return [this.#publishedPort(identity, port), port];
      }),
    );
    const { memory, cpu, ports } = args;
    // The disk is the daemon's, and what data is made for is kept there.
    const demand = { identity, memory, cpu, disk: 0, ports: Object.values(ports), permanent: {} };
    const admitted = this.#admission.admit(demand);
    const container = new docker.Container(
      name,
      serverContainer({
        ...this.#instance(identity, image, startCommand(args.prepare, args.command), args),
        memory,
        ...(args.stateful && { data: this.#volume(name, opts).name }),
        probe,
        readinessTimeout,
        stopSignal: args.stopSignal ?? "SIGTERM",
        stopGrace: args.stopGrace ?? 10,
        published,
      }),
      { ...this.#options(opts, image, before, admitted), deleteBeforeReplace: true },
    );
    const run = this.#run(`${name}-ready`, container, files, readinessTimeout + 60, [
      ...["--timeout", String(readinessTimeout), "--"],
      ...probe,
    ]);
    return new LocalTask(
      `${name}-ready`,
      // One that was stopped by hand does nothing: the next deployment sees that, and starts it.
      { ...run, checkCommand: this.#commandIn(container.name, ["true"]) },
      { ...opts, dependsOn: [container] },
    );
  }

  task(args: TaskArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const { identity, files = {}, deleteCommand, timeout = 120 } = args;
    const name = instanceName(identity);
    const image = this.images.imageOf(identity, args.command, args.distributions);
    const create = (suffix: string, command: readonly string[]) =>
      new docker.Container(
        `${name}-${suffix}`,
        taskContainer({
          ...this.#instance(identity, image, command, args),
          name: this.#name(`${name}-${suffix}`),
        }),
        { ...this.#options(opts, image), deleteBeforeReplace: true },
      );
    const container = create("run", args.command);
    const back = deleteCommand === undefined ? undefined : create("delete", deleteCommand);
    const run = this.#run(name, container, files, timeout);
    return new LocalTask(
      name,
      {
        ...run,
        ...(back !== undefined && { deleteCommand: this.#run(name, back, files, timeout).command }),
        triggers: [container.id, ...(args.triggers ?? [])],
        retries: args.retries ?? 0,
      },
      { ...opts, dependsOn: back === undefined ? [container] : [container, back] },
    );
  }

  /** A schedule is a service of its own: a small runner that starts the command at its times. */
  schedule(args: ScheduleArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const ready = `${mountedFolders.temporary}/ready`;
    const runner = this.program(modulePath("../local/schedule-runner.ts", import.meta.url));
    return this.#service(
      {
        ...args,
        command: [this.node, runner, "--cron", args.cron, "--ready", ready, "--", ...args.command],
        ports: {},
        readiness: { kind: "command", command: ["test", "-e", ready] },
        readinessTimeout: 30,
        memory: args.memory + scheduleRunnerMemory,
      },
      opts,
      [],
    );
  }

  #instance(
    identity: InstanceIdentity,
    image: InstanceImage,
    command: readonly string[],
    args: {
      readonly environment?: Readonly<Record<string, pulumi.Input<string>>>;
      readonly files?: Readonly<Record<string, File>>;
    },
  ) {
    const name = instanceName(identity);
    return {
      name: this.#name(name),
      address: this.placement(identity).address,
      image: image.reference,
      command,
      environment: args.environment ?? {},
      files: args.files ?? {},
      network: this.#network().name,
      labels: this.#labels(identity),
    };
  }

  /** What starts a container and looks how it goes, on this machine. */
  #run(
    name: string,
    container: docker.Container,
    files: Readonly<Record<string, File>>,
    timeout: number,
    rest: readonly string[] = [],
  ) {
    const { folder, host } = this.#args;
    const configuration = join(folder, name, "configuration");
    const program = bundleProgram({ entry: modulePath("./run-container.ts", import.meta.url) });
    return {
      stackFolder: folder,
      instance: name,
      address: "127.0.0.1",
      configuration,
      data: join(folder, "data", name),
      logs: join(folder, name, "logs"),
      command: [
        ...[projectNode(), program, "--container", container.name, "--files", configuration],
        ...["--user", String(userId), "--configuration", mountedFolders.configuration],
        ...rest,
      ],
      environment: (host === undefined ? {} : { DOCKER_HOST: host }) as Record<string, string>,
      files: Object.fromEntries(
        Object.entries(files).map(([path, { content, secret = false }]) => [
          path,
          { content: secret ? pulumi.secret(content) : content, secret },
        ]),
      ),
      // A look at what a task did would be a container of its own, in every preview.
      checkCommand: [],
      deleteCommand: [],
      triggers: [container.id],
      timeout,
      retries: 0,
    };
  }

  /** The command that runs `command` in a container that runs; in any other it fails. */
  #commandIn<Name>(container: Name, command: readonly string[]): (Name | string)[] {
    const host = this.#args.host === undefined ? [] : ["--host", this.#args.host];
    return ["docker", ...host, "exec", container, ...command];
  }

  #volume(name: string, opts: pulumi.CustomResourceOptions): docker.Volume {
    return new docker.Volume(
      `${name}-data`,
      { name: this.#name(`${name}-data`), labels: this.#stackLabels() },
      {
        ...this.#own(opts),
        retainOnDelete: !this.#args.deleteData,
        ...(this.#args.protect && { protect: true }),
      },
    );
  }

  /**
   * The network of the stack. An internal one could publish nothing; without masquerading, what is sent to the world
   * outside gets no answer either, which is meant unless there is `egress`.
   */
  #network(): docker.Network {
    this.#stackNetwork ??= new docker.Network(
      "network",
      {
        name: this.#name(""),
        options: {
          "com.docker.network.bridge.enable_ip_masquerade": String(this.#args.egress),
          // What is published without an address of its own would be open to everyone.
          "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
        },
        labels: this.#stackLabels(),
      },
      this.#own({}),
    );
    return this.#stackNetwork;
  }

  /** The options of a resource of the daemon's. */
  #own(opts: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
    const { host } = this.#args;
    if (host === undefined) return { ...opts };
    this.#provider ??= new docker.Provider("docker", { host });
    return { ...opts, provider: this.#provider };
  }

  #options(
    opts: pulumi.CustomResourceOptions,
    image: InstanceImage,
    before: readonly pulumi.Resource[] = [],
    admitted: Promise<void> = Promise.resolve(),
  ): pulumi.CustomResourceOptions {
    const others = pulumi.output(
      (opts.dependsOn ?? []) as pulumi.Input<pulumi.Resource | pulumi.Input<pulumi.Resource>[]>,
    );
    const needed = [this.#image(image), ...before];
    const all = pulumi.all([others, admitted]).apply(([resources]) => [...needed, ...[resources].flat()]);
    return { ...this.#own(opts), dependsOn: all as never };
  }

  /** The image as the daemon has it. */
  #image(image: InstanceImage): LocalImage {
    let resource = this.#imageResources.get(image.name);
    if (resource === undefined) {
      const { host } = this.#args;
      resource = new LocalImage(`${image.name}-image`, {
        reference: image.reference,
        content: image.content,
        settings: this.images.settings,
        ...(host !== undefined && { host }),
      });
      this.#imageResources.set(image.name, resource);
    }
    return resource;
  }

  #publishedPort(identity: InstanceIdentity, port: number): number {
    const name = instanceName(identity);
    const published = this.#args.portOffset + port + (identity.index ?? 0);
    const holder = this.#published.get(published) ?? name;
    if (holder !== name) throw new TypeError(`${holder} and ${name} would both be published at 127.0.0.1:${published}`);
    this.#published.set(published, name);
    return published;
  }

  #name(name: string): string {
    return dockerName(this.#args.project, this.#args.stack, name);
  }

  #labels({ component, role }: InstanceIdentity): Record<string, string> {
    const { project, stack } = this.#args;
    return {
      ...stackLabels(project, stack),
      "lambda-architecture.component": component,
      "lambda-architecture.role": role,
    };
  }

  #stackLabels() {
    const { project, stack } = this.#args;
    return Object.entries(stackLabels(project, stack)).map(([label, value]) => ({ label, value }));
  }
}

/** What the schedule's runner takes beside its runs, in MiB. */
const scheduleRunnerMemory = 60;
