import type { types } from "@pulumi/kubernetes";
import { clientLabel, selector } from "./names.ts";

type NetworkPolicySpec = types.input.networking.v1.NetworkPolicySpec;
export type NetworkPolicyPeer = types.input.networking.v1.NetworkPolicyPeer;
export type NetworkPolicyEgressRule = types.input.networking.v1.NetworkPolicyEgressRule;

function pods(labels: Readonly<Record<string, string>>) {
  return { podSelector: { matchLabels: labels } };
}

/** Nothing goes in or out of any pod of the namespace, but for questions to the cluster's DNS. */
export const denyAll: NetworkPolicySpec = {
  podSelector: {},
  policyTypes: ["Ingress", "Egress"],
  egress: [{ ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: 53 })) }],
};

/** Further ways out for all pods of the namespace, e.g. to a store outside of the cluster. */
export function waysOut(egress: readonly NetworkPolicyEgressRule[]): NetworkPolicySpec {
  return { podSelector: {}, policyTypes: ["Egress"], egress: [...egress] };
}

/**
 * The servers of a component call each other on all ports: they are one system, and some of their ports are chosen at
 * run time.
 */
export function waysOfPeers(component: string): NetworkPolicySpec {
  const peers = pods(selector(component));
  return { ...peers, policyTypes: ["Ingress", "Egress"], ingress: [{ from: [peers] }], egress: [{ to: [peers] }] };
}

/** The clients of a component may call it; which ports it opens to them is {@link waysToRole}. */
export function waysOfClients(component: string): NetworkPolicySpec {
  return {
    ...pods({ [clientLabel(component)]: "true" }),
    policyTypes: ["Egress"],
    egress: [{ to: [pods(selector(component))] }],
  };
}

/**
 * The ports of a role that others than the component's own servers may call.
 *
 * @param callers who may do so beside the component's clients in this namespace
 */
export function waysToRole(
  component: string,
  role: string,
  ports: readonly number[],
  callers: readonly NetworkPolicyPeer[],
): NetworkPolicySpec {
  return {
    ...pods(selector(component, role)),
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [pods({ [clientLabel(component)]: "true" }), ...callers],
        ports: ports.map((port) => ({ protocol: "TCP", port })),
      },
    ],
  };
}
