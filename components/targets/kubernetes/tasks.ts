import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { mountedFolders as folders } from "../../images/layout.ts";
import type { ScheduleArgs, TaskArgs } from "../../target.ts";
import { taskCpu, taskMemory } from "../container/task-size.ts";
import { entriesOf, filesVolume } from "./files.ts";
import { folderMounts, passingData, passingVolumes } from "./folders.ts";
import { contentHash, selector, workloadName } from "./names.ts";
import { container, type PodArgs, type ProgramSpec, podSpec } from "./pods.ts";
import { withPlaceholders } from "./replicas.ts";
import { preparationTime, type StackNamespace } from "./stack-namespace.ts";

type PodSpec = kubernetes.types.input.core.v1.PodSpec;
type CustomOptions = pulumi.CustomResourceOptions;

/**
 * A command that runs once. Pulumi waits for its end and fails with it.
 *
 * @returns a Job; or, for what has to be taken back, a Deployment, see {@link createKeeper}
 */
export function createTask(namespace: StackNamespace, args: TaskArgs, opts: CustomOptions): pulumi.Resource {
  const { deleteCommand } = args;
  return deleteCommand === undefined
    ? createJob(namespace, args, opts)
    : createKeeper(namespace, { ...args, deleteCommand }, opts);
}

/** A Job. What it runs is in its name: Kubernetes changes no Job, and a change is to run again. */
function createJob(namespace: StackNamespace, args: TaskArgs, opts: CustomOptions): pulumi.Resource {
  const { name, labels } = named(args);
  const time = timeOf(args);
  const { program, pod, options } = createProgram(namespace, { ...args, ...taskSize }, opts);
  return new kubernetes.batch.v1.Job(
    name,
    {
      metadata: namespace.metadata(name, labels, taskHash(args, program)),
      spec: {
        backoffLimit: args.retries ?? 0,
        activeDeadlineSeconds: time,
        template: template(namespace, args, {
          ...pod,
          containers: [container("task", literal(args.command), program)],
        }),
      },
    },
    namespace.options(options, time),
  );
}

/**
 * What has to be taken back: a pod that runs the task before it starts, and takes it back before it ends. In between it
 * waits.
 */
function createKeeper(
  namespace: StackNamespace,
  args: TaskArgs & Required<Pick<TaskArgs, "deleteCommand">>,
  opts: CustomOptions,
): pulumi.Resource {
  const { name, labels } = named(args);
  const time = timeOf(args);
  const { program, pod, options } = createProgram(namespace, { ...args, ...taskSize }, opts);
  const waiting = container("keeper", ["sleep", "infinity"], program);
  const { metadata, spec } = template(namespace, args, {
    ...pod,
    initContainers: [container("task", literal(args.command), program)],
    containers: [{ ...waiting, lifecycle: { preStop: { exec: { command: [...args.deleteCommand] } } } }],
    stopGrace: args.timeout ?? defaultTimeout,
  });
  return new kubernetes.apps.v1.Deployment(
    name,
    {
      metadata: namespace.metadata(name, labels),
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        // The old one is taken back before the new one runs.
        strategy: { type: "Recreate" },
        progressDeadlineSeconds: time,
        template: {
          metadata: { ...metadata, annotations: { "lambda-architecture/task": taskHash(args, program) } },
          spec: { ...spec, restartPolicy: "Always" },
        },
      },
    },
    namespace.options(options, time + (args.timeout ?? defaultTimeout)),
  );
}

/** A CronJob, whose runs never overlap. */
export function createSchedule(namespace: StackNamespace, args: ScheduleArgs, opts: CustomOptions): pulumi.Resource {
  const { name, labels } = named(args);
  const { program, pod, options } = createProgram(namespace, args, opts);
  return new kubernetes.batch.v1.CronJob(
    name,
    {
      metadata: namespace.metadata(name, labels),
      spec: {
        schedule: args.cron,
        timeZone: "Etc/UTC",
        concurrencyPolicy: "Forbid",
        // Later than this a run that was missed waits for the next time.
        startingDeadlineSeconds: 300,
        jobTemplate: {
          spec: {
            backoffLimit: 0,
            template: template(namespace, args, {
              ...pod,
              containers: [container("run", literal(args.command), program)],
            }),
          },
        },
      },
    },
    namespace.options(options, preparationTime),
  );
}

const defaultTimeout = 120;

/** What every task takes. */
const taskSize = { memory: taskMemory, cpu: taskCpu };

function named({ identity }: Pick<TaskArgs, "identity">) {
  return { name: workloadName(identity), labels: selector(identity.component, identity.role) };
}

/** Seconds that a task may take, with all that it may be tried again and its preparation. */
function timeOf({ timeout = defaultTimeout, retries = 0 }: TaskArgs): number {
  return preparationTime + timeout * (retries + 1);
}

/** What a task's or schedule's program runs with. */
function createProgram(
  namespace: StackNamespace,
  args: Pick<ScheduleArgs, "identity" | "command" | "environment" | "files" | "distributions" | "memory" | "cpu">,
  opts: CustomOptions,
) {
  const { name, labels } = named(args);
  const { files = {} } = args;
  const aside = namespace.aside(opts);
  namespace.openWays(args.identity, [], aside);
  const sources = namespace.createEntries(name, entriesOf(files), entriesOf(files), aside);
  const environment = [
    ...namespace.createEnvironment(name, args.environment ?? {}, aside),
    { name: "TMPDIR", value: folders.temporary },
  ];
  const program: ProgramSpec = {
    ...namespace.programSpec(args, environment),
    mounts: folderMounts,
    workingDirectory: folders.data,
  };
  const volumes = [filesVolume("configuration", files, sources), passingData, ...passingVolumes];
  const pod = { ...namespace.podArgs(name, labels, aside), volumes, stopGrace: 10 };
  return { program, pod, options: pulumi.mergeOptions(opts, { dependsOn: [...sources.resources] }) };
}

function template(
  namespace: StackNamespace,
  args: Pick<TaskArgs, "identity" | "command" | "environment" | "files">,
  pod: PodArgs,
) {
  const spec: PodSpec = { ...podSpec(pod), restartPolicy: "Never" };
  return { metadata: { labels: namespace.podLabels(args.identity, [args]) }, spec };
}

/** The command as Kubernetes takes it where nothing is to be put in. */
function literal(command: readonly string[]): string[] {
  return command.map((part) => withPlaceholders(part, undefined));
}

/** The hash of all that makes a task run again. */
function taskHash(args: TaskArgs, { image }: ProgramSpec): pulumi.Output<string> {
  const { command, environment = {}, files = {}, triggers = [] } = args;
  const content = pulumi.output({
    image,
    command: [...command],
    environment: { ...environment },
    files: Object.fromEntries(Object.entries(files).map(([path, file]) => [path, file.content])),
    triggers: [...triggers],
  });
  return pulumi.unsecret(content.apply((known) => contentHash(JSON.stringify(known))));
}
