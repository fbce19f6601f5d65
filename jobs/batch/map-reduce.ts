import * as z from "zod";

/** What the batch program is told about Hadoop, beside jobs/configuration.ts: written by the deployment. */
export const hadoopClientSchema = z.strictObject({
  /** The `java` and the class path (`folder/*`, joined by the target) of the submitting client. */
  java: z.string(),
  classPath: z.array(z.string()).min(1),
  /** The folder with core-site.xml, yarn-site.xml and mapred-site.xml. */
  configurationDirectory: z.string(),
  /** The ResourceManager and the JobHistoryServer: `http://host:port`. */
  resourceManager: z.url(),
  historyServer: z.url(),
  /** The `node` and the bundled programs (jobs/batch/mapper.ts, reducer.ts) as they are found where tasks run. */
  node: z.string(),
  mapper: z.string(),
  reducer: z.string(),
  /** Reduce tasks, hence output files of a run. 1 lets small runs go without containers of their own. */
  reducers: z.int().positive(),
});

export type HadoopClient = z.infer<typeof hadoopClientSchema>;

/** What one run of the job is given. */
export interface MapReduceArgs {
  readonly hadoop: HadoopClient;
  /** The user to act as, see `configuration.hdfs.user`. */
  readonly user: string;
  /** The job's name, the same in every run: jobs of this name that an earlier run left behind are killed first. */
  readonly name: string;
  /** The run's version: a tag of the job. */
  readonly version: string;
  /** The names of the application's views. */
  readonly views: readonly string[];
  /** The absolute HDFS paths of the files to read; at least one. */
  readonly input: readonly string[];
  /** The absolute HDFS path of the folder to write, which must not exist. */
  readonly output: string;
  /** Called when something has changed, at most once a second. */
  readonly onProgress?: (progress: MapReduceProgress) => void;
  /** Kills the job; the run then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface MapReduceProgress {
  /** YARN's application id; undefined until the job is submitted. */
  readonly applicationId?: string;
  /** YARN's state, e.g. `ACCEPTED`, `RUNNING`. */
  readonly state: string;
  /** From 0 to 100. */
  readonly percent: number;
}

/** What a finished job has done. Its counts are Hadoop's counters: those of successful task attempts alone. */
export interface MapReduceResult {
  readonly applicationId: string;
  /** Lines read. */
  readonly mapInputRecords: number;
  /** Lines that are no event by the application's schema (it may have become stricter since); none are in a view. */
  readonly invalid: number;
  /** By view: events that have a problem in that view and are left out of it alone. */
  readonly skipped: Readonly<Record<string, number>>;
  /** By view: lines of output. */
  readonly outputRecords: Readonly<Record<string, number>>;
}

/**
 * Computes every view over the input as one Hadoop Streaming job on YARN. The output folder gets files `part-NNNNN` of
 * JSON lines: `{"view": name, "__time": start of the step in ms, <key fields>, <columns>}`, one line a row of a view.
 *
 * @throws {Error} if the job fails or its counters do not add up, with the job's own diagnostics
 */
export async function runMapReduce(_args: MapReduceArgs): Promise<MapReduceResult> {
  throw new Error("not there yet");
}
