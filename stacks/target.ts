import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Target } from "../components/target.ts";
import type { StackConfiguration } from "./configuration.ts";

/**
 * The target of the stack. Its module is loaded only when chosen.
 *
 * @param checkout the project's folder, under which the local target keeps its servers' files
 */
export async function chooseTarget(name: StackConfiguration["target"], checkout: string): Promise<Target> {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  switch (name) {
    case "local": {
      const { createLocalTarget } = await import("../components/targets/local/index.ts");
      return createLocalTarget({ project, stack, folder: join(checkout, ".lambda", "stacks", stack) });
    }
  }
}
