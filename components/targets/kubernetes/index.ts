import type { KubernetesTargetArgs } from "./arguments.ts";
import { KubernetesTarget } from "./kubernetes-target.ts";

export type { KubernetesTargetArgs } from "./arguments.ts";
export { KubernetesTarget } from "./kubernetes-target.ts";
export type { NetworkPolicyEgressRule, NetworkPolicyPeer } from "./network-policies.ts";

/** The target that runs servers as pods of a Kubernetes cluster. */
export function createKubernetesTarget(args: KubernetesTargetArgs): KubernetesTarget {
  return new KubernetesTarget(args);
}
