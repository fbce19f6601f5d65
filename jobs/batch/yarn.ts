import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { crossSiteHeaders } from "../hdfs/cross-site.ts";

const application = z.object({
  id: z.string(),
  /** The job's own, see jobConfiguration. */
  name: z.string(),
  /** YARN's state, e.g. `ACCEPTED`, `RUNNING`. */
  state: z.string(),
  /** `UNDEFINED` until the application itself has ended. */
  finalStatus: z.string(),
  /** From 0 to 100. */
  progress: z.number(),
  diagnostics: z.string(),
});

/** An application on YARN. */
export type YarnApplication = z.infer<typeof application>;

/** YARN's JSON writes a list of one element as that element. */
function list<Element extends z.ZodType>(element: Element) {
  return z.union([z.array(element), element.transform((one) => [one])]);
}

const applications = z.object({ apps: z.object({ app: list(application).optional() }).nullish() });

const counter = z.object({ name: z.string(), totalCounterValue: z.number() });

const counters = z.object({
  jobCounters: z.object({ counterGroup: list(z.object({ counterGroupName: z.string(), counter: list(counter) })) }),
});

/** The counters of a job: by group, by name. */
export type JobCounters = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** The REST interfaces of YARN's ResourceManager and of MapReduce's history server. */
export class Yarn {
  readonly #resourceManager: string;
  readonly #historyServer: string;
  readonly #user: string;

  /**
   * @param resourceManager `http://host:port`
   * @param historyServer `http://host:port`
   * @param user as whom applications are killed
   */
  constructor(resourceManager: string, historyServer: string, user: string) {
    this.#resourceManager = resourceManager;
    this.#historyServer = historyServer;
    this.#user = user;
  }

  /** The applications with the tag that the ResourceManager knows, ended ones included. */
  async applications(tag: string): Promise<YarnApplication[]> {
    const url = `${this.#resourceManager}/ws/v1/cluster/apps?applicationTags=${encodeURIComponent(tag)}`;
    return applications.parse(await json(url)).apps?.app ?? [];
  }

  /** Kills the application, without waiting for its end. Does nothing if it has ended. */
  async kill(id: string): Promise<void> {
    const url = `${this.#resourceManager}/ws/v1/cluster/apps/${id}/state?user.name=${encodeURIComponent(this.#user)}`;
    await request(url, {
      method: "PUT",
      headers: { "content-type": "application/json", ...crossSiteHeaders },
      body: JSON.stringify({ state: "KILLED" }),
    });
  }

  /**
   * The counters of a MapReduce job that has succeeded.
   *
   * @param patience milliseconds to wait for the history server to know the job
   * @throws {Error} if it does not
   */
  async counters(id: string, patience = 30_000): Promise<JobCounters> {
    const url = `${this.#historyServer}/ws/v1/history/mapreduce/jobs/${id.replace("application", "job")}/counters`;
    const end = Date.now() + patience;
    for (;;) {
      try {
        const groups = counters.parse(await json(url)).jobCounters.counterGroup;
        return new Map(
          groups.map((group) => [
            group.counterGroupName,
            new Map(group.counter.map((counter) => [counter.name, counter.totalCounterValue])),
          ]),
        );
      } catch (error) {
        if (Date.now() > end) throw error;
        await sleep(200);
      }
    }
  }
}

async function json(url: string): Promise<unknown> {
  return (await request(url, { headers: { accept: "application/json" } })).json();
}

/** @throws {Error} naming the URL if there is no answer or not a good one */
async function request(url: string, init: RequestInit): Promise<Response> {
  const what = `${init.method ?? "GET"} ${url}`;
  const response = await fetch(url, init).catch((error: Error) => {
    throw new Error(`YARN does not answer: ${what}: ${error.cause ?? error.message}`, { cause: error });
  });
  if (!response.ok) throw new Error(`YARN refuses: ${what}: ${response.status} ${await response.text()}`);
  return response;
}
