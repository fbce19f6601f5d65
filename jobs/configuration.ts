import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { kafkaConnectionSchema } from "./kafka/connection.ts";
import { storageConfigurationSchema } from "./storage/configuration.ts";

/** What every job is told about the servers and about the data's layout: one JSON file, written by the deployment. */
export const configurationSchema = z.strictObject({
  /** The topic of the events. */
  topic: z.string(),
  /** The topic of what is no event: same number of partitions, see jobs/archive. */
  deadLetterTopic: z.string(),
  partitions: z.int().positive(),
  /** Offsets a chunk, see jobs/chunks.ts. It may never change for a topic. */
  chunkSize: z.int().positive(),
  /** Events of more bytes than this go to the dead-letter topic. */
  maxEventBytes: z.int().positive(),
  kafka: kafkaConnectionSchema,
  /** Where the master dataset and the output of batch runs are. */
  storage: storageConfigurationSchema,
  /** The folder of the master dataset; a topic's files are under `<masterDataset>/<topic>/<partition>/`. */
  masterDataset: z.string(),
  /** The folder of the parts of chunks that are not full yet, see jobs/archive/layout.ts. */
  openChunks: z.string(),
  /** Minutes after which an event is in the storage, if its chunk is full or not. */
  archiveMinutes: z.number().positive(),
  /** Hours after which a chunk that has an event is closed although it is not full, see jobs/kafka/seal-marker.ts. */
  sealHours: z.number().positive(),
  /** Hours that Kafka keeps an event at least; longer as long as it is not archived, or no batch view has it. */
  retentionHours: z.number().positive(),
  /** Which life of the topic's log is read: 1 for the first, see jobs/archive/layout.ts. */
  incarnation: z.int().positive(),
  /** The folder of the batch runs' output, one folder a version. */
  batchViews: z.string(),
  cassandra: z.strictObject({
    /** `host:port` of the nodes. */
    contactPoints: z.array(z.string()).min(1),
    localDataCenter: z.string(),
    keyspace: z.string(),
  }),
  druid: z.strictObject({
    /** `http://host:port` of the broker and of the coordinator-overlord. */
    broker: z.url(),
    coordinator: z.url(),
  }),
  speed: z.strictObject({
    /** Cassandra partitions that an era of a view is spread over by key. It may never change for a view. */
    shards: z.int().positive(),
    /** Chunks a partition that share an era. It may never change for a view. */
    chunksPerEra: z.int().positive(),
  }),
  /** The generation of every view: 8 hexadecimal digits of the hash of its code, by the view's name. */
  generations: z.record(z.string(), z.string().regex(/^[0-9a-f]{8}$/)),
});

export type Configuration = z.infer<typeof configurationSchema>;

/**
 * The configuration in the file named by `--configuration FILE`. Ends the process with one line a problem and exit
 * code 2 if there is none or it does not fit: that is the deployment's mistake, and no stack trace helps.
 *
 * @param schema of a job that is told more than every job. Default: {@link configurationSchema}
 */
export function readConfiguration(): Configuration;
export function readConfiguration<Extended extends Configuration>(schema: z.ZodType<Extended>): Extended;
export function readConfiguration(schema: z.ZodType<Configuration> = configurationSchema): Configuration {
  return readConfigurationOf(schema, withAbsolutePaths);
}

/**
 * As {@link readConfiguration}, for a program that is told something else than what every job is.
 *
 * @param complete what to make of the configuration, given its file's folder. Default: itself
 */
export function readConfigurationOf<Value>(
  schema: z.ZodType<Value>,
  complete: (configuration: Value, folder: string) => Value = (configuration) => configuration,
): Value {
  const { values } = parseArgs({ options: { configuration: { type: "string" } }, strict: false });
  try {
    if (typeof values.configuration !== "string") throw new Error("--configuration FILE is missing");
    const configuration = schema.parse(JSON.parse(readFileSync(values.configuration, "utf8")));
    return complete(configuration, dirname(values.configuration));
  } catch (error) {
    console.error(error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message);
    process.exit(2);
  }
}

/** The configuration with paths that no longer depend on where its file is. */
function withAbsolutePaths<Extended extends Configuration>(configuration: Extended, folder: string): Extended {
  const { storage } = configuration;
  if (storage.kind !== "s3" || storage.credentialsFile === undefined) return configuration;
  return { ...configuration, storage: { ...storage, credentialsFile: resolve(folder, storage.credentialsFile) } };
}
