import { setImmediate as programsTurn } from "node:timers/promises";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { defaultImageSettings } from "../../images/recipe.ts";
import { runError } from "../../run-error.ts";
import type { InstanceIdentity, ServiceArgs } from "../../target.ts";
import { InstanceImages } from "../container/instance-images.ts";
import type { KubernetesTargetArgs } from "./arguments.ts";
import { type EntrySources, type FileEntries, hashOf } from "./files.ts";
import { clientLabel, defaultNamespace, type Network, selector, workloadName, workloadsIn } from "./names.ts";
import { denyAll, waysOfClients, waysOfPeers, waysOut, waysToRole } from "./network-policies.ts";
import { cpuQuantity, type PodArgs, type ProgramSpec } from "./pods.ts";
import { RoleArguments } from "./role-arguments.ts";

type EnvVar = kubernetes.types.input.core.v1.EnvVar;
type NetworkPolicySpec = kubernetes.types.input.networking.v1.NetworkPolicySpec;
type CustomOptions = pulumi.CustomResourceOptions;

/** Seconds that pulling images and binding volumes may take. */
export const preparationTime = 600;

/** What of a server, task or schedule says whom it calls. */
export type Caller = Pick<ServiceArgs, "identity" | "command" | "environment" | "files"> &
  Partial<Pick<ServiceArgs, "readiness" | "reaches">>;

/** A stack's namespace, and what its workloads need there beside themselves. */
export class StackNamespace {
  readonly args: KubernetesTargetArgs;
  readonly network: Network;
  readonly images: InstanceImages;
  /** What the arguments say of single roles. */
  readonly roles: RoleArguments;
  readonly #provider: kubernetes.Provider | undefined;
  /** The component of each workload that was given a place. */
  readonly #components = new Map<string, string>();
  readonly #policies = new Set<string>();
  #namespace: kubernetes.core.v1.Namespace | undefined;

  constructor(args: KubernetesTargetArgs) {
    this.args = args;
    this.network = {
      namespace: args.namespace ?? defaultNamespace(args.project, args.stack),
      clusterDomain: args.clusterDomain ?? "cluster.local",
    };
    this.images = new InstanceImages({ ...defaultImageSettings, ...args.images });
    this.roles = new RoleArguments(args);
    this.#provider = args.provider ?? createProvider(args);
  }

  /** Notes a workload whose address others are told. */
  note(identity: InstanceIdentity): void {
    this.#components.set(workloadName(identity), identity.component);
  }

  /**
   * An object's metadata.
   *
   * @param labels beside those of all objects of the stack
   * @param hash of its content, where other content is to be another object. Default: none
   */
  metadata(name: string, labels: Readonly<Record<string, string>> = {}, hash?: pulumi.Output<string>) {
    return {
      name: hash === undefined ? name : pulumi.interpolate`${name}-${hash}`,
      namespace: this.#resource().metadata.name,
      labels: { ...labels, ...this.#common() },
    };
  }

  /**
   * The options of a workload.
   *
   * @param time seconds that it may take to get ready
   * @param data whether it keeps data
   */
  options(opts: CustomOptions, time: number, data = false): CustomOptions {
    return {
      ...opts,
      ...this.#providerOption(),
      customTimeouts: { create: `${time}s`, update: `${time}s`, delete: "600s" },
      // Unless it is to be protected, what the component's own options say holds.
      ...(data && this.args.protect && { protect: true }),
    };
  }

  /** The options of what belongs to a workload: it waits for nothing. */
  aside({ parent }: CustomOptions): CustomOptions {
    return { ...(parent && { parent }), ...this.#providerOption() };
  }

  /** What a workload's pods are called: its own labels, and one for each component that it calls. */
  podLabels({ component, role }: InstanceIdentity, callers: readonly Caller[]): pulumi.Output<Record<string, string>> {
    const told = pulumi.output(
      callers.map(({ command, environment = {}, files = {}, readiness = {}, reaches = [] }) => ({
        command: [...command],
        environment: { ...environment },
        files: Object.values(files).map(({ content }) => content),
        readiness,
        reaches,
      })),
    );
    const labels = told.apply((texts) => {
      const workloads = workloadsIn(JSON.stringify(texts), this.network);
      const components = [...workloads].map((workload) => this.#components.get(workload));
      const called = [...new Set(components)].filter((each) => each !== undefined && each !== component).sort();
      return {
        ...selector(component, role),
        ...this.#common(),
        ...Object.fromEntries(called.map((each) => [clientLabel(each as string), "true"])),
      };
    });
    // Whom it calls is no secret, though it stands in files that are.
    return pulumi.unsecret(labels);
  }

  /** What all pods of the stack have in common. */
  podArgs(name: string, labels: Readonly<Record<string, string>>, aside: CustomOptions) {
    const account = new kubernetes.core.v1.ServiceAccount(
      name,
      { metadata: this.metadata(name, labels), automountServiceAccountToken: false },
      aside,
    );
    return {
      serviceAccount: account.metadata.name,
      user: this.images.user,
      imagePullSecrets: this.args.imagePullSecrets ?? [],
    } satisfies Partial<PodArgs>;
  }

  /** What the programs of a workload have in common. */
  programSpec(
    program: Pick<ServiceArgs, "identity" | "command" | "distributions" | "memory" | "cpu">,
    environment: readonly EnvVar[],
  ): Omit<ProgramSpec, "mounts" | "workingDirectory"> {
    const { identity, command, distributions = [], memory } = program;
    const image = this.images.image(identity, command, distributions);
    const cpu = this.roles.of("cpus", workloadName(identity)) ?? this.args.cpu ?? cpuQuantity(program.cpu);
    return { image, environment, memory, cpu };
  }

  /**
   * The environment as a container takes it. What is not known when the program is read may be secret: it goes into a
   * Secret.
   */
  createEnvironment(
    name: string,
    environment: Readonly<Record<string, pulumi.Input<string>>>,
    aside: CustomOptions,
  ): EnvVar[] {
    const plain = Object.entries(environment).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    const secret = Object.fromEntries(Object.entries(environment).filter(([, value]) => typeof value !== "string"));
    const inline = plain.map(([variable, value]) => ({ name: variable, value }));
    if (Object.keys(secret).length === 0) return inline;
    const called = `${name}-environment`;
    const resource = createSecret(called, this.metadata(called, {}, hashOf(secret)), secret, aside);
    return [
      ...inline,
      ...Object.keys(secret).map((variable) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name: resource.metadata.name, key: variable } },
      })),
    ];
  }

  /**
   * A ConfigMap and a Secret with the entries, named by the hash of their content: other content is another object.
   *
   * @param deciding the entries on which the name depends
   */
  createEntries(name: string, entries: FileEntries, deciding: FileEntries, aside: CustomOptions): EntrySources {
    const { plain, secret } = entries;
    const files = `${name}-files`;
    const ofPlain = this.metadata(files, {}, hashOf(deciding.plain));
    const ofSecret = this.metadata(files, {}, hashOf(deciding.secret));
    const configMaps =
      Object.keys(plain).length === 0
        ? []
        : [new kubernetes.core.v1.ConfigMap(files, { metadata: ofPlain, data: { ...plain } }, aside)];
    const secrets = Object.keys(secret).length === 0 ? [] : [createSecret(files, ofSecret, secret, aside)];
    return {
      ...(configMaps.length > 0 && { configMap: ofPlain.name }),
      ...(secrets.length > 0 && { secret: ofSecret.name }),
      resources: [...configMaps, ...secrets],
    };
  }

  /**
   * Opens the ways to and from a role, once for each.
   *
   * @param ports what others than the component's own servers may call
   */
  openWays({ component, role }: InstanceIdentity, ports: readonly number[], aside: CustomOptions): void {
    this.#createPolicy(`${component}-peers`, waysOfPeers(component), aside);
    this.#createPolicy(`${component}-clients`, waysOfClients(component), aside);
    if (ports.length === 0) return;
    const callers = this.roles.of("callers", workloadName({ component, role })) ?? [];
    this.#createPolicy(`${component}-${role}-callers`, waysToRole(component, role, ports, callers), aside);
  }

  #createPolicy(name: string, spec: NetworkPolicySpec, aside: CustomOptions): void {
    if (this.#policies.has(name)) return;
    this.#policies.add(name);
    new kubernetes.networking.v1.NetworkPolicy(name, { metadata: this.metadata(name), spec }, aside);
  }

  /** The namespace, which comes before all that is in it, closed and with the strictest rules for pods. */
  #resource(): kubernetes.core.v1.Namespace {
    if (this.#namespace !== undefined) return this.#namespace;
    const { namespace: name } = this.network;
    const { protect = false, deleteData = false, egress = [] } = this.args;
    this.#namespace = new kubernetes.core.v1.Namespace(
      name,
      {
        metadata: {
          name,
          labels: {
            ...this.#common(),
            ...Object.fromEntries(
              ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]),
            ),
          },
        },
      },
      // Without it, the volumes in it would be lost.
      {
        ...this.#providerOption(),
        protect,
        retainOnDelete: !deleteData,
        dependsOn: this.#whenRolesAreKnown(),
      },
    );
    this.#createPolicy("deny-all", denyAll, this.#providerOption());
    if (egress.length > 0) this.#createPolicy("ways-out", waysOut(egress), this.#providerOption());
    return this.#namespace;
  }

  /**
   * Resolves, to nothing, once the program has asked for all roles; everything else waits for the namespace, and so
   * for this.
   *
   * @throws {pulumi.RunError} naming what is said of roles that there are not
   */
  async #whenRolesAreKnown(): Promise<pulumi.Resource[]> {
    await programsTurn();
    const problems = this.roles.problems();
    if (problems.length > 0) throw runError(problems.join("\n"));
    return [];
  }

  #common(): Record<string, string> {
    return {
      "app.kubernetes.io/part-of": labelValue(this.args.project),
      "app.kubernetes.io/instance": labelValue(this.args.stack),
      "app.kubernetes.io/managed-by": "pulumi",
    };
  }

  #providerOption(): CustomOptions {
    return this.#provider === undefined ? {} : { provider: this.#provider };
  }
}

function createSecret(
  name: string,
  metadata: ReturnType<StackNamespace["metadata"]>,
  contents: Readonly<Record<string, pulumi.Input<string>>>,
  aside: CustomOptions,
): kubernetes.core.v1.Secret {
  return new kubernetes.core.v1.Secret(name, { metadata, stringData: pulumi.secret(pulumi.output(contents)) }, aside);
}

function createProvider({ kubeconfig, context, renderYamlToDirectory }: KubernetesTargetArgs) {
  if (kubeconfig === undefined && context === undefined && renderYamlToDirectory === undefined) return undefined;
  return new kubernetes.Provider("kubernetes", {
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(context !== undefined && { context }),
    ...(renderYamlToDirectory !== undefined && { renderYamlToDirectory }),
  });
}

/** As much of a name as a label's value may have. */
function labelValue(name: string): string {
  return name.slice(0, 63).replace(/[^a-zA-Z0-9]+$/, "");
}
