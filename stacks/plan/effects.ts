import type { PlanChanges, ResourceChange } from "./changes.ts";
import { type PlannedResource, unknownMark } from "./plan.ts";
import { kindOf, replaces, restarts } from "./resource-kinds.ts";

/** What the changes of a plan do, by what a reviewer has to know first. */
export interface Effects {
  /** What Pulumi will refuse: the protected resources that would go or be replaced. */
  readonly refused: readonly PlannedResource[];
  /** Effects on data, a sentence each in Markdown, the worst first. */
  readonly data: readonly string[];
  /** The names of the servers that restart: those of one item at once, after those of the items before. */
  readonly restarts: readonly (readonly string[])[];
  readonly created: readonly PlannedResource[];
  /** What changes in place. */
  readonly updated: readonly ResourceChange[];
  readonly replaced: readonly ResourceChange[];
  readonly deleted: readonly PlannedResource[];
}

/** The effects of changes. */
export function effectsOf({ created, deleted, changed }: PlanChanges): Effects {
  const isReplaced = ({ after, properties }: ResourceChange) => properties.some(({ path }) => replaces(after, path));
  const replaced = changed.filter(isReplaced);
  const updated = changed.filter((change) => !isReplaced(change));
  const going = [...deleted, ...replaced.map(({ before }) => before)];
  const refused = going.filter(({ options }) => options.protect === true);
  const restarted = updated.filter(({ after, properties }) => properties.some(({ path }) => restarts(after, path)));
  return {
    refused,
    data: [
      ...deleted.flatMap((resource) => lossOf(resource, "deletes")),
      ...replaced.flatMap(({ before }) => lossOf(before, "replaces")),
      ...updated.flatMap(dataSettings),
      ...changed.flatMap(encryptionEffects),
      ...changed.flatMap(viewEffects),
    ],
    restarts: inOrder(restarted.map(({ after }) => after)),
    created,
    updated,
    replaced,
    deleted,
  };
}

/** What becomes of the data of a resource that goes. */
function lossOf(resource: PlannedResource, does: "deletes" | "replaces"): string[] {
  const { data, deletesData } = kindOf(resource);
  const kept = data?.(resource);
  if (kept === undefined) return [];
  const fate = resource.options.retainOnDelete
    ? "the real thing stays, unmanaged"
    : deletesData?.(resource)
      ? "**its data is lost**"
      : "its data stays";
  const refusal = resource.options.protect ? "; it is protected, so Pulumi **refuses**" : "";
  return [`${does} \`${resource.name}\`, which keeps ${kept}: ${fate}${refusal}`];
}

/** What changed arguments of an architecture mean for its events and views. */
function viewEffects({ before, after, properties }: ResourceChange): string[] {
  if (after.type !== "lambda-architecture:index:LambdaArchitecture") return [];
  return properties.flatMap(({ path: [argument, view], before: old, after: news }) => {
    switch (argument) {
      case "views":
        return view === undefined ? [] : [viewEffect(String(view), old, news)];
      case "chunkSize":
        return before.inputs.topic === after.inputs.topic
          ? [
              `changes the chunk size of the topic \`${after.inputs.topic}\` from ${old} to ${news}: **answers become wrong** if it has events`,
            ]
          : [];
      case "topic":
        return [`reads the topic \`${news}\` instead of \`${old}\`, whose events no view counts any more`];
      case "retentionHours":
        return [`Kafka keeps events at least ${news} hours instead of ${old}; the master dataset keeps them for ever`];
      default:
        return [];
    }
  });
}

function viewEffect(view: string, before: unknown, after: unknown): string {
  if (before === undefined) return `computes the new view \`${view}\` from all events`;
  if (after === undefined) return `takes out the view \`${view}\`: nothing answers for it any more`;
  return `recomputes the view \`${view}\`, because its code changed (${before} → ${after})`;
}

/** A changed say in what becomes of data. */
function dataSettings({ before, after }: ResourceChange): string[] {
  const { data, deletesData } = kindOf(after);
  const kept = data?.(after);
  if (kept === undefined) return [];
  const [deleted, deletes] = [before, after].map((resource) => deletesData?.(resource) ?? false);
  if (deleted === deletes) return [];
  return [`\`${after.name}\`: ${kept} ${deletes ? "will be lost when it is deleted" : "will outlive it"}`];
}

/** What another encryption of a bucket means for its objects. */
function encryptionEffects({ before, after }: ResourceChange): string[] {
  if (!/^aws:s3\/bucketServerSideEncryptionConfiguration:/.test(after.type)) return [];
  const [old, news] = [before, after].map(encryptionOf);
  if (old === news) return [];
  return [
    `\`${after.name}\`: objects are encrypted with ${news} instead of ${old} from now on; those that are there stay as they are`,
  ];
}

/** The algorithm, and the key if there is one. */
function encryptionOf({ inputs }: PlannedResource): string {
  const [rule] = (inputs.rules ?? []) as {
    readonly applyServerSideEncryptionByDefault?: { readonly sseAlgorithm?: string; readonly kmsMasterKeyId?: string };
  }[];
  const { sseAlgorithm = "nothing", kmsMasterKeyId } = rule?.applyServerSideEncryptionByDefault ?? {};
  return kmsMasterKeyId === undefined || kmsMasterKeyId === unknownMark
    ? `\`${sseAlgorithm}\``
    : `\`${sseAlgorithm}\`, key ${kmsMasterKeyId}`;
}

/** The resources' names by when they come: after all of them that they depend on. */
function inOrder(resources: readonly PlannedResource[]): string[][] {
  const byName = new Map(resources.map((resource) => [resource.name, resource]));
  const steps = new Map<string, number>();
  const stepOf = (resource: PlannedResource): number => {
    const known = steps.get(resource.name);
    if (known !== undefined) return known;
    // Names are not unique across types, so a name may lead back to itself: the first look then counts.
    steps.set(resource.name, 0);
    const earlier = resource.dependsOn.flatMap((name) => byName.get(name) ?? []);
    const step = Math.max(0, ...earlier.map((each) => stepOf(each) + 1));
    steps.set(resource.name, step);
    return step;
  };
  const order = Map.groupBy(resources, stepOf);
  return [...order].sort(([a], [b]) => a - b).map(([, group]) => group.map(({ name }) => name));
}
