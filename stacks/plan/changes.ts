import { isDeepStrictEqual } from "node:util";
import type { Plan, PlannedResource, PropertyPath } from "./plan.ts";
import type { Alias } from "./program-recording.ts";

/** How one plan differs from another. */
export interface PlanChanges {
  readonly created: readonly PlannedResource[];
  readonly deleted: readonly PlannedResource[];
  /** What stays and has other properties or another name, in the order of {@link Plan}. */
  readonly changed: readonly ResourceChange[];
}

/** A resource that stays, in both plans. */
export interface ResourceChange {
  readonly before: PlannedResource;
  readonly after: PlannedResource;
  readonly properties: readonly PropertyChange[];
}

/** A property that differs; undefined where it is not set. */
export interface PropertyChange {
  readonly path: PropertyPath;
  readonly before: unknown;
  readonly after: unknown;
}

/** The changes from one plan to the other. A resource with an alias that the former plan knows has stayed. */
export function planChanges(before: Plan, after: Plan): PlanChanges {
  const olds = new Map(before.resources.map((resource) => [key(resource.type, resource.name), resource]));
  const afterByName = new Map(after.resources.map((resource) => [resource.name, resource]));
  const stayed = new Map<PlannedResource, PlannedResource>();
  const kept = new Set<PlannedResource>();
  for (const resource of after.resources) {
    const old = formerKeys(resource, afterByName)
      .map((each) => olds.get(each))
      .find((each) => each !== undefined && !kept.has(each));
    if (old === undefined) continue;
    stayed.set(resource, old);
    kept.add(old);
  }
  return {
    created: after.resources.filter((resource) => !stayed.has(resource)),
    deleted: before.resources.filter((resource) => !kept.has(resource)),
    changed: [...stayed]
      .map(([news, old]) => ({ before: old, after: news, properties: propertyChanges(old.inputs, news.inputs) }))
      .filter(({ before: old, after: news, properties }) => properties.length > 0 || old.name !== news.name),
  };
}

/** The keys under which a former plan may have the resource: its own, then its aliases', its own and inherited ones. */
function formerKeys(resource: PlannedResource, byName: ReadonlyMap<string, PlannedResource>): string[] {
  const names = formerNames(resource, byName);
  const types = [resource.type, ...(resource.options.aliases ?? []).flatMap(({ type }) => type ?? [])];
  return [...new Set(types.flatMap((type) => names.map((name) => key(type, name))))];
}

/** The resource's name and those that it had, by its own aliases or, as Pulumi has it, by those of what it belongs to. */
function formerNames(resource: PlannedResource, byName: ReadonlyMap<string, PlannedResource>): string[] {
  const { name, parent, options } = resource;
  const own = (options.aliases ?? []).flatMap((alias: Alias) => alias.name ?? []);
  const container = parent === name ? undefined : byName.get(parent);
  const inherited =
    container === undefined
      ? []
      : formerNames(container, byName).flatMap((former) =>
          former !== parent && name.startsWith(parent) ? [former + name.slice(parent.length)] : [],
        );
  return [name, ...own, ...inherited];
}

/** The leaves in which two values differ; lists of another length count as a leaf. */
export function propertyChanges(before: unknown, after: unknown, path: PropertyPath = []): PropertyChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((item, index) => propertyChanges(item, after[index], [...path, index]));
  if (isRecord(before) && isRecord(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .sort()
      .flatMap((name) => propertyChanges(before[name], after[name], [...path, name]));
  return [{ path, before, after }];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function key(type: string, name: string): string {
  return `${type} ${name}`;
}
