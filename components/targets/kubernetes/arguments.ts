import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { ImageSettings } from "../../images/recipe.ts";
import { InputErrors } from "../../input-errors.ts";
import type { DataSafetyArgs } from "../../target.ts";
import type { NetworkPolicyEgressRule, NetworkPolicyPeer } from "./network-policies.ts";

/**
 * What a Kubernetes target is made for. Without `deleteData`, the volumes outlive their servers, and so does the
 * namespace, with which they would go.
 *
 * What `volumeSizes`, `cpus` and `callers` say of a role that there is not is an error, which names those that there
 * are: the roles that the program asks for before it waits for anything.
 */
export interface KubernetesTargetArgs extends DataSafetyArgs {
  /** The Pulumi project's name. */
  readonly project: string;
  /** The Pulumi stack's name. */
  readonly stack: string;
  /**
   * Where images come from and what they are called.
   *
   * @default `defaultImageSettings`
   */
  readonly images?: Partial<ImageSettings>;
  /**
   * The namespace, which belongs to this stack alone.
   *
   * @default project and stack, joined by a hyphen
   */
  readonly namespace?: string;
  /**
   * The cluster's DNS domain.
   *
   * @default "cluster.local"
   */
  readonly clusterDomain?: string;
  /**
   * The provider of the cluster, with all that it can be told. It takes the place of `kubeconfig`, `context` and
   * `renderYamlToDirectory`.
   *
   * @default one of those three or, if none is given, Pulumi's own: the current context of the usual kubeconfig
   */
  readonly provider?: kubernetes.Provider;
  /**
   * The content or path of the kubeconfig.
   *
   * @default the usual one
   */
  readonly kubeconfig?: pulumi.Input<string>;
  /**
   * The kubeconfig's context.
   *
   * @default its current one
   */
  readonly context?: string;
  /**
   * The folder to write manifests to, instead of applying them, for those who apply by GitOps. Secrets are in it in plain
   * text.
   *
   * @default none: the manifests are applied
   */
  readonly renderYamlToDirectory?: string;
  /**
   * The StorageClass of the volumes.
   *
   * @default the cluster's default class
   */
  readonly storageClass?: string;
  /**
   * The size of a new volume, a Kubernetes quantity. A volume that is there already keeps its size.
   *
   * @default "10Gi"
   */
  readonly volumeSize?: string;
  /**
   * The sizes of the volumes of single roles, over `volumeSize`: `{"lambda-hdfs-datanode": "100Gi"}`.
   *
   * @default none
   */
  readonly volumeSizes?: Readonly<Record<string, string>>;
  /**
   * The CPU time that each server asks for, a Kubernetes quantity. It may use more where there is more.
   *
   * @default what its component expects it to need, and "100m" for a task
   */
  readonly cpu?: string;
  /**
   * What single roles ask for, over `cpu`: `{"lambda-kafka-broker": "1"}`.
   *
   * @default none
   */
  readonly cpus?: Readonly<Record<string, string>>;
  /**
   * Who may call the client ports of a role beside pods of this namespace with the label
   * `lambda-architecture/client-of-<component>`: `{"lambda-serving": [{namespaceSelector: …}]}`.
   *
   * @default nobody
   */
  readonly callers?: Readonly<Record<string, readonly NetworkPolicyPeer[]>>;
  /**
   * Where all pods may call to beside the ways among them, e.g. to a store outside of the cluster.
   *
   * @default nowhere
   */
  readonly egress?: readonly NetworkPolicyEgressRule[];
  /**
   * The Secrets of the namespace with which images are pulled.
   *
   * @default none
   */
  readonly imagePullSecrets?: readonly string[];
}

/** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
export function checkArgs(args: KubernetesTargetArgs): void {
  const errors = new InputErrors("Kubernetes");
  const { namespace, provider, volumeSize, volumeSizes = {}, cpu, cpus = {} } = args;
  if (namespace !== undefined) {
    errors.check(
      /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace),
      "namespace",
      `must be at most 63 lower-case letters, digits and hyphens; it is ${JSON.stringify(namespace)}`,
    );
  }
  for (const argument of ["kubeconfig", "context", "renderYamlToDirectory"] as const) {
    errors.check(
      provider === undefined || args[argument] === undefined,
      argument,
      "must not stand beside provider, which has its own",
    );
  }
  const quantities = Object.entries({ volumeSize, cpu }).concat(
    Object.entries(volumeSizes).map(([role, size]) => [`volumeSizes.${role}`, size]),
    Object.entries(cpus).map(([role, size]) => [`cpus.${role}`, size]),
  );
  for (const [argument, quantity] of quantities) {
    errors.check(
      quantity === undefined || /^\d+(\.\d+)?(m|[kMGTPE]i?|Ki)?$/.test(quantity),
      argument,
      `must be a Kubernetes quantity, e.g. ${argument.startsWith("cpu") ? '"500m" or "2"' : '"10Gi"'}; it is ${JSON.stringify(quantity)}`,
    );
  }
  errors.throwIfAny();
}
