import { createHash } from "node:crypto";
import { type InstanceIdentity, instanceName } from "../../target.ts";

/**
 * The name of what runs the replicas of a role, and of the Service under which they are found: `kafka-broker` for the
 * instances `kafka-broker-0` to `kafka-broker-2`.
 */
export function workloadName({ component, role }: InstanceIdentity): string {
  return instanceName({ component, role });
}

/** The name of an instance's pod. A role without replicas has the pod of index 0. */
export function podName(identity: InstanceIdentity): string {
  return `${workloadName(identity)}-${identity.index ?? 0}`;
}

/** Where a stack's pods are found. */
export interface Network {
  readonly namespace: string;
  /** The cluster's domain, `cluster.local` nearly everywhere. */
  readonly clusterDomain: string;
}

/**
 * An instance's DNS name. It is the pod's own name for itself too, in its /etc/hosts, so that a server can bind to it
 * before the cluster's DNS knows of the pod.
 */
export function podAddress(identity: InstanceIdentity, network: Network): string {
  return `${podName(identity)}.${serviceDomain(workloadName(identity), network)}`;
}

/** The workloads whose addresses stand in the text. */
export function workloadsIn(text: string, { namespace, clusterDomain }: Network): Set<string> {
  const domain = `${namespace}.svc.${clusterDomain}`.replaceAll(".", "\\.");
  return new Set([...text.matchAll(new RegExp(`\\.([a-z0-9-]+)\\.${domain}`, "g"))].map((match) => match[1] as string));
}

/** The domain of a Service, and of its pods. */
export function serviceDomain(service: string, { namespace, clusterDomain }: Network): string {
  return `${service}.${namespace}.svc.${clusterDomain}`;
}

/** The labels that tell the pods of a role, or of a whole component, from all others of the namespace. */
export function selector(component: string, role?: string): Record<string, string> {
  return {
    "app.kubernetes.io/name": component,
    ...(role !== undefined && { "app.kubernetes.io/component": role }),
  };
}

/** The label of pods that may call the component's client ports. Others may wear it as well. */
export function clientLabel(component: string): string {
  return `lambda-architecture/client-of-${component}`;
}

/**
 * What Kubernetes cannot name so. A StatefulSet's name stands in a label of its pods, with a hash of ten characters.
 *
 * @returns undefined if it can
 */
export function nameProblem(identity: InstanceIdentity): string | undefined {
  const name = workloadName(identity);
  if (!/^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name))
    return `must be lower-case letters, digits and hyphens, from a letter on; with the role it is ${JSON.stringify(name)}`;
  if (name.length > longestName)
    return `must be at most ${longestName - identity.role.length - 1} characters; it is ${JSON.stringify(identity.component)}`;
  return undefined;
}

const longestName = 52;

/** The namespace of a stack, unless one is chosen: project and stack, as far as Kubernetes takes them. */
export function defaultNamespace(project: string, stack: string): string {
  const name = `${project}-${stack}`.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-");
  // Two stacks whose names differ in nothing else stay apart.
  const plain = `${project}-${stack}` === name && name.length <= 63;
  return plain ? name : `${name.slice(0, 54).replace(/-+$/, "")}-${contentHash(`${project}/${stack}`).slice(0, 8)}`;
}

/** The first 10 hexadecimal digits of the hash of the text. */
export function contentHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 10);
}
