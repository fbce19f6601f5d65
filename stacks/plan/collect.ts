import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { cacheFolder } from "../../components/cache-folder.mjs";
import type { Surroundings as Machine } from "../../components/targets/local/index.ts";
import type { Demand } from "../budget.ts";
import type { StackConfiguration } from "../configuration.ts";
import { createStack, type ProgramChanges } from "../program.ts";
import { type Plan, planOf } from "./plan.ts";
import { ProgramRecording } from "./program-recording.ts";

/** What a plan is of. */
export interface PlanArgs {
  /** The stack's name. */
  readonly stack: string;
  readonly configuration: StackConfiguration;
  /** The absolute path of the project's folder. */
  readonly checkout: string;
  readonly changes?: ProgramChanges;
}

/** A machine on which everything has room: whose it will be is not known. */
const anyMachine: Machine = {
  free: async () => ({ cores: undefined, memory: undefined, disk: undefined }),
  given: async () => new Map(),
  permanent: async () => ({}),
  say: () => {},
};

/** Where the servers of every plan are, so that their addresses, which follow from it, are the same on every machine. */
const plannedFolder = "/stack";

/**
 * The plan of a stack: its program runs under Pulumi's mocks, with no cluster, account or network. One at a time: Pulumi
 * keeps what runs in variables of its module.
 */
export async function collectPlan(args: PlanArgs): Promise<Plan> {
  return (await collectPlanAndDemands(args)).plan;
}

/** The same, with what its servers ask of the target. */
export async function collectPlanAndDemands({
  stack,
  configuration,
  checkout,
  changes,
}: PlanArgs): Promise<{ plan: Plan; demands: readonly Demand[] }> {
  const recording = new ProgramRecording();
  await recording.start({ project: "lambda-architecture", stack, preview: true });
  const surroundings = { checkout, stackFolder: plannedFolder, machine: anyMachine };
  const { demands, target } = await createStack(configuration, surroundings, changes);
  // Of the local target these are paths of this machine.
  const { java } = target;
  const plan = planOf(stack, await recording.list(), {
    [cacheFolder()]: "{cache}",
    [realpathSync(cacheFolder())]: "{cache}",
    [checkout]: "{checkout}",
    [java]: "{java}",
    [dirname(dirname(java))]: "{java home}",
  });
  return { plan, demands };
}
