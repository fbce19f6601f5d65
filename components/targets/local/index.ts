import { LocalTarget, type LocalTargetArgs } from "./local-target.ts";

export type { Surroundings } from "./admission.ts";
export type { Free } from "./budget.ts";
export { distributionDirectory, type EnsureOptions, ensureDistribution } from "./distribution.ts";
export { type InstanceStatus, instances, stopStack } from "./instances.ts";
export { LocalTarget, type LocalTargetArgs } from "./local-target.ts";
export type { LocalService, LocalTask } from "./resources.ts";

/** The target that runs servers as supervised processes of this machine. */
export function createLocalTarget(args: LocalTargetArgs): LocalTarget {
  return new LocalTarget(args);
}
