/** A Pulumi program that puts the whole architecture, as `plan.json` in the folder of its project says, onto Kubernetes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { loadApplication } from "../../../../../components/application.ts";
import { LambdaArchitecture } from "../../../../../components/lambda-architecture.ts";
import type { SystemArgs } from "../../../../../components/size-profiles.ts";
import { createKubernetesTarget } from "../../../../../components/targets/kubernetes/index.ts";

/** What the program deploys. */
export interface Plan extends SystemArgs {
  readonly size: "tiny" | "ha";
  readonly kubeconfig: string;
  readonly deleteData?: boolean;
  readonly renderYamlToDirectory?: string;
}

const folder = pulumi.getProject() === "whole" ? process.cwd() : "";
const plan = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as Plan;
const { size, kubeconfig, deleteData = false, renderYamlToDirectory, ...systems } = plan;
const target = createKubernetesTarget({
  project: pulumi.getProject(),
  stack: pulumi.getStack(),
  ...(renderYamlToDirectory === undefined
    ? { kubeconfig: readFileSync(kubeconfig, "utf8") }
    : { renderYamlToDirectory }),
  deleteData,
});
const architecture = new LambdaArchitecture("lambda", {
  target,
  application: await loadApplication(fileURLToPath(new URL("../../../../../jobs/wikipedia/index.ts", import.meta.url))),
  size,
  ...systems,
});

export const namespace = target.namespace;
export const queryUrl = architecture.queryUrl;
