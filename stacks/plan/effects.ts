import { type PermanentValues, permanentChanges } from "../permanent.ts";
import type { PlanChanges, ResourceChange } from "./changes.ts";
import { lossOfCopies } from "./copies.ts";
import { type PlannedResource, unknownMark } from "./plan.ts";
import { kindOf, replaces, restarts } from "./resource-kinds.ts";

/** What the changes of a plan do, by what a reviewer has to know first. */
export interface Effects {
  /** What Pulumi will refuse: the protected resources that would go or be replaced. */
  readonly refused: readonly PlannedResource[];
  /** What `up` will refuse where the stack has been up before, since its data is made for it: a sentence each. */
  readonly refusedArguments: readonly string[];
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
    refusedArguments: changed.flatMap(refusedArguments),
    data: [
      ...deleted.flatMap((resource) => lossOf(resource, "deletes")),
      ...replaced.flatMap(({ before }) => lossOf(before, "replaces")),
      ...lossOfCopies(changed),
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
  const reason = reasonOfRecomputation(before.inputs, after.inputs);
  return properties.flatMap(({ path: [argument, view], before: old, after: news }) => {
    switch (argument) {
      case "views":
        return view === undefined ? [] : [viewEffect(String(view), old, news, reason)];
      case "topic":
        return [`reads the topic \`${news}\` instead of \`${old}\`, whose events no view counts any more`];
      case "retentionHours":
        return [`Kafka keeps events at least ${news} hours instead of ${old}; the master dataset keeps them for ever`];
      default:
        return [];
    }
  });
}

/** Why a view that was there before has other rows; undefined if they are of another topic, and so new. */
function reasonOfRecomputation(
  before: PlannedResource["inputs"],
  after: PlannedResource["inputs"],
): string | undefined {
  if (before.topic !== after.topic) return undefined;
  if (before.chunkSize !== after.chunkSize) return "the chunk size changed";
  if ((before.logIncarnation ?? 1) !== (after.logIncarnation ?? 1)) return "another life of the log begins";
  return "its code changed, or the form of its stored rows";
}

function viewEffect(view: string, before: unknown, after: unknown, reason: string | undefined): string {
  if (before === undefined) return `computes the new view \`${view}\` from all events`;
  if (after === undefined) return `takes out the view \`${view}\`: nothing answers for it any more`;
  if (reason === undefined)
    return `computes the view \`${view}\` of the new topic from all events of that one, beside the former (${before} → ${after})`;
  return `recomputes the view \`${view}\`, because ${reason} (${before} → ${after})`;
}

/** What a changed resource asks for that the data does not allow. */
function refusedArguments({ before, after }: ResourceChange): string[] {
  const topic = String(after.inputs.topic ?? "");
  return permanentChanges(topic, permanentOf(before), permanentOf(after)).map(
    ({ key, before: had, after: wanted, why }) => `\`${key}\` cannot change from ${had} to ${wanted}, since ${why}`,
  );
}

/** The permanent values that a resource states. */
function permanentOf({ type, inputs }: PlannedResource): PermanentValues {
  const number = (value: unknown, otherwise: number) => (typeof value === "number" ? value : otherwise);
  const { topic, chunkSize, partitions, logIncarnation, storage, controllers } = inputs;
  const isArchitecture = type === "lambda-architecture:index:LambdaArchitecture";
  const isKafka = type === "lambda-architecture:index:KafkaCluster" && typeof controllers === "number";
  return {
    storage: isArchitecture ? String(storage) : "",
    ...(isKafka && { kafkaControllers: controllers }),
    awsVpcId: "",
    topics: isArchitecture
      ? {
          [String(topic)]: {
            chunkSize: number(chunkSize, 0),
            partitions: number(partitions, 0),
            logIncarnation: number(logIncarnation, 1),
          },
        }
      : {},
  };
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
