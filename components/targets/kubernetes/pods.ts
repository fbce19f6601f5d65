import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Readiness } from "../../target.ts";
import { probeCommand, probeLimit } from "../container/probe-command.ts";
import { ownAddress } from "./replicas.ts";
import { withShellVariables } from "./shell.ts";

type Container = types.input.core.v1.Container;
type EnvVar = types.input.core.v1.EnvVar;
type PodSpec = types.input.core.v1.PodSpec;
type Probe = types.input.core.v1.Probe;
type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;

/** What one program in a pod is: what the main container and those before it have in common. */
export interface ProgramSpec {
  readonly image: pulumi.Input<string>;
  readonly environment: readonly EnvVar[];
  readonly mounts: readonly VolumeMount[];
  /** The folder in which it starts. */
  readonly workingDirectory: string;
  /** MiB, asked for and allowed. */
  readonly memory: number;
  /** What is asked for, e.g. `100m`. */
  readonly cpu: string;
}

/** Cores as Kubernetes writes them itself, so that what it answers with is no change. */
export function cpuQuantity(cores: number): string {
  const thousandths = Math.ceil(Math.round(cores * 1e6) / 1000);
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}

/**
 * A container that may do nothing but run its program, as Pod Security's `restricted` wants it. The image's own first
 * process starts it.
 */
export function container(name: string, command: readonly string[], program: ProgramSpec): Container {
  return {
    name,
    image: program.image,
    args: [...command],
    env: [...program.environment],
    workingDir: program.workingDirectory,
    volumeMounts: [...program.mounts],
    resources: {
      requests: { memory: `${program.memory}Mi`, cpu: program.cpu },
      limits: { memory: `${program.memory}Mi` },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
  };
}

/** What a pod is beside its containers. */
export interface PodArgs {
  readonly serviceAccount: pulumi.Input<string>;
  /** The user and group of the programs, and the group of the volumes. */
  readonly user: number;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly Volume[];
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopGrace: number;
  /** The pods that should not share a node. Default: this one may be anywhere. */
  readonly spread?: Readonly<Record<string, string>>;
  readonly imagePullSecrets: readonly string[];
}

/** A pod without a token, without privileges and without a writable root. */
export function podSpec(args: PodArgs): PodSpec {
  return {
    serviceAccountName: args.serviceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: args.user,
      runAsGroup: args.user,
      fsGroup: args.user,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationGracePeriodSeconds: args.stopGrace,
    ...(args.initContainers?.length && { initContainers: [...args.initContainers] }),
    containers: [...args.containers],
    volumes: [...args.volumes],
    ...(args.spread && { topologySpreadConstraints: spreadConstraints(args.spread) }),
    ...(args.imagePullSecrets.length > 0 && { imagePullSecrets: args.imagePullSecrets.map((name) => ({ name })) }),
  };
}

/** No two replicas on a node as long as there are nodes enough, and over all zones where that can be had. */
function spreadConstraints(matchLabels: Readonly<Record<string, string>>) {
  const constraint = { maxSkew: 1, labelSelector: { matchLabels } };
  return [
    { ...constraint, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule" },
    { ...constraint, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway" },
  ];
}

/** Seconds between two probes. */
const probePeriod = 5;

/**
 * When a pod takes part, by the server's own protocol; and when its server is started anew: if it does not listen
 * within twice the time that it has to get ready, or for a minute later on. Not if it is not ready: it may well wait
 * for others.
 *
 * @param ports the server's ports; one without any is never started anew
 * @param timeout seconds that a server has to get ready
 */
export function probes(
  readiness: Readiness,
  ports: Readonly<Record<string, number>>,
  timeout: number,
): { readinessProbe: Probe; startupProbe?: Probe; livenessProbe?: Probe } {
  const readinessProbe = { ...readinessCheck(readiness), periodSeconds: probePeriod, timeoutSeconds: probeLimit };
  const [port] = "port" in readiness && readiness.kind === "tcp" ? [readiness.port] : Object.values(ports);
  if (port === undefined) return { readinessProbe };
  const listens = { tcpSocket: { port }, timeoutSeconds: probeLimit };
  return {
    readinessProbe,
    startupProbe: { ...listens, periodSeconds: probePeriod, failureThreshold: Math.ceil((2 * timeout) / probePeriod) },
    livenessProbe: { ...listens, periodSeconds: 10, failureThreshold: 6 },
  };
}

/** Where the kubelet can ask by itself it does; a command costs a process in the container each time. */
function readinessCheck(readiness: Readiness): Probe {
  if (readiness.kind === "tcp" && readiness.expect === undefined) return { tcpSocket: { port: readiness.port } };
  if (readiness.kind === "http" && readiness.expect === undefined && readiness.address === undefined)
    return { httpGet: { port: readiness.port, path: readiness.path, scheme: "HTTP" } };
  return { exec: { command: withShellVariables(probeCommand(readiness, ownAddress)) } };
}
