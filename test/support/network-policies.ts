import type { KubernetesObject } from "./control-plane.ts";

/** A pod as policies see it. */
export interface PolicyPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Whether the policies of a namespace let a pod call a port of another one of the same namespace, as Kubernetes defines
 * it: a pod that any policy selects may do only what some policy that selects it says.
 *
 * What is not written down here (expressions, IP blocks, selectors of namespaces) counts as no match.
 */
export function mayCall(policies: readonly KubernetesObject[], from: PolicyPod, to: PolicyPod, port: number): boolean {
  return allows(policies, "Ingress", to, from, port) && allows(policies, "Egress", from, to, port);
}

function allows(
  policies: readonly KubernetesObject[],
  direction: "Ingress" | "Egress",
  subject: PolicyPod,
  other: PolicyPod,
  port: number,
): boolean {
  const selecting = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === subject.namespace &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector, subject.labels),
  );
  if (selecting.length === 0) return true;
  return selecting.some(({ metadata, spec }) =>
    (spec[direction.toLowerCase()] ?? []).some((rule: KubernetesObject) => {
      const peers: KubernetesObject[] | undefined = direction === "Ingress" ? rule.from : rule.to;
      const isPeer =
        peers === undefined ||
        peers.some(
          ({ podSelector, namespaceSelector, ipBlock }) =>
            namespaceSelector === undefined &&
            ipBlock === undefined &&
            metadata.namespace === other.namespace &&
            selects(podSelector, other.labels),
        );
      const isPort =
        rule.ports === undefined ||
        rule.ports.some((each: KubernetesObject) => (each.protocol ?? "TCP") === "TCP" && each.port === port);
      return isPeer && isPort;
    }),
  );
}

function selects(selector: KubernetesObject, labels: Readonly<Record<string, string>>): boolean {
  if (selector?.matchExpressions !== undefined) return false;
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}
