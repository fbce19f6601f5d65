import * as pulumi from "@pulumi/pulumi";
import {
  type DistributionInputs,
  type ImageInputs,
  providerVersion,
  type ServiceInputs,
  type TaskInputs,
} from "./state.ts";

/** What a resource is given: its inputs, of which any value, however deep, may be an output. */
export type Args<Inputs> = { readonly [Property in keyof Inputs]: Nested<Inputs[Property]> };

type Nested<Value> = Value extends object
  ? pulumi.Input<{ readonly [Key in keyof Value]: Nested<Value[Key]> }>
  : pulumi.Input<Value>;

/** A supervised server of this machine. */
export class LocalService extends pulumi.CustomResource {
  /** The server's process; a restarted server has another. 0 if it does not run. */
  declare readonly pid: pulumi.Output<number>;
  declare readonly address: pulumi.Output<string>;
  declare readonly ports: pulumi.Output<Record<string, number>>;
  /** The absolute path of the file with the server's output. */
  declare readonly log: pulumi.Output<string>;
  /** The memory that the server was given, in MiB. */
  declare readonly memory: pulumi.Output<number>;

  constructor(name: string, args: Args<ServiceInputs>, opts?: pulumi.CustomResourceOptions) {
    const outputs = { pid: undefined, supervisor: undefined, log: undefined, running: undefined, drift: undefined };
    super("local:index:Service", name, { ...args, ...outputs }, { ...opts, version: providerVersion });
  }
}

/** A command that ran once on this machine. */
export class LocalTask extends pulumi.CustomResource {
  /** The absolute path of the file with the task's output. */
  declare readonly log: pulumi.Output<string>;

  constructor(name: string, args: Args<TaskInputs>, opts?: pulumi.CustomResourceOptions) {
    super(
      "local:index:Task",
      name,
      { ...args, log: undefined, drift: undefined },
      { ...opts, version: providerVersion },
    );
  }
}

/** The jars of a system in this machine's cache. */
export class LocalDistribution extends pulumi.CustomResource {
  declare readonly directory: pulumi.Output<string>;

  constructor(name: string, args: Args<DistributionInputs>, opts?: pulumi.CustomResourceOptions) {
    super("local:index:Distribution", name, { ...args }, { ...opts, version: providerVersion });
  }
}

/** An image that a Docker daemon has. */
export class LocalImage extends pulumi.CustomResource {
  declare readonly reference: pulumi.Output<string>;

  constructor(name: string, args: Args<ImageInputs>, opts?: pulumi.CustomResourceOptions) {
    super("local:index:Image", name, { ...args }, { ...opts, version: providerVersion });
  }
}
