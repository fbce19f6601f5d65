import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { BatchConfiguration } from "../../jobs/batch/configuration.ts";
import type { Configuration } from "../../jobs/configuration.ts";
import type { File, InstanceIdentity } from "../target.ts";
import type { YarnCluster } from "../yarn/index.ts";
import { configurationFile, type JobArgs } from "./configuration.ts";
import { jobModule } from "./server.ts";

/** What the batch layer needs beyond what every job does. */
export interface BatchLayerArgs extends JobArgs {
  readonly yarn: YarnCluster;
  /** When runs start: five fields of cron, UTC. */
  readonly cron: string;
}

/** Memory of a run's own process and of the Hadoop client that it starts, in MiB. */
const runMemory = 512;
/** CPU time that they are expected to need, in cores: they wait for the NodeManagers' containers and for Druid. */
const runCpu = 0.1;

/** The files with which a job can run batches: the jobs' configuration, its storage, and how to submit to Hadoop. */
export function batchFiles(args: Omit<BatchLayerArgs, "cron">, identity: InstanceIdentity): Record<string, File> {
  const { target, application, yarn } = args;
  const placement = target.placement(identity);
  // Asked for here: in an apply it would be too late for images.
  const mapper = target.program(jobModule("batch/mapper.ts"), application.module);
  const reducer = target.program(jobModule("batch/reducer.ts"), application.module);
  const hadoop = pulumi
    .all([yarn.resourceManager, yarn.historyServer, yarn.user])
    .apply(([resourceManager, historyServer, user]) => ({
      java: target.java,
      classPath: [
        placement.configuration,
        ...yarn.clientDistributions.map((distribution) => `${target.directory(distribution)}/lib/*`),
      ],
      configurationDirectory: placement.configuration,
      resourceManager,
      historyServer,
      node: target.node,
      mapper,
      reducer,
      reducers: 1,
      user,
      environment: yarn.clientEnvironment(placement),
    }));
  const configuration = pulumi
    .all([args.configuration, hadoop])
    .apply(([shared, client]) =>
      JSON.stringify(
        { ...(JSON.parse(shared) as Configuration), hadoop: client } satisfies BatchConfiguration,
        undefined,
        2,
      ),
    );
  return { ...args.files, ...yarn.clientFiles, [configurationFile]: { content: configuration } };
}

/**
 * Schedules the batch runs. Returns the schedule's resource and the command of a run, with which one can be started at
 * any time: runs keep apart by themselves.
 */
export function createBatchLayer(args: BatchLayerArgs): { schedule: pulumi.Resource; command: string[] } {
  const { target, application, yarn } = args;
  const identity: InstanceIdentity = { component: args.name, role: "batch" };
  const placement = target.placement(identity);
  const command = [
    target.node,
    target.program(jobModule("batch/main.ts"), application.module),
    `--configuration=${join(placement.configuration, configurationFile)}`,
  ];
  const schedule = target.schedule(
    {
      identity,
      ...(args.access && { access: args.access }),
      cron: args.cron,
      command,
      files: batchFiles(args, identity),
      distributions: yarn.clientDistributions,
      memory: runMemory,
      cpu: runCpu,
    },
    { parent: args.parent, dependsOn: [...args.dependsOn] },
  );
  return { schedule, command: target.commandIn(identity, command) };
}
