import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { InstanceIdentity } from "../target.ts";
import { type BatchLayerArgs, batchFiles } from "./batch.ts";
import { configurationFile } from "./configuration.ts";
import { jobModule } from "./server.ts";

/** What the recomputation needs beyond what every job that runs batches does. */
export interface RecomputationArgs extends Omit<BatchLayerArgs, "cron"> {
  /** The generation of every view by its name. */
  readonly generations: Readonly<Record<string, string>>;
  /** Minutes that it may take. */
  readonly minutes: number;
}

/** Seconds that it gets beyond its limit to say what lags. */
const grace = 60;

/**
 * Computes the views whose code has changed, and ends when they have caught up with the log. What answers depends on it,
 * and so goes on with the former code until then.
 */
export function createRecomputation(args: RecomputationArgs): pulumi.Resource {
  const { target, application, generations, minutes } = args;
  const identity: InstanceIdentity = { component: args.name, role: "recomputation" };
  const placement = target.placement(identity);
  return target.task(
    {
      identity,
      ...(args.access && { access: args.access }),
      command: [
        target.node,
        target.program(jobModule("recomputation/main.ts"), application.module),
        `--configuration=${join(placement.configuration, configurationFile)}`,
        `--minutes=${minutes}`,
      ],
      files: batchFiles(args, identity),
      distributions: args.yarn.clientDistributions,
      // A preview tells those that are new.
      triggers: Object.entries(generations).map(
        ([view, generation]) =>
          `view ${view} is recomputed, since its code is now ${generation}; what answers now goes on until it has caught up`,
      ),
      timeout: minutes * 60 + grace,
    },
    { parent: args.parent, dependsOn: [...args.dependsOn] },
  );
}
