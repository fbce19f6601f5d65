import type * as pulumi from "@pulumi/pulumi";
import type { LoadedApplication } from "../application.ts";
import type { DataAccess, File, Target } from "../target.ts";

/** What every job of an architecture shares. */
export interface JobArgs {
  /** The prefix of the job's name: its architecture's. */
  readonly name: string;
  readonly parent: pulumi.Resource;
  readonly target: Target;
  readonly application: LoadedApplication;
  /** The text of the jobs' configuration file, see jobs/configuration.ts. */
  readonly configuration: pulumi.Output<string>;
  /** Further files beside it, for jobs that use the storage of the master dataset. Default: none */
  readonly files?: Readonly<Record<string, File>>;
  /** What it does with topics and files. Default: nothing */
  readonly access?: DataAccess;
  readonly dependsOn: readonly pulumi.Resource[];
}

/** The name of the jobs' configuration file in their configuration folder. */
export const configurationFile = "configuration.json";
