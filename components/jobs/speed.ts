import { createHash } from "node:crypto";
import { basename } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { speedResources, speedTopology } from "../../jobs/speed/topology.ts";
import { StormTopology } from "../storm/index.ts";
import type { JobArgs } from "./configuration.ts";
import { jobModule } from "./server.ts";

/** What the speed layer needs beyond what every job does. */
export interface SpeedLayerArgs extends JobArgs {
  /** See `StormCluster.nimbusSeeds`. */
  readonly nimbusSeeds: pulumi.Input<string[]>;
  /** Bolt processes. Default: 1 */
  readonly bolts?: number;
  /** The generation of every view by its name. */
  readonly generations: Readonly<Record<string, string>>;
}

/**
 * Deploys the speed layer's topology: spout and bolts in Node, told their configuration by a file beside them.
 *
 * Its name carries the hash of what it runs. Other code or another definition thus is another topology beside the
 * running one, which goes on until Pulumi, at the end, deletes what is no longer asked for. Two of them write what one
 * does: a row's timestamp is its end offset. A topology keeps no data, so it is never protected.
 */
export function createSpeedLayer(args: SpeedLayerArgs): StormTopology {
  const { target, application, bolts = 1, generations } = args;
  const definition = speedTopology({ node: target.node, bolts });
  const programs = {
    [speedResources.spout]: target.program(jobModule("speed/spout.ts"), application.module),
    [speedResources.bolt]: target.program(jobModule("speed/bolt.ts"), application.module),
  };
  const names = Object.values(programs).map((path) => basename(path));
  // Where Node is on this machine is no part of what runs: a plan is the same on every machine.
  const described = speedTopology({ node: "node", bolts });
  const hash = createHash("sha256")
    .update(JSON.stringify([described, names, generations]))
    .digest("hex");
  return new StormTopology(
    `${args.name}-speed-${hash.slice(0, 8)}`,
    {
      target,
      family: `${args.name}-speed`,
      nimbusSeeds: args.nimbusSeeds,
      definition,
      resources: { ...programs, [speedResources.configuration]: { content: args.configuration } },
    },
    { parent: args.parent, protect: false, dependsOn: [...args.dependsOn] },
  );
}
