import type { FluxTopology } from "../../components/storm/flux.ts";
import { shellBolt, shellSpout } from "../../components/storm/flux.ts";
import { nodeArguments } from "../node-arguments.ts";
import { descriptorFields } from "./descriptor.ts";

/** The names under which the speed topology expects its resources. */
export const speedResources = {
  spout: "speed-spout.mjs",
  bolt: "speed-bolt.mjs",
  configuration: "configuration.json",
} as const;

/**
 * The most descriptors that are under way for each bolt: enough that it always has something to read while it waits for
 * what it writes, and so few that none waits as long as Storm does, however many partitions a bolt has.
 */
const descriptorsOfBolt = 16;

/** What the speed topology is made of. */
export interface SpeedTopologyArgs {
  /** The Node to run spout and bolts with, see `Target.node`. */
  readonly node: string;
  /** Bolt processes, among which the partitions are divided. Default: 1 */
  readonly bolts?: number;
  /** Workers that spout and bolts are spread over. Default: 1 */
  readonly workers?: number;
  /** The largest JavaScript heap of a bolt process, in MiB. Default: 192 */
  readonly boltHeap?: number;
}

/**
 * The topology of the speed layer: one spout that emits descriptors, and bolts that work them off, each partition
 * always by the same one.
 */
export function speedTopology(args: SpeedTopologyArgs): FluxTopology {
  const { node, bolts = 1, workers = 1, boltHeap = 192 } = args;
  const mostUnderWay = descriptorsOfBolt * bolts;
  const command = (program: string, heap: number, ...more: string[]) => [
    ...[node, ...nodeArguments(heap), program, `--configuration=${speedResources.configuration}`],
    ...more,
  ];
  return {
    config: {
      "topology.workers": workers,
      "topology.acker.executors": 1,
      // More than the spout has under way at most: it is the spout that decides.
      "topology.max.spout.pending": 2 * mostUnderWay,
      // Longer than a bolt tries to write, and than it takes for all that it may have to do.
      "topology.message.timeout.secs": 30,
      // One worker sends nothing to others and needs no port for it.
      ...(workers === 1 ? { "storm.messaging.transport": "org.apache.storm.messaging.local.Context" } : {}),
      "topology.executor.receive.buffer.size": 1024,
      "topology.eventlogger.executors": 0,
    },
    spouts: [
      shellSpout({
        id: "descriptors",
        command: command(speedResources.spout, 64, `--most-under-way=${mostUnderWay}`),
        fields: descriptorFields,
      }),
    ],
    bolts: [shellBolt({ id: "views", command: command(speedResources.bolt, boltHeap), parallelism: bolts })],
    streams: [{ from: "descriptors", to: "views", grouping: { type: "FIELDS", args: ["partition"] } }],
  };
}
