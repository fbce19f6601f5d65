import { startCommand } from "../../components/targets/container/command.ts";
import { unwrapSecrets } from "../../components/targets/local/state.ts";
import type { RecordedResource } from "../support/recorded-resources.ts";

/** A server, task or schedule as a target would deploy it. */
export interface DeployedInstance {
  readonly kind: "server" | "task" | "schedule";
  /** With what comes before each start. */
  readonly command: readonly string[];
  readonly deleteCommand?: readonly string[];
  /** Contents by path. */
  readonly files: Readonly<Record<string, string>>;
  /** MiB; only of servers, and only where a target says it. */
  readonly memory?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: inputs of every kind of resource, of which a few are read
type Inputs = any;

/** Finds the instances, by name, in what a target asked Pulumi for. */
export type Reader = (resources: readonly RecordedResource[]) => Map<string, DeployedInstance>;

/** The local target's instances. */
export const readLocal: Reader = (resources) => {
  const found = new Map<string, DeployedInstance>();
  for (const { type, inputs } of resources) {
    if (!/^local:index:(Service|Task)$/.test(type)) continue;
    const { instance, command, prepare = [], deleteCommand = [], files, memory } = unwrapSecrets(inputs) as Inputs;
    const contents = contentsOf(files);
    if (command.includes("--cron"))
      found.set(instance, { kind: "schedule", command: scheduled(command), files: contents });
    else if (type.endsWith("Task")) {
      found.set(instance, {
        kind: "task",
        command,
        files: contents,
        ...(deleteCommand.length > 0 && { deleteCommand }),
      });
    } else found.set(instance, { kind: "server", command: startCommand(prepare, command), files: contents, memory });
  }
  return found;
};

/** The instances of Kubernetes: those of a StatefulSet one by one. */
export const readKubernetes: Reader = (resources) => {
  const all = resources.map(({ type, inputs }) => ({
    kind: type.split(":").at(-1),
    inputs: unwrapSecrets(inputs) as Inputs,
  }));
  const stores = new Map<string, Record<string, string>>(
    all
      .filter(({ kind }) => kind === "ConfigMap" || kind === "Secret")
      .map(({ kind, inputs }) => [`${kind} ${inputs.metadata.name}`, inputs.data ?? inputs.stringData]),
  );
  const filesOf = (pod: Inputs, index: number): Record<string, string> => {
    const volume = pod.volumes.find(({ projected }: Inputs) => projected !== undefined);
    return Object.fromEntries(
      (volume?.projected.sources ?? []).flatMap(({ configMap, secret }: Inputs) => {
        const source = configMap ?? secret;
        const store = stores.get(`${configMap === undefined ? "Secret" : "ConfigMap"} ${source.name}`) ?? {};
        if (source.items !== undefined) return source.items.map(({ key, path }: Inputs) => [path, store[key]]);
        return Object.entries(store)
          .filter(([key]) => key.startsWith(`${index}.`))
          .map(([key, content]) => [key.slice(`${index}.`.length).replaceAll("__", "/"), content]);
      }),
    );
  };
  const found = new Map<string, DeployedInstance>();
  for (const { kind, inputs } of all) {
    const name: string = inputs.metadata?.name;
    const pod = inputs.spec?.template?.spec ?? inputs.spec?.jobTemplate?.spec.template.spec;
    if (pod === undefined) continue;
    const [container] = pod.containers;
    const [initial] = pod.initContainers ?? [];
    if (kind === "Job" || kind === "CronJob") {
      const instance = kind === "Job" ? name.replace(/-[0-9a-f]{10}$/, "") : name;
      found.set(instance, {
        kind: kind === "Job" ? "task" : "schedule",
        command: container.args.map(withoutEscape),
        files: filesOf(pod, 0),
      });
    } else if (container.lifecycle?.preStop !== undefined) {
      found.set(name, {
        kind: "task",
        command: initial.args.map(withoutEscape),
        deleteCommand: container.lifecycle.preStop.exec.command,
        files: filesOf(pod, 0),
      });
    } else {
      const indexed = initial?.name === "configure";
      for (let index = 0; index < inputs.spec.replicas; index++) {
        const instance = indexed ? `${name}-${index}` : name;
        const address = container.env.find((each: Inputs) => each.name === "POD_ADDRESS")?.value ?? "";
        found.set(instance, {
          kind: "server",
          command: container.args.map((word: string) =>
            withoutEscape(
              word
                .replaceAll("$(POD_ADDRESS)", address.replace("$(POD_NAME)", instance))
                .replaceAll("$(POD_NAME)", instance),
            ),
          ),
          files: filesOf(pod, index),
          memory: Number.parseInt(container.resources.limits.memory, 10),
        });
      }
    }
  }
  return found;
};

function withoutEscape(word: string): string {
  return word.replaceAll("$$(", () => "$(");
}

/** The instances of Docker: a container each, with what puts files into it and starts it. */
export const readDocker: Reader = (resources) => {
  const all = resources.map(({ type, name, inputs }) => ({ type, name, inputs: unwrapSecrets(inputs) as Inputs }));
  const files = new Map<string, Record<string, string>>(
    all.filter(({ type }) => type === "local:index:Task").map(({ name, inputs }) => [name, contentsOf(inputs.files)]),
  );
  const commands = new Map<string, string[]>();
  const found = new Map<string, DeployedInstance>();
  const containers = all.filter(({ type }) => type === "docker:index/container:Container");
  for (const { name, inputs } of containers) commands.set(name, inputs.command);
  for (const { name, inputs } of containers) {
    const { command, memory } = inputs;
    if (name.endsWith("-delete")) continue;
    if (name.endsWith("-run")) {
      const task = name.slice(0, -"-run".length);
      const deleteCommand = commands.get(`${task}-delete`);
      found.set(task, { kind: "task", command, files: files.get(task) ?? {}, ...(deleteCommand && { deleteCommand }) });
    } else if (command.includes("--cron"))
      found.set(name, { kind: "schedule", command: scheduled(command), files: files.get(`${name}-ready`) ?? {} });
    else found.set(name, { kind: "server", command, files: files.get(`${name}-ready`) ?? {}, memory });
  }
  return found;
};

function contentsOf(files: Readonly<Record<string, { readonly content: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, { content }]) => [path, content]));
}

/** What the schedule's runner runs: after `--cron EXPRESSION --ready FILE --`. */
function scheduled(command: readonly string[]): string[] {
  return command.slice(command.indexOf("--cron") + 5);
}
