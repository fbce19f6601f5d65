import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { hadoopConfiguration } from "../../components/hadoop/configuration.ts";
import type { Content } from "../archive/content.ts";
import { nodeArguments } from "../node-arguments.ts";
import { countedContent } from "./content-counters.ts";
import { counterGroup } from "./streaming.ts";
import { type JobCounters, Yarn, type YarnApplication } from "./yarn.ts";

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
  /** The `node` as it is found where tasks run. */
  node: z.string(),
  /** The bundled programs (jobs/batch/mapper.ts, reducer.ts) as the client finds them: a job carries them to its tasks. */
  mapper: z.string(),
  reducer: z.string(),
  /** Reduce tasks, hence output files of a run. 1 lets small runs go without containers of their own. */
  reducers: z.int().positive(),
  /** The user to act as. */
  user: z.string(),
  /** Further environment of the submitting client, e.g. where its credentials are. */
  environment: z.record(z.string(), z.string()),
});

export type HadoopClient = z.infer<typeof hadoopClientSchema>;

/** What one run of the job is given. */
export interface MapReduceArgs {
  readonly hadoop: HadoopClient;
  /** The job's name, the same in every run: jobs of this name that an earlier run left behind are killed first. */
  readonly name: string;
  /** The run's version: a tag of the job. */
  readonly version: string;
  /** The names of the application's views. */
  readonly views: readonly string[];
  /** The absolute paths of the files to read; at least one. */
  readonly input: readonly string[];
  /** The absolute path of the folder to write, which must not exist. */
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
  /** What the tasks read of the input. */
  readonly content: Content;
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
export async function runMapReduce(args: MapReduceArgs): Promise<MapReduceResult> {
  const yarn = new Yarn(args.hadoop.resourceManager, args.hadoop.historyServer, args.hadoop.user);
  await killAll(yarn, args);
  const folder = await mkdtemp(join(tmpdir(), "lambda-architecture-batch-"));
  try {
    const job = join(folder, "job.xml");
    await writeFile(job, jobConfiguration(args));
    args.onProgress?.({ state: "SUBMITTING", percent: 0 });
    await submit(args, job);
    const { id } = await finish(yarn, args);
    return mapReduceResult(id, await yarn.counters(id), args.views);
  } catch (error) {
    // Should this fail as well, the next run begins with it.
    await killAll(yarn, args).catch(() => {});
    throw args.signal?.aborted ? args.signal.reason : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds between two looks at the job. */
const pollInterval = 500;
/** Milliseconds without progress after which a job is given up: three times what MapReduce gives a task. */
const jobPatience = 1_800_000;
/** Milliseconds for which an application may take to end when it is killed. */
const killPatience = 120_000;

/**
 * Kills the applications of the job's name that have not ended, and waits until they have; none of a later version: a
 * run that was paused for long must not hurt its successor when it wakes.
 *
 * @param patience milliseconds. Default: 120,000
 * @throws {Error} if one does not end
 */
export async function killAll(
  yarn: Pick<Yarn, "applications" | "kill">,
  { name, version }: Pick<MapReduceArgs, "name" | "version">,
  patience = killPatience,
): Promise<void> {
  for (const begun = performance.now(); ; ) {
    const running = (await yarn.applications(tag(name)))
      .filter(({ finalStatus }) => finalStatus === "UNDEFINED")
      .filter((application) => application.name.slice(name.length + 1) <= version);
    if (running.length === 0) return;
    if (performance.now() - begun > patience)
      throw new Error(
        `YARN's application ${running[0]?.id} has not ended within ${patience / 1_000} s of being killed`,
      );
    for (const { id } of running) await yarn.kill(id);
    await sleep(pollInterval);
  }
}

/** YARN keeps tags in lower case. */
function tag(text: string): string {
  return text.toLowerCase();
}

/** The text of the job's own configuration file. */
export function jobConfiguration({ hadoop, name, version, input }: MapReduceArgs): string {
  return hadoopConfiguration({
    "mapreduce.job.name": `${name} ${version}`,
    "mapreduce.job.tags": `${tag(name)},${tag(version)}`,
    "mapreduce.job.reduces": hadoop.reducers,
    // The first file is an argument, since Streaming insists on one; thousands of them would not fit there.
    "mapreduce.input.fileinputformat.inputdir": input.slice(1).map(escapePath).join(","),
    "mapreduce.input.fileinputformat.list-status.num-threads": 8,
    // Many small files go into one map task, up to so many bytes: several seconds of work, since to start a task takes
    // as much CPU time as some hundred thousand events.
    "mapreduce.input.fileinputformat.split.maxsize": 256 * 1024 * 1024,
    // Mappers get the line alone, without the byte offset that is its key.
    "stream.map.input.ignoreKey": true,
    // Streaming puts the configuration into its programs' environment, where the list of files would not fit.
    "stream.jobconf.truncate.limit": 1000,
    // A reducer's line is written as it is, not as a key, a tab and an empty value.
    "stream.reduce.output": "keyonlytext",
    // On few machines a second attempt at a task that is only slow costs more than it brings.
    "mapreduce.map.speculative": false,
    "mapreduce.reduce.speculative": false,
  });
}

/** A path in a comma-separated list. */
function escapePath(path: string): string {
  return path.replaceAll(/[\\,]/g, "\\$&");
}

/** The command line of Hadoop's client, which submits the job and ends. */
export function submitCommand({ hadoop, input, output }: MapReduceArgs, job: string): string[] {
  const task = (program: string) => `"${hadoop.node}" ${nodeArguments().join(" ")} "${basename(program)}"`;
  return [
    hadoop.java,
    "-Xmx128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.net.preferIPv4Stack=true",
    "-cp",
    [hadoop.configurationDirectory, ...hadoop.classPath].join(delimiter),
    "org.apache.hadoop.streaming.HadoopStreaming",
    "-conf",
    job,
    // Where tasks run there need be neither this code nor a folder in common with the client.
    "-files",
    [hadoop.mapper, hadoop.reducer].map((program) => pathToFileURL(program).href).join(","),
    "-background",
    "-inputformat",
    "org.apache.hadoop.mapred.lib.CombineTextInputFormat",
    "-input",
    escapePath(input[0] as string),
    "-output",
    output,
    "-mapper",
    task(hadoop.mapper),
    "-reducer",
    task(hadoop.reducer),
  ];
}

async function submit(args: MapReduceArgs, job: string): Promise<void> {
  const [program, ...rest] = submitCommand(args, job);
  const client = spawn(program as string, rest, {
    env: { ...process.env, ...args.hadoop.environment, HADOOP_USER_NAME: args.hadoop.user },
    stdio: ["ignore", "pipe", "pipe"],
    ...(args.signal && { signal: args.signal }),
  });
  let output = "";
  for (const stream of [client.stdout, client.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const status = await new Promise((resolve, reject) => client.once("error", reject).once("close", resolve));
  if (status !== 0) throw new Error(`the MapReduce job could not be submitted:\n${output.trimEnd()}`);
}

/**
 * Waits for the end of the job, reporting its progress.
 *
 * @param patience milliseconds without progress. Default: half an hour
 * @throws {Error} if it fails, or makes no progress
 */
export async function finish(
  yarn: Pick<Yarn, "applications">,
  { version, onProgress, signal }: Pick<MapReduceArgs, "version" | "onProgress" | "signal">,
  patience = jobPatience,
): Promise<YarnApplication> {
  let reported = "";
  for (let advanced = performance.now(); ; ) {
    signal?.throwIfAborted();
    const [application] = await yarn.applications(tag(version));
    if (application === undefined) throw new Error(`YARN has no job of version ${version}, which was submitted to it`);
    const { id, state, finalStatus, progress } = application;
    const text = `${state} ${progress}`;
    if (text !== reported) {
      advanced = performance.now();
      onProgress?.({ applicationId: id, state, percent: progress });
    }
    reported = text;
    if (finalStatus === "SUCCEEDED") return application;
    if (finalStatus !== "UNDEFINED") {
      const diagnostics = application.diagnostics.trim();
      throw new Error(
        `the MapReduce job ${id} has ${finalStatus}; its tasks' logs are in the NodeManagers' folders ` +
          `containers/${id}: ${diagnostics}`,
      );
    }
    if (performance.now() - advanced > patience)
      throw new Error(
        `the MapReduce job ${id} is ${state} at ${progress} % for ${patience / 1_000} s without progress: look for room on the ` +
          "NodeManagers, or for NodeManagers that are not there",
      );
    await sleep(pollInterval);
  }
}

/**
 * What a job has done by its counters.
 *
 * @throws {Error} if a program did not take all that Hadoop gave to it, or Hadoop not all that it gave out: the output
 * would be incomplete
 */
export function mapReduceResult(
  applicationId: string,
  counters: JobCounters,
  views: readonly string[],
): MapReduceResult {
  const hadoop = (name: string) => counters.get("org.apache.hadoop.mapreduce.TaskCounter")?.get(name) ?? 0;
  const own = (name: string) => counters.get(counterGroup)?.get(name) ?? 0;
  const byView = (name: string) => Object.fromEntries(views.map((view) => [view, own(`${name} ${view}`)]));
  const outputRecords = byView("output");
  const pairs = [
    ["lines mapped", own("lines mapped"), hadoop("MAP_INPUT_RECORDS")],
    ["records reduced", own("records reduced"), hadoop("REDUCE_INPUT_RECORDS")],
    ["lines of output", sum(outputRecords), hadoop("REDUCE_OUTPUT_RECORDS")],
  ] as const;
  for (const [what, counted, expected] of pairs) {
    if (counted !== expected)
      throw new Error(
        `the MapReduce job ${applicationId} is incomplete: ${what} ${counted}, Hadoop counts ${expected}`,
      );
  }
  return {
    applicationId,
    content: countedContent(own),
    invalid: own("invalid"),
    skipped: byView("skipped"),
    outputRecords,
  };
}

function sum(numbers: Readonly<Record<string, number>>): number {
  return Object.values(numbers).reduce((total, number) => total + number, 0);
}
