import { isMarkedSecret } from "../../components/secret-marks.ts";
import type { RegisteredResource, ResourceOptions } from "./program-recording.ts";

/** What a stack consists of, as a file of the repository keeps it: the same on every machine, and without secrets. */
export interface Plan {
  readonly stack: string;
  /** Ordered by name, then type. */
  readonly resources: readonly PlannedResource[];
}

/** A resource of a {@link Plan}. */
export interface PlannedResource {
  readonly type: string;
  readonly name: string;
  /** The name of the resource that it belongs to; empty if to none. */
  readonly parent: string;
  /** The names of what is created before it. */
  readonly dependsOn: readonly string[];
  readonly options: ResourceOptions;
  /** Secret values are {@link secretMark}, those that only a provider knows {@link unknownMark}. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** Where a property is, from the resource's inputs on: names and, of lists, indices. */
export type PropertyPath = readonly (string | number)[];

/** What stands for a secret, whatever it is: a plan is no place for it, nor for its hash. */
export const secretMark = "(secret)";
/** What stands for a value that only the provider can tell. */
export const unknownMark = "(known after up)";

/** What goes over Pulumi's wire for an unknown value; see its `runtime/rpc`. */
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * The plan of a program's resources.
 *
 * @param places texts that differ from machine to machine, such as the checkout's path, and what stands for each
 */
export function planOf(
  stack: string,
  resources: readonly RegisteredResource[],
  places: Readonly<Record<string, string>>,
): Plan {
  // What is in another place is replaced before it.
  const replacements = Object.entries(places).sort(([a], [b]) => b.length - a.length);
  const planned = resources
    .filter(({ type }) => !type.startsWith("pulumi:pulumi:"))
    .map(({ type, name, parent, dependsOn, options, inputs }) => ({
      type,
      name,
      parent,
      dependsOn,
      options,
      inputs: normalised(inputs, replacements) as Record<string, unknown>,
    }));
  const order = ({ name, type }: PlannedResource) => `${name}\0${type}`;
  return { stack, resources: planned.sort((a, b) => (order(a) < order(b) ? -1 : 1)) };
}

/** The plan as the text of its file. */
export function planText(plan: Plan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

function normalised(value: unknown, replacements: readonly (readonly [string, string])[]): unknown {
  if (typeof value === "string") {
    if (value === unknownValue) return unknownMark;
    return replacements.reduce((text, [place, word]) => text.replaceAll(place, word), value);
  }
  if (Array.isArray(value)) return value.map((item) => normalised(item, replacements));
  if (typeof value !== "object" || value === null) return value;
  if (isMarkedSecret(value)) return secretMark;
  // In order, since a program may put its properties together in any.
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, normalised(inner, replacements)]));
}
