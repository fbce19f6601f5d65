import type { PlannedResource, PropertyPath } from "./plan.ts";

/** What a plan needs to know of a type of resource. */
export interface ResourceKind {
  /**
   * The properties whose change makes the provider replace the resource, or all but these. A path stands for what is
   * below it too; `*` is any one name or index.
   */
  readonly replacedBy: readonly string[] | { readonly allBut: readonly string[] };
  /** What data it keeps, in words, e.g. `the data of kafka-broker-0`. Default: none */
  readonly data?: (resource: PlannedResource) => string | undefined;
  /** Whether its data goes when it is deleted. Default: it outlives it */
  readonly deletesData?: (resource: PlannedResource) => boolean;
  /** Whether it is a server, and the properties whose change does not restart it. Default: it is none */
  readonly restartedByAllBut?: readonly string[];
}

/** The fields by which Kubernetes tells objects apart. */
const identity = ["metadata.name", "metadata.namespace"];

/**
 * The types of resources that this project creates. Which properties replace a resource is each provider's doing:
 *
 * - `local`: `identity` in components/targets/local/provider.ts; what takes no restart: `needsRestart` in service.ts.
 * - Kubernetes: `forceNew` in pulumi-kubernetes, provider/pkg/provider/diff.go.
 */
const kinds: Readonly<Record<string, ResourceKind>> = {
  "local:index:Service": {
    replacedBy: ["stackFolder", "instance"],
    data: ({ inputs }) => (inputs.stateful === true ? `the data of ${inputs.instance}` : undefined),
    deletesData: ({ inputs }) => inputs.deleteData === true,
    restartedByAllBut: ["memory", "stateful", "deleteData", "readiness", "readinessTimeout", "stopGrace"],
  },
  "local:index:Task": { replacedBy: ["stackFolder", "instance"] },
  "local:index:Distribution": { replacedBy: ["name"] },
  "kubernetes:core/v1:Namespace": { replacedBy: identity },
};

/** What is known of the resource's type. Of another provider's it is nothing: only what it says itself replaces it. */
export function kindOf({ type }: Pick<PlannedResource, "type">): ResourceKind {
  return kinds[type] ?? { replacedBy: [] };
}

/** Whether a change of this property replaces the resource: by its type or by its own options. */
export function replaces(resource: PlannedResource, path: PropertyPath): boolean {
  const { replacedBy } = kindOf(resource);
  const byType =
    "allBut" in replacedBy
      ? !replacedBy.allBut.some((pattern) => covers(pattern, path))
      : replacedBy.some((pattern) => touches(pattern, path));
  return byType || (resource.options.replaceOnChanges ?? []).some((pattern) => touches(pattern, path));
}

/** Whether a change of this property restarts the server that the resource is. */
export function restarts(resource: PlannedResource, path: PropertyPath): boolean {
  const { restartedByAllBut } = kindOf(resource);
  return restartedByAllBut !== undefined && !restartedByAllBut.some((pattern) => covers(pattern, path));
}

/** Whether the path is the pattern's or below it. */
function covers(pattern: string, path: PropertyPath): boolean {
  const names = patternNames(pattern);
  return names.length <= path.length && agree(names, path);
}

/** Whether the path is the pattern's, below it or above it: a whole that changes, changes the part as well. */
function touches(pattern: string, path: PropertyPath): boolean {
  return agree(patternNames(pattern), path);
}

function agree(names: readonly string[], path: PropertyPath): boolean {
  return names.slice(0, path.length).every((name, index) => name === "*" || name === String(path[index]));
}

function patternNames(pattern: string): string[] {
  return pattern.replaceAll(/\[(\w+|\*)\]/g, ".$1").split(".");
}
