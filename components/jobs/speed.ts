import type * as pulumi from "@pulumi/pulumi";
import { speedResources, speedTopology } from "../../jobs/speed/topology.ts";
import { StormTopology } from "../storm/index.ts";
import type { JobArgs } from "./configuration.ts";
import { jobModule } from "./server.ts";

/** What the speed layer needs beyond what every job does. */
export interface SpeedLayerArgs extends JobArgs {
  /** See `StormCluster.nimbusSeeds`. */
  readonly nimbusSeeds: pulumi.Input<string[]>;
  /** Partitions of the topic. */
  readonly partitions: number;
  /** Bolt processes. Default: 1 */
  readonly bolts?: number;
}

/** Deploys the speed layer's topology: spout and bolts in Node, told their configuration by a file beside them. */
export function createSpeedLayer(args: SpeedLayerArgs): StormTopology {
  const { target, application, partitions, bolts = 1 } = args;
  return new StormTopology(
    `${args.name}-speed`,
    {
      target,
      nimbusSeeds: args.nimbusSeeds,
      definition: speedTopology({ node: target.node, partitions, bolts }),
      resources: {
        [speedResources.spout]: target.program(jobModule("speed/spout.ts"), application.module),
        [speedResources.bolt]: target.program(jobModule("speed/bolt.ts"), application.module),
        [speedResources.configuration]: { content: args.configuration },
      },
    },
    { parent: args.parent, dependsOn: [...args.dependsOn] },
  );
}
