import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Resource } from "@pulumi/pulumi";
// Not the whole of @pulumi/pulumi: it takes a second to load.
import * as engineLog from "@pulumi/pulumi/log/index.js";
import type { Provider } from "@pulumi/pulumi/provider/index.js";
import { type BuildOptions, ensureImage, hasImage } from "../../images/build.ts";
import { distributionDirectory, ensureDistribution } from "./distribution.ts";
import { type Context, DeploymentError, fileProblems, instanceFolder, markerOf } from "./instance.ts";
import { notePermanentValues } from "./permanent.ts";
import { portProblems } from "./ports.ts";
import { isInstanceProcess } from "./processes.ts";
import { Rolling } from "./rolling.ts";
import {
  deleteService,
  describeService,
  inspectService,
  needsRestart,
  replaceService,
  startService,
} from "./service.ts";
import {
  type DistributionInputs,
  type ImageInputs,
  providerVersion,
  type ServiceInputs,
  type ServiceState,
  type TaskInputs,
  type TaskState,
  unwrapSecrets,
} from "./state.ts";
import { deleteTask, inspectTask, runTask } from "./task.ts";

/** How the provider treats one type of resource. Values come without the wire's marks of secrets. */
interface Handler<Inputs, State extends Inputs = Inputs> {
  /** The properties whose change means another resource. */
  readonly identity: readonly (keyof Inputs & string)[];
  id(inputs: Inputs): string;
  check(olds: Inputs | undefined, news: Inputs): Promise<{ property: string; reason: string }[]>;
  create(inputs: Inputs, context: Context): Promise<Outputs<Inputs, State>>;
  update(olds: State, news: Inputs, context: Context): Promise<Outputs<Inputs, State>>;
  delete(state: State, context: Context): Promise<void>;
  /** What is not as it was deployed, a sentence each. */
  drift(state: State): Promise<string[]>;
  /** What a person should know of a change before it is made, a sentence each. Default: nothing */
  explain?(olds: State, news: Inputs): string[];
  /** What the refreshed state changes; undefined if the resource is gone. */
  read(state: State): Promise<Partial<Outputs<Inputs, State>> | undefined>;
}

/** What a state has beyond the inputs. */
type Outputs<Inputs, State> = Omit<State, keyof Inputs>;

function outputsOf({ pid, supervisor, log, running, drift }: ServiceState): Outputs<ServiceInputs, ServiceState> {
  return { pid, supervisor, log, running, drift };
}

const service = (rolling: Rolling): Handler<ServiceInputs, ServiceState> => ({
  identity: ["stackFolder", "instance"],
  id: markerOf,
  check: async (olds, news) => {
    const failures = fileProblems(news.files).map((reason) => ({ property: "files", reason }));
    // Checked in the preview already, so that a taken port is told before anything starts.
    if (olds?.address !== news.address || !isDeepStrictEqual(olds?.ports, news.ports)) {
      const own = async (pid: number) => isInstanceProcess(pid, markerOf(news));
      for (const problem of await portProblems(news.address, news.ports, own))
        failures.push({ property: `ports.${problem.purpose}`, reason: problem.message });
    }
    return failures;
  },
  create: async (inputs, context) => outputsOf(await startService(inputs, context)),
  update: async (olds, news, context) => {
    const { drift, pid } = await inspectService(olds);
    if (drift.length === 0 && !needsRestart(olds, news)) {
      await describeService(news);
      await notePermanentValues(news);
      return outputsOf(olds);
    }
    const restart = () => replaceService(olds, news, context);
    // What does not run is no loss to anyone, and may be what the others wait for.
    return outputsOf(pid === 0 ? await restart() : await rolling.restart(news, context, restart));
  },
  delete: deleteService,
  drift: async (state) => (await inspectService(state)).drift,
  read: async (state) => {
    if (!existsSync(instanceFolder(state))) return undefined;
    const { drift, pid } = await inspectService(state);
    return { pid, running: pid !== 0, drift };
  },
});

const task: Handler<TaskInputs, TaskState> = {
  identity: ["stackFolder", "instance"],
  id: markerOf,
  check: async (_, news) => fileProblems(news.files).map((reason) => ({ property: "files", reason })),
  create: async (inputs, context) => ({ log: (await runTask(inputs, context)).log, drift: [] }),
  update: async (_, news, context) => ({ log: (await runTask(news, context)).log, drift: [] }),
  delete: deleteTask,
  drift: inspectTask,
  // In a preview they are unknown where one of them is of what is yet to be made.
  explain: ({ triggers }, news) =>
    Array.isArray(news.triggers) ? news.triggers.filter((trigger) => !triggers.includes(trigger)) : [],
  read: async (state) => ({ drift: await inspectTask(state) }),
};

const distribution: Handler<DistributionInputs> = {
  identity: ["name"],
  id: ({ name }) => name,
  check: async (_, news) =>
    distributionDirectory(news) === news.directory
      ? []
      : [{ property: "parts", reason: `the files of ${news.name} changed during the deployment; try again` }],
  create: async (inputs, context) => {
    await ensureDistribution(inputs, { onProgress: context.status, signal: context.cancelled });
    return {};
  },
  update: async (_, news, context) => {
    await ensureDistribution(news, { onProgress: context.status, signal: context.cancelled });
    return {};
  },
  // The jars are a cache: other stacks use them too.
  delete: async () => {},
  drift: async ({ directory }) => (existsSync(directory) ? [] : [`${directory} is missing`]),
  read: async ({ directory }) => (existsSync(directory) ? {} : undefined),
};

const image: Handler<ImageInputs> = {
  identity: ["reference", "host"],
  id: ({ reference }) => reference,
  check: async () => [],
  create: async (inputs, context) => {
    await ensureImage(inputs.content, inputs.settings, inputs.reference, buildOptions(inputs, context));
    return {};
  },
  update: async (_, news, context) => {
    await ensureImage(news.content, news.settings, news.reference, buildOptions(news, context));
    return {};
  },
  // Other stacks may use it.
  delete: async () => {},
  drift: async (state) =>
    (await hasImage(state.reference, buildOptions(state))) ? [] : [`Docker has no image ${state.reference}`],
  read: async (state) => ((await hasImage(state.reference, buildOptions(state))) ? {} : undefined),
};

function buildOptions({ host }: ImageInputs, context?: Context): BuildOptions {
  return {
    ...(host !== undefined && { dockerHost: host }),
    ...(context && { onProgress: context.status, signal: context.cancelled }),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: which handler gets which inputs is the type token's doing
const createHandlers = (): Readonly<Record<string, Handler<any, any>>> => ({
  "local:index:Service": service(new Rolling()),
  "local:index:Task": task,
  "local:index:Distribution": distribution,
  "local:index:Image": image,
});

/** The provider of the local target's resources. */
export class LocalProvider implements Provider {
  readonly version = providerVersion;
  readonly #cancelled = new AbortController();
  readonly #handlers = createHandlers();
  readonly #underWay = new Set<Promise<unknown>>();

  async check(urn: string, olds: unknown, news: unknown) {
    const before = unwrapSecrets(olds) as Record<string, unknown> | undefined;
    const known = before !== undefined && Object.keys(before).length > 0 ? before : undefined;
    return { inputs: news, failures: await this.#handlerOf(urn).check(known, unwrapSecrets(news)) };
  }

  async diff(_id: string, urn: string, olds: unknown, news: unknown) {
    const handler = this.#handlerOf(urn);
    const [before, after] = [unwrapSecrets(olds), unwrapSecrets(news)] as Record<string, unknown>[];
    const replaces = handler.identity.filter((property) => !isDeepStrictEqual(before?.[property], after?.[property]));
    if (replaces.length > 0) return { changes: true, replaces: [...replaces], deleteBeforeReplace: true };
    const changed = Object.keys(after ?? {}).some((name) => !isDeepStrictEqual(before?.[name], after?.[name]));
    if (changed) {
      for (const sentence of handler.explain?.(before, after) ?? []) log(urn, sentence);
      return { changes: true };
    }
    const drift = await handler.drift(before);
    for (const sentence of drift) log(urn, sentence);
    return { changes: drift.length > 0 };
  }

  async create(urn: string, inputs: object) {
    const handler = this.#handlerOf(urn);
    const plain = unwrapSecrets(inputs);
    // The inputs go into the state as they came: what is secret stays so.
    return {
      id: handler.id(plain),
      outs: { ...inputs, ...(await this.#track(handler.create(plain, this.#context(urn)))) },
    };
  }

  async read(id: string, urn: string, props?: object) {
    // Nothing to import: what this provider did not make it does not know.
    if (props === undefined || !("stackFolder" in props || "directory" in props || "reference" in props))
      return { id: "", props: {} };
    const changes = await this.#handlerOf(urn).read(unwrapSecrets(props));
    return changes === undefined ? { id: "", props: {} } : { id, props: { ...props, ...changes } };
  }

  async update(_id: string, urn: string, olds: object, news: object) {
    const update = this.#handlerOf(urn).update(unwrapSecrets(olds), unwrapSecrets(news), this.#context(urn));
    const outputs = await this.#track(update);
    return { outs: { ...news, ...outputs } };
  }

  async delete(_id: string, urn: string, props: object) {
    await this.#track(this.#handlerOf(urn).delete(unwrapSecrets(props), this.#context(urn)));
  }

  /** Ends what is under way, servers that are not ready yet are stopped again, and waits for it. */
  async cancel() {
    this.#cancelled.abort();
    await Promise.allSettled(this.#underWay);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const done = () => this.#underWay.delete(work);
    work.then(done, done);
    return work;
  }

  #handlerOf(urn: string): Handler<unknown, unknown> {
    const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const handler = this.#handlers[token];
    if (handler === undefined) throw new DeploymentError(`The local target has no resource ${token}.`);
    return handler;
  }

  #context(urn: string): Context {
    return {
      cancelled: this.#cancelled.signal,
      status: (message) => log(urn, message, true),
      warn: (message) => void engineLog.warn(message, resourceOf(urn)),
    };
  }
}

function log(urn: string, message: string, ephemeral = false): void {
  void engineLog.info(message, resourceOf(urn), undefined, ephemeral);
}

/** The logger only asks for the resource's name. */
function resourceOf(urn: string): Resource {
  return { urn: { promise: async () => urn } } as unknown as Resource;
}
