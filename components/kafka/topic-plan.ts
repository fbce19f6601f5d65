import * as z from "zod";

/** The topics that a cluster shall have, as the deployment hands them to the topics task. */
export const wantedTopicsSchema = z.array(
  z.strictObject({
    name: z.string(),
    partitions: z.int().positive(),
    /** Every setting of the topic that is not the broker's default, e.g. `{"retention.ms": "3600000"}`. */
    configuration: z.record(z.string(), z.string()),
  }),
);

/** A topic that a cluster shall have. */
export type WantedTopic = z.infer<typeof wantedTopicsSchema>[number];

/** A topic that a cluster has. */
export interface ExistingTopic {
  readonly partitions: number;
  /** The settings made for this topic; none of the broker's defaults. */
  readonly configuration: Readonly<Record<string, string>>;
}

/** What is to do so that a cluster has the topics that it shall have. */
export interface TopicPlan {
  readonly create: readonly WantedTopic[];
  /** Topics that get more partitions: `partitions` in all. */
  readonly expand: readonly { readonly name: string; readonly partitions: number }[];
  /** Topics whose settings change: to the new value, or back to the broker's default. */
  readonly configure: readonly {
    readonly name: string;
    readonly set: Readonly<Record<string, string>>;
    readonly unset: readonly string[];
  }[];
  /** What cannot be done, with the mend. Nothing of the plan may be done unless this is empty. */
  readonly refused: readonly string[];
}

/** What is not as it shall be, a sentence a topic and step. */
export function topicSentences({ create, expand, configure }: TopicPlan): string[] {
  return [
    ...create.map(({ name }) => `topic ${name} is missing`),
    ...expand.map(({ name, partitions }) => `topic ${name} has fewer than ${partitions} partitions`),
    ...configure.map(({ name, set, unset }) => {
      const settings = [...Object.entries(set).map(([key, value]) => `${key} is not ${value}`)];
      return `topic ${name}: ${[...settings, ...unset.map((key) => `${key} is set`)].join(", ")}`;
    }),
  ];
}

/** Compares wanted and existing topics. Topics that nobody asks for stay as they are: they hold data. */
export function planTopics(wanted: readonly WantedTopic[], existing: ReadonlyMap<string, ExistingTopic>): TopicPlan {
  const known = wanted.flatMap((topic) => {
    const found = existing.get(topic.name);
    return found === undefined ? [] : [{ topic, found }];
  });
  return {
    create: wanted.filter((topic) => !existing.has(topic.name)),
    expand: known
      .filter(({ topic, found }) => topic.partitions > found.partitions)
      .map(({ topic: { name, partitions } }) => ({ name, partitions })),
    configure: known
      .map(({ topic, found }) => ({
        name: topic.name,
        set: Object.fromEntries(
          Object.entries(topic.configuration).filter(([key, value]) => found.configuration[key] !== value),
        ),
        unset: Object.keys(found.configuration).filter((key) => !(key in topic.configuration)),
      }))
      .filter(({ set, unset }) => Object.keys(set).length > 0 || unset.length > 0),
    refused: known
      .filter(({ topic, found }) => topic.partitions < found.partitions)
      .map(
        ({ topic, found }) =>
          `topic ${topic.name} has ${found.partitions} partitions and cannot shrink to ${topic.partitions}: ` +
          `ask for at least ${found.partitions}, or for a topic of another name`,
      ),
  };
}
