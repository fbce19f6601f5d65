import type { Plan, PlannedResource } from "../../../stacks/plan/plan.ts";

/** A plan of these resources. */
export function plan(...resources: readonly PlannedResource[]): Plan {
  return { stack: "test", resources };
}

/** A resource of a plan. */
export function resource(name: string, changes: Partial<PlannedResource> = {}): PlannedResource {
  return { type: "test:index:Thing", name, parent: "", dependsOn: [], options: {}, inputs: {}, ...changes };
}

/** A server of the local target. */
export function service(name: string, changes: Partial<PlannedResource> = {}): PlannedResource {
  const { inputs, ...others } = changes;
  return resource(name, {
    type: "local:index:Service",
    inputs: { instance: name, stackFolder: "/stack", stateful: false, deleteData: false, memory: 100, ...inputs },
    ...others,
  });
}

/** An architecture with these arguments. */
export function architecture(inputs: PlannedResource["inputs"], name = "lambda"): PlannedResource {
  return resource(name, { type: "lambda-architecture:index:LambdaArchitecture", inputs });
}
