import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import {
  type Distribution,
  type InstanceIdentity,
  instanceName,
  type Placement,
  type ScheduleArgs,
  type ServiceArgs,
  type ServicesArgs,
  type Target,
  type TaskArgs,
} from "../../components/target.ts";

/** A target that runs nothing: it notes what components ask of it, for tests of shape under Pulumi's mocks. */
export class RecordingTarget implements Target {
  readonly name = "local";
  readonly java: string = "java";
  readonly node: string = process.execPath;
  readonly serviceArgs = new Map<string, ServiceArgs>();
  readonly tasks = new Map<string, TaskArgs>();
  readonly schedules = new Map<string, ScheduleArgs>();
  readonly #addresses = new Map<string, string>();
  readonly #root: string;

  /** @param root folder of the placements. Default: one that is never written to */
  constructor(root = "/recording-target") {
    this.#root = root;
  }

  placement(identity: InstanceIdentity): Placement {
    const name = instanceName(identity);
    if (!this.#addresses.has(name)) this.#addresses.set(name, `127.9.0.${this.#addresses.size + 1}`);
    const folder = (kind: string) => join(this.#root, name, kind);
    return {
      name,
      address: this.#addresses.get(name) as string,
      configuration: folder("configuration"),
      data: folder("data"),
      logs: folder("logs"),
      temporary: folder("temporary"),
    };
  }

  published(identity: InstanceIdentity, port: number): string {
    return `${this.placement(identity).address}:${port}`;
  }

  commandIn(_identity: InstanceIdentity, command: readonly string[]): string[] {
    return [...command];
  }

  directory(distribution: Distribution): string {
    return join(this.#root, "distributions", distribution.name);
  }

  program(entry: string, _application?: string): string {
    return entry;
  }

  services({ replicas, ordered = false }: ServicesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
    const resources: pulumi.Resource[] = [];
    for (const args of replicas) {
      const name = instanceName(args.identity);
      this.serviceArgs.set(name, args);
      const dependsOn = ordered && resources.length > 0 ? resources.slice(-1) : opts.dependsOn;
      resources.push(new RecordedInstance("test:index:Service", name, args, { ...opts, dependsOn }));
    }
    return resources;
  }

  task(args: TaskArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const name = instanceName(args.identity);
    this.tasks.set(name, args);
    return new RecordedInstance("test:index:Task", name, args, opts);
  }

  schedule(args: ScheduleArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    const name = instanceName(args.identity);
    this.schedules.set(name, args);
    return new RecordedInstance("test:index:Schedule", name, args, opts);
  }
}

/** What a component sees of an instance: a resource with a life of its own, as on every target. */
class RecordedInstance extends pulumi.CustomResource {}
