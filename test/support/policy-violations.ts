import type {
  PolicyResource,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { PlannedResource } from "../../stacks/plan/plan.ts";

/** What a policy says of a stack's resources, each sentence after the resource's name, as the engine would ask it. */
export async function violations(
  policy: ResourceValidationPolicy | StackValidationPolicy,
  resources: readonly PlannedResource[],
  stack: string,
): Promise<string[]> {
  const found: string[] = [];
  const bag = resources.map((resource) => policyResource(resource, stack));
  // A plan names what a resource depends on, and resources of several types may have one name.
  const byName = Map.groupBy(bag, ({ name }) => name);
  for (const [index, { dependsOn }] of resources.entries())
    bag[index]?.dependencies.push(
      ...dependsOn.flatMap((name) => byName.get(name) ?? []).filter((each) => each !== bag[index]),
    );
  if ("validateStack" in policy) {
    const args = { resources: bag, stackTags: new Map(), getConfig: () => ({}), notApplicable } as unknown;
    await policy.validateStack(args as StackValidationArgs, (message, urn) => {
      found.push(`${urn?.split("::").at(-1)}: ${message}`);
    });
    return found;
  }
  const validations = [policy.validateResource ?? []].flat();
  for (const resource of bag)
    for (const validate of validations)
      await validate(
        { ...resource, getConfig: () => ({}), notApplicable } as unknown as ResourceValidationArgs,
        (message) => {
          found.push(`${resource.name}: ${message}`);
        },
      );
  return found;
}

function policyResource({ type, name, inputs, options }: PlannedResource, stack: string): PolicyResource {
  return {
    type,
    name,
    props: inputs,
    urn: `urn:pulumi:${stack}::lambda-architecture::${type}::${name}`,
    opts: { protect: options.protect ?? false },
    dependencies: [],
    propertyDependencies: {},
  } as unknown as PolicyResource;
}

function notApplicable(): never {
  throw new Error("no policy says so");
}
