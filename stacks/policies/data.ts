import type { ResourceValidationPolicy } from "@pulumi/policy";
import { kindOf } from "../plan/resource-kinds.ts";
import { isGuarded } from "./stack.ts";

/** What keeps data does not go by accident. */
export const statefulProtected: ResourceValidationPolicy = {
  name: "stateful-protected",
  description: "On staging and prod what keeps data is protected.",
  validateResource: ({ type, name, props, opts, urn }, report) => {
    if (!isGuarded(urn) || opts.protect) return;
    const resource = { type, name, inputs: props, parent: "", dependsOn: [], options: {} };
    const data = kindOf(resource).data?.(resource);
    if (data !== undefined) report(`It keeps ${data}: set protect, or do not call the stack ephemeral.`);
  },
};
