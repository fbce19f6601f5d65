/** A value of Flux's YAML. */
export type FluxValue =
  | string
  | number
  | boolean
  | null
  | readonly FluxValue[]
  | { readonly [name: string]: FluxValue };

/** A spout or bolt of a {@link FluxTopology}. */
export interface FluxComponent {
  readonly id: string;
  readonly className: string;
  readonly constructorArgs?: readonly FluxValue[];
  /** Executors. Default: 1. */
  readonly parallelism?: number;
}

/** A stream between components of a {@link FluxTopology}. */
export interface FluxStream {
  readonly from: string;
  readonly to: string;
  readonly grouping: { readonly type: "SHUFFLE" | "FIELDS" | "GLOBAL" | "ALL"; readonly args?: readonly string[] };
}

/**
 * A topology as [Flux](https://storm.apache.org/releases/2.8.3/flux.html) defines it, without its name, which
 * `StormTopology` gives.
 */
export interface FluxTopology {
  /** Storm's settings for the topology, e.g. `topology.workers`. */
  readonly config: Readonly<Record<string, FluxValue>>;
  readonly spouts: readonly FluxComponent[];
  readonly bolts: readonly FluxComponent[];
  readonly streams: readonly FluxStream[];
}

/** What a shell component is made of: a spout or bolt that is a program of its own, run by a worker. */
export interface ShellArgs {
  readonly id: string;
  /** The program and its arguments, run in the folder of the topology's resources. */
  readonly command: readonly string[];
  /** The names of the fields of the tuples that it emits. Default: it emits none. */
  readonly fields?: readonly string[];
  /** Processes. Default: 1. */
  readonly parallelism?: number;
}

/** A spout that is a program which speaks Storm's multilang protocol. */
export function shellSpout(args: ShellArgs): FluxComponent {
  return shellComponent("org.apache.storm.flux.wrappers.spouts.FluxShellSpout", args);
}

/** A bolt that is a program which speaks Storm's multilang protocol. */
export function shellBolt(args: ShellArgs): FluxComponent {
  return shellComponent("org.apache.storm.flux.wrappers.bolts.FluxShellBolt", args);
}

function shellComponent(className: string, { id, command, fields = [], parallelism = 1 }: ShellArgs): FluxComponent {
  // Flux finds no constructor for an empty list.
  return { id, className, constructorArgs: fields.length === 0 ? [command] : [command, fields], parallelism };
}
