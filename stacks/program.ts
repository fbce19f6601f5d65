import { resolve } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { loadApplication } from "../components/application.ts";
import { LambdaArchitecture, type LambdaArchitectureArgs } from "../components/lambda-architecture.ts";
import type { Target } from "../components/target.ts";
import { type Demand, notingTarget } from "./budget.ts";
import type { StackConfiguration } from "./configuration.ts";
import { storageArgs } from "./storage.ts";
import { chooseTarget, type Surroundings } from "./target.ts";

/** What the stack's outputs are made of. */
export interface Stack {
  readonly architecture: LambdaArchitecture;
  /** The absolute path of the application's module. */
  readonly application: string;
  /** What its servers ask of the target. */
  readonly demands: readonly Demand[];
  /** Where they run. */
  readonly target: Target;
}

/** What of the program can be another way than the configuration has it: what previews of a changed program change. */
export interface ProgramChanges {
  /** The architecture's name. Default: `lambda` */
  readonly name?: string;
  /** Arguments over those of the configuration. Default: none */
  readonly args?: Partial<LambdaArchitectureArgs>;
  readonly options?: pulumi.ComponentResourceOptions;
}

/** Creates all that a stack consists of: one architecture on the target that its configuration chooses. */
export async function createStack(
  configuration: StackConfiguration,
  surroundings: Surroundings,
  { name = "lambda", args = {}, options = {} }: ProgramChanges = {},
): Promise<Stack> {
  const application = resolve(surroundings.checkout, configuration.application);
  const demands: Demand[] = [];
  const target = await chooseTarget(configuration, surroundings);
  const architecture = new LambdaArchitecture(
    name,
    {
      target: notingTarget(target, (demand) => demands.push(demand)),
      application: await loadApplication(application),
      size: configuration.size,
      ...(configuration.kafkaControllers > 0 && { kafka: { controllers: configuration.kafkaControllers } }),
      topic: configuration.topic,
      partitions: configuration.partitions,
      retentionHours: configuration.retentionHours,
      archiveMinutes: configuration.archiveMinutes,
      sealHours: configuration.sealHours,
      logIncarnation: configuration.logIncarnation,
      chunkSize: configuration.chunkSize,
      batchSchedule: configuration.batchSchedule,
      recomputationMinutes: configuration.recomputationMinutes,
      ...storageArgs(configuration),
      ...args,
    },
    options,
  );
  return { architecture, application, demands, target };
}
