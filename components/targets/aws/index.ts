import type * as pulumi from "@pulumi/pulumi";
import type { AwsTargetArgs } from "./arguments.ts";
import { AwsTarget } from "./aws-target.ts";

export type { AwsTargetArgs, ExistingNetwork } from "./arguments.ts";
export { AwsTarget } from "./aws-target.ts";
export { type AwsSize, awsSizes } from "./sizes.ts";

/** The target that runs servers on Amazon EKS, with MSK for Kafka and S3 for the master dataset. */
export function createAwsTarget(args: AwsTargetArgs, opts?: pulumi.ComponentResourceOptions): AwsTarget {
  return new AwsTarget(args, opts);
}
