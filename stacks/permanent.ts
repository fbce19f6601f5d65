import * as pulumi from "@pulumi/pulumi";
import * as z from "zod";
import { defaultControllers } from "../components/kafka/configuration.ts";
import { systemArgs } from "../components/size-profiles.ts";
import { type StackConfiguration, storageOf } from "./configuration.ts";

/**
 * What of a stack's configuration its data is made for. The stack's output `permanent` notes it, so that a preview can
 * refuse a change of it on every target, before anything restarts; `destroy` forgets it.
 */
const permanentSchema = z.object({
  /** Where the master dataset is. */
  storage: z.string(),
  /** Brokers that are Kafka's controllers too; undefined for a managed Kafka. */
  kafkaControllers: z.number().optional(),
  /** The network that is somebody's own; empty if there is none. */
  awsVpcId: z.string(),
  /** By name, every topic that the stack has read. */
  topics: z.record(z.string(), z.object({ chunkSize: z.number(), partitions: z.number(), logIncarnation: z.number() })),
});

export type PermanentValues = z.infer<typeof permanentSchema>;

/** The values of a configuration, beside what was noted of other topics. */
export function permanentValues(configuration: StackConfiguration, noted?: PermanentValues): PermanentValues {
  const { topic, chunkSize, partitions, logIncarnation, awsVpcId, size, target } = configuration;
  const controllers = configuration.kafkaControllers === 0 ? undefined : configuration.kafkaControllers;
  const { kafka } = systemArgs(size, { kafka: controllers === undefined ? {} : { controllers } });
  return {
    storage: placeOf(configuration),
    ...(target !== "aws" && { kafkaControllers: kafka.controllers ?? defaultControllers(kafka.replicas ?? 1) }),
    awsVpcId,
    topics: { ...noted?.topics, [topic]: { chunkSize, partitions, logIncarnation } },
  };
}

function placeOf(configuration: StackConfiguration): string {
  const storage = storageOf(configuration);
  if (storage !== "s3" || configuration.target === "aws") return storage;
  const { s3Bucket, s3Endpoint } = configuration;
  return `s3, bucket ${s3Bucket}${s3Endpoint === "" ? "" : ` at ${s3Endpoint}`}`;
}

/** A value that may not become another one. */
interface PermanentChange {
  readonly key: string;
  readonly before: string | number;
  readonly after: string | number;
  readonly why: string;
  /** The fix, where it is not to set the key as it was. */
  readonly fix?: string;
}

/**
 * What a configuration changes although the data is made for it: a line each, with the key, both values, why, and the fix.
 *
 * @param stack the stack's name, for the fix
 * @param noted what the stack's output says; undefined for a stack that is not up
 */
export function permanentProblems(
  stack: string,
  configuration: StackConfiguration,
  noted: PermanentValues | undefined,
): string[] {
  if (noted === undefined) return [];
  return permanentChanges(configuration.topic, noted, permanentValues(configuration)).map(
    ({ key, before, after, why, fix }) =>
      `  lambda-architecture:${key}: cannot change from ${before} to ${after}, since ${why}. Fix: ` +
      (fix ?? `npm run pulumi -- config set ${key} ${before} --stack ${stack}`),
  );
}

/** The changes from the former values of a stack to others that its data does not allow. */
export function permanentChanges(topic: string, former: PermanentValues, wanted: PermanentValues): PermanentChange[] {
  const [had, has] = [former.topics[topic], wanted.topics[topic]];
  const changes: (PermanentChange | false | undefined)[] = [
    had !== undefined &&
      has !== undefined &&
      had.chunkSize !== has.chunkSize && {
        ...{ key: "chunkSize", before: had.chunkSize, after: has.chunkSize },
        why: `the files of the topic ${topic} and the views of it are made of such chunks; another topic may have another size`,
      },
    had !== undefined &&
      has !== undefined &&
      had.partitions > has.partitions && {
        ...{ key: "partitions", before: had.partitions, after: has.partitions },
        why: `there may be events in each of the topic ${topic}, and Kafka takes none away`,
      },
    had !== undefined &&
      has !== undefined &&
      had.logIncarnation > has.logIncarnation && {
        ...{ key: "logIncarnation", before: had.logIncarnation, after: has.logIncarnation },
        why: "that life of the log is over",
      },
    former.storage !== wanted.storage && {
      ...{ key: "storage", before: former.storage, after: wanted.storage },
      why: "the master dataset would stay behind: nothing is copied",
      fix: "set it as it was, or make another stack and play the events into it",
    },
    former.kafkaControllers !== undefined &&
      former.kafkaControllers !== wanted.kafkaControllers && {
        ...{ key: "kafkaControllers", before: former.kafkaControllers, after: wanted.kafkaControllers ?? "none" },
        why: "Kafka's data is made for it",
      },
    former.awsVpcId !== wanted.awsVpcId && {
      ...{ key: "awsVpcId", before: former.awsVpcId || "its own", after: wanted.awsVpcId || "its own" },
      why: "all that keeps data would be replaced by others in another network",
      ...(former.awsVpcId === "" && { fix: "unset it: npm run pulumi -- config rm awsVpcId" }),
    },
  ];
  return changes.filter((change) => typeof change === "object");
}

/** What the outputs of this very stack note; undefined if it is not up. To be asked by its program. */
export async function notedValues(): Promise<PermanentValues | undefined> {
  const name = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
  const { outputs } = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  return permanentSchema.safeParse(outputs?.permanent).data;
}
