import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { Configuration } from "../../jobs/configuration.ts";
import type { GenerationConfiguration } from "../../jobs/generations/configuration.ts";
import type { InstanceIdentity } from "../target.ts";
import { configurationFile, type JobArgs } from "./configuration.ts";
import { jobModule } from "./server.ts";

/** A view in the generation of its code. */
export interface GenerationArgs extends Omit<JobArgs, "application"> {
  readonly view: string;
  readonly generation: string;
}

/**
 * A generation of a view as a resource of its own: made before anything computes it, and deleted, as Pulumi deletes what
 * is taken out, after everything else has gone over to another one. Deleting it only gives it up: its data goes with the
 * next batch run, and comes back by computing it again. So it is never protected.
 */
export function createGeneration(args: GenerationArgs): pulumi.Resource {
  const { target, view, generation } = args;
  const identity: InstanceIdentity = { component: args.name, role: `view-${view}-${generation}` };
  const placement = target.placement(identity);
  const command = [
    target.node,
    target.program(jobModule("generations/main.ts")),
    `--configuration=${join(placement.configuration, configurationFile)}`,
  ];
  // Nothing of the other views: their changes leave this one alone.
  const content = args.configuration.apply((text) => {
    const { cassandra } = JSON.parse(text) as Configuration;
    return JSON.stringify({ cassandra, view, generation } satisfies GenerationConfiguration, undefined, 2);
  });
  return target.task(
    {
      identity,
      command,
      deleteCommand: [...command, "--retire"],
      files: { [configurationFile]: { content } },
    },
    { parent: args.parent, protect: false, dependsOn: [...args.dependsOn] },
  );
}
