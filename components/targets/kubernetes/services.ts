import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { mountedFolders as folders } from "../../images/layout.ts";
import { InputErrors } from "../../input-errors.ts";
import { instanceName, type ServiceArgs, type ServicesArgs } from "../../target.ts";
import { startCommand } from "../container/command.ts";
import {
  copyOwnFiles,
  type EntrySources,
  entriesOf,
  entriesOfReplicas,
  filesVolume,
  replicaFilesVolume,
} from "./files.ts";
import { folderMounts, passingData, passingVolumes, replicaFiles } from "./folders.ts";
import { type Network, podAddress, podName, selector, serviceDomain, workloadName } from "./names.ts";
import { container, type ProgramSpec, podSpec, probes } from "./pods.ts";
import { type CommonService, commonService } from "./replicas.ts";
import { preparationTime, type StackNamespace } from "./stack-namespace.ts";

type Container = kubernetes.types.input.core.v1.Container;
type EnvVar = kubernetes.types.input.core.v1.EnvVar;
type PodTemplateSpec = kubernetes.types.input.core.v1.PodTemplateSpec;
type CustomOptions = pulumi.CustomResourceOptions;

/** Memory of the shell that copies files, in MiB. */
const shellMemory = 32;

/** A role's workload: what is made from for all of its parts. */
interface Workload {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The first replica, which has in common with the others what is not in `common`. */
  readonly first: ServiceArgs;
  readonly common: CommonService;
  readonly replicas: readonly ServiceArgs[];
  /** Whether the replicas have an index, and so an address each. */
  readonly indexed: boolean;
  readonly stateful: boolean;
  readonly ordered: boolean;
}

/**
 * The servers of a role: a StatefulSet if they keep data or have an address each, else a Deployment.
 *
 * @throws {pulumi.InputPropertiesError} naming instance and argument, if Kubernetes cannot do as they say
 */
export function createServices(
  namespace: StackNamespace,
  { replicas, ordered = false }: ServicesArgs,
  opts: CustomOptions,
): pulumi.Resource[] {
  const [first] = replicas;
  if (first === undefined) return [];
  for (const replica of replicas) checkService(replica);
  const { network } = namespace;
  const common = commonService(replicas, (identity) =>
    identity.index === undefined ? undefined : { address: podAddress(identity, network), name: podName(identity) },
  );
  const workload: Workload = {
    name: workloadName(first.identity),
    labels: selector(first.identity.component, first.identity.role),
    first,
    common,
    replicas,
    indexed: first.identity.index !== undefined,
    stateful: first.stateful ?? false,
    ordered,
  };
  const aside = namespace.aside(opts);
  const ports = common.clientPorts.map((purpose) => common.ports[purpose] as number);
  namespace.openWays(first.identity, ports, aside);
  createHeadlessService(namespace, workload, aside);
  if (replicas.length > 1) createDisruptionBudget(namespace, workload, aside);
  const sources = createFiles(namespace, workload, aside);
  const template = createTemplate(namespace, workload, sources, aside);
  const options = pulumi.mergeOptions(opts, { dependsOn: [...sources.resources] });
  return [
    workload.indexed || workload.stateful
      ? createStatefulSet(namespace, workload, template, options)
      : createDeployment(namespace, workload, template, options),
  ];
}

function checkService({ identity, ports, clientPorts = [], stopSignal = "SIGTERM" }: ServiceArgs): void {
  const errors = new InputErrors(`Kubernetes: ${instanceName(identity)}`);
  errors.check(
    stopSignal === "SIGTERM",
    "stopSignal",
    `must be SIGTERM, the only signal with which Kubernetes stops a server; it is ${stopSignal}`,
  );
  for (const purpose of Object.keys(ports)) {
    errors.check(
      /^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(purpose),
      `ports.${purpose}`,
      "must have a name of at most 15 lower-case letters, digits and hyphens",
    );
  }
  for (const purpose of clientPorts)
    errors.check(Object.hasOwn(ports, purpose), "clientPorts", `must name ports; ${JSON.stringify(purpose)} is none`);
  errors.throwIfAny();
}

/** The name under which DNS knows the pods, ready or not: a server must find itself and its peers to get ready. */
function createHeadlessService(
  namespace: StackNamespace,
  { name, labels, first, common }: Workload,
  aside: CustomOptions,
): void {
  // One that starts beside another has nobody to find, and is not to be found before it answers.
  const publishNotReadyAddresses = first.overlaps !== true;
  const ports = Object.entries(common.ports).map(([purpose, port]) => ({ name: purpose, port, targetPort: port }));
  new kubernetes.core.v1.Service(
    name,
    {
      // Pulumi would wait for its pods, which come after it.
      metadata: { ...namespace.metadata(name, labels), annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { clusterIP: "None", publishNotReadyAddresses, selector: { ...labels }, ports },
    },
    aside,
  );
}

/** Whoever empties nodes takes one replica at a time. */
function createDisruptionBudget(namespace: StackNamespace, { name, labels }: Workload, aside: CustomOptions): void {
  new kubernetes.policy.v1.PodDisruptionBudget(
    name,
    {
      metadata: namespace.metadata(name, labels),
      spec: { maxUnavailable: 1, selector: { matchLabels: { ...labels } } },
    },
    aside,
  );
}

function createFiles(
  namespace: StackNamespace,
  { name, first, replicas, indexed }: Workload,
  aside: CustomOptions,
): EntrySources {
  const { files = {} } = first;
  if (!indexed) return namespace.createEntries(name, entriesOf(files), entriesOf(files), aside);
  const all = entriesOfReplicas(replicas.map((replica) => replica.files ?? {}));
  // Further replicas leave the pods alone that are there; what all are told, the first one is told too.
  return namespace.createEntries(name, all, entriesOfReplicas([files]), aside);
}

function createTemplate(
  namespace: StackNamespace,
  workload: Workload,
  sources: EntrySources,
  aside: CustomOptions,
): PodTemplateSpec {
  const { name, labels, first, replicas, common, indexed, stateful } = workload;
  const environment = [
    ...(indexed ? podVariables(name, namespace.network) : []),
    ...namespace.createEnvironment(name, common.environment, aside),
    { name: "TMPDIR", value: folders.temporary },
  ];
  const program = namespace.programSpec(first, environment);
  return {
    metadata: { labels: namespace.podLabels(first.identity, replicas) },
    spec: {
      ...podSpec({
        ...namespace.podArgs(name, labels, aside),
        initContainers: indexed ? [configureContainer(program)] : [],
        containers: [serverContainer(workload, program)],
        volumes: [
          ...(indexed
            ? [{ name: "configuration", emptyDir: {} }, replicaFilesVolume("files", sources)]
            : [filesVolume("configuration", first.files ?? {}, sources)]),
          ...(stateful ? [] : [passingData]),
          ...passingVolumes,
        ],
        stopGrace: first.stopGrace ?? 10,
        ...(replicas.length > 1 && { spread: labels }),
      }),
      // The pods of a StatefulSet get these from it.
      ...(indexed || stateful ? {} : { hostname: podName(first.identity), subdomain: name }),
    },
  };
}

/** What a pod is called, for what differs between replicas. */
function podVariables(name: string, network: Network): EnvVar[] {
  return [
    { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "POD_ADDRESS", value: `$(POD_NAME).${serviceDomain(name, network)}` },
  ];
}

function configureContainer(program: Omit<ProgramSpec, "mounts" | "workingDirectory">): Container {
  return container("configure", copyOwnFiles(replicaFiles, folders.configuration), {
    ...program,
    memory: shellMemory,
    workingDirectory: "/",
    mounts: [
      { name: "files", mountPath: replicaFiles, readOnly: true },
      { name: "configuration", mountPath: folders.configuration },
    ],
  });
}

function serverContainer(
  { first, common }: Workload,
  program: Omit<ProgramSpec, "mounts" | "workingDirectory">,
): Container {
  const { command, prepare, ports, readiness } = common;
  return {
    ...container("server", startCommand(prepare, command), {
      ...program,
      workingDirectory: folders.data,
      mounts: folderMounts,
    }),
    ports: Object.entries(ports).map(([purpose, port]) => ({ name: purpose, containerPort: port })),
    ...probes(readiness, ports, first.readinessTimeout ?? defaultReadinessTimeout),
  };
}

const defaultReadinessTimeout = 120;

/** Seconds that the workload may take to get ready, all replicas together. */
function timeOf({ first, replicas, ordered }: Workload): number {
  return preparationTime + (first.readinessTimeout ?? defaultReadinessTimeout) * (ordered ? replicas.length : 1);
}

/**
 * Replicas with a name, an address and, if they keep data, a volume each. A change goes from the last one to the first,
 * each when the one before is ready again.
 */
function createStatefulSet(
  namespace: StackNamespace,
  workload: Workload,
  template: PodTemplateSpec,
  opts: CustomOptions,
): pulumi.Resource {
  const { name, labels, replicas, ordered, stateful } = workload;
  const { storageClass, volumeSize = "10Gi", deleteData = false } = namespace.args;
  return new kubernetes.apps.v1.StatefulSet(
    name,
    {
      metadata: namespace.metadata(name, labels),
      spec: {
        serviceName: name,
        replicas: replicas.length,
        selector: { matchLabels: { ...labels } },
        podManagementPolicy: ordered ? "OrderedReady" : "Parallel",
        updateStrategy: { type: "RollingUpdate" },
        // A server that is ready has yet to catch up with its peers before the next one may go.
        ...(replicas.length > 1 && { minReadySeconds: 5 }),
        template,
        ...(stateful && {
          persistentVolumeClaimRetentionPolicy: { whenDeleted: deleteData ? "Delete" : "Retain", whenScaled: "Retain" },
          volumeClaimTemplates: [
            {
              metadata: { name: "data" },
              spec: {
                accessModes: ["ReadWriteOnce"],
                ...(storageClass !== undefined && { storageClassName: storageClass }),
                resources: { requests: { storage: namespace.roles.of("volumeSizes", name) ?? volumeSize } },
              },
            },
          ],
        }),
      },
    },
    namespace.options(opts, timeOf(workload), stateful),
  );
}

/** One server that keeps nothing. */
function createDeployment(
  namespace: StackNamespace,
  workload: Workload,
  template: PodTemplateSpec,
  opts: CustomOptions,
): pulumi.Resource {
  const { name, labels } = workload;
  const time = timeOf(workload);
  return new kubernetes.apps.v1.Deployment(
    name,
    {
      metadata: namespace.metadata(name, labels),
      spec: {
        replicas: 1,
        selector: { matchLabels: { ...labels } },
        // Two at once have one address: that is for those alone that may.
        strategy: workload.first.overlaps
          ? { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
          : { type: "Recreate" },
        progressDeadlineSeconds: time,
        template,
      },
    },
    namespace.options(opts, time),
  );
}
