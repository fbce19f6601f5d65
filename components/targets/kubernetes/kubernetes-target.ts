import type * as pulumi from "@pulumi/pulumi";
import { InputErrors } from "../../input-errors.ts";
import {
  type Distribution,
  type InstanceIdentity,
  instanceName,
  type Placement,
  type ScheduleArgs,
  type ServicesArgs,
  type Target,
  type TaskArgs,
} from "../../target.ts";
import type { InstanceImages } from "../container/instance-images.ts";
import { containerPlacement } from "../container/placement.ts";
import { checkArgs, type KubernetesTargetArgs } from "./arguments.ts";
import { nameProblem, podAddress, workloadName } from "./names.ts";
import { runByHand } from "./run-by-hand.ts";
import { createServices } from "./services.ts";
import { StackNamespace } from "./stack-namespace.ts";
import { createSchedule, createTask } from "./tasks.ts";

/**
 * Runs servers as pods of a Kubernetes cluster, in a namespace of the stack's own: the replicas of a role as a
 * StatefulSet if they keep data or have an address each, else as a Deployment; tasks as Jobs, schedules as CronJobs.
 * Between pods nothing is open but the declared ways.
 */
export class KubernetesTarget implements Target {
  readonly name = "kubernetes";
  readonly #namespace: StackNamespace;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(args: KubernetesTargetArgs) {
    checkArgs(args);
    this.#namespace = new StackNamespace(args);
  }

  get java(): string {
    return this.#namespace.images.java;
  }

  get node(): string {
    return this.#namespace.images.node;
  }

  /** The images that its pods run. */
  get images(): InstanceImages {
    return this.#namespace.images;
  }

  /** The name of the stack's namespace. */
  get namespace(): string {
    return this.#namespace.network.namespace;
  }

  placement(identity: InstanceIdentity): Placement {
    const errors = new InputErrors(`Kubernetes: ${instanceName(identity)}`);
    const problem = nameProblem(identity);
    errors.check(problem === undefined, "name", problem ?? "");
    errors.throwIfAny();
    this.#namespace.note(identity);
    return containerPlacement(identity, podAddress(identity, this.#namespace.network));
  }

  /** The address within the cluster: people reach it through `kubectl port-forward`, or an ingress of their own. */
  published(identity: InstanceIdentity, port: number): string {
    return `${this.placement(identity).address}:${port}`;
  }

  /**
   * The command that makes a Job of the instance's CronJob, which runs the same command, and waits for its end. It asks
   * the cluster of `context` or of the kubeconfig's current one: another kubeconfig or a provider of one's own is
   * `KUBECONFIG`'s to say.
   */
  commandIn(identity: InstanceIdentity, _command: readonly string[]): string[] {
    return runByHand(this.namespace, workloadName(identity), this.#namespace.args.context);
  }

  directory(distribution: Distribution): string {
    return this.#namespace.images.directory(distribution);
  }

  program(entry: string, application?: string): string {
    return this.#namespace.images.program(entry, application);
  }

  services(args: ServicesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
    return createServices(this.#namespace, args, opts);
  }

  task(args: TaskArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    return createTask(this.#namespace, args, opts);
  }

  schedule(args: ScheduleArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    return createSchedule(this.#namespace, args, opts);
  }
}
