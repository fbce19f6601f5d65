import { setTimeout as sleep } from "node:timers/promises";
import { withBackOff } from "../back-off.ts";

/** The coordinator-overlord refused, or did not answer for as long as {@link DruidCoordinator} is patient. */
export class DruidError extends Error {
  override readonly name = "DruidError";
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

/** All times that Druid knows. */
const allTimes = "-146136543-09-08T08:23:32.096Z/146140482-04-24T15:36:27.903Z";

/** Milliseconds that one request may take. */
const requestTimeout = 15_000;
/** Milliseconds for which failures that may pass are tried again: the time of a server's restart. */
const patience = 60_000;

/** Milliseconds after which a task that Druid does not begin, or does not end when it is told to, is given up. */
const taskPatience = 600_000;

/** A client of Druid's coordinator-overlord: the datasources that there are, and the tasks that make and remove them. */
export class DruidCoordinator {
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;
  readonly #taskPatience: number;

  /**
   * @param url `http://host:port`
   * @param signal gives up everything under way
   * @param patience milliseconds to wait for a task to begin, or to end when it is told to. Default: 600,000
   */
  constructor(url: string, signal?: AbortSignal, patience = taskPatience) {
    this.#url = url;
    this.#signal = signal;
    this.#taskPatience = patience;
  }

  /** The names of every datasource of which there is any segment or an unfinished task. */
  async datasources(): Promise<string[]> {
    const known = (await this.request("GET", "/druid/coordinator/v1/metadata/datasources?includeUnused")) as string[];
    const tasks = await this.#unfinishedTasks();
    return [...new Set([...known, ...tasks.map((task) => task.dataSource)])].sort();
  }

  /**
   * Runs a task to its end.
   *
   * @param task as Druid takes it, with an `id`; if there is one of the id already, that is waited for
   * @throws {DruidError} if the task fails, with Druid's reason, or Druid does not begin it
   */
  async run(task: { readonly id: string }): Promise<void> {
    await this.request("POST", "/druid/indexer/v1/task", task).catch((error: unknown) => {
      // An answer that was lost on its way is asked for again; the second answer is that the task is there.
      if (!(error instanceof DruidError && /already exists/i.test(error.message))) throw error;
    });
    for (let begun = performance.now(); ; ) {
      const answer = (await this.request("GET", `/druid/indexer/v1/task/${encodeURIComponent(task.id)}/status`)) as {
        status: { statusCode: string; runnerStatusCode?: string; errorMsg?: string | null } | null;
      };
      // A task that Druid does not know yet, or any more, does not run either.
      const { statusCode, runnerStatusCode, errorMsg } = answer.status ?? { statusCode: "NONE" };
      if (statusCode === "RUNNING" && runnerStatusCode !== "PENDING" && runnerStatusCode !== "WAITING")
        begun = performance.now();
      if (statusCode === "SUCCESS") return;
      if (statusCode === "FAILED")
        throw new DruidError(`Druid's task ${task.id} failed: ${errorMsg ?? "no reason given"}`);
      if (performance.now() - begun > this.#taskPatience)
        throw new DruidError(
          `Druid has not begun task ${task.id} within ${this.#taskPatience / 1_000} s (${runnerStatusCode ?? statusCode}): look ` +
            "for tasks that hold its middle managers' places, or for middle managers that are not there",
        );
      await sleep(250, undefined, { ...(this.#signal && { signal: this.#signal }) });
    }
  }

  /**
   * Removes a datasource for good: its unfinished tasks, its segments wherever they are, and its metadata. Resolves at
   * once if there is nothing of it.
   *
   * @throws {DruidError} if a task of it does not end
   */
  async remove(datasource: string): Promise<void> {
    for (const begun = performance.now(); ; ) {
      const tasks = (await this.#unfinishedTasks()).filter(
        (task) => task.dataSource === datasource && task.type !== "kill",
      );
      if (tasks.length === 0) break;
      if (performance.now() - begun > this.#taskPatience)
        throw new DruidError(
          `datasource ${datasource} cannot be removed: Druid's task ${tasks[0]?.id} has not ended within ` +
            `${this.#taskPatience / 1_000} s of being told to`,
        );
      for (const { id } of tasks)
        await this.request("POST", `/druid/indexer/v1/task/${encodeURIComponent(id)}/shutdown`).catch(ignoreNotFound);
      await sleep(250, undefined, { ...(this.#signal && { signal: this.#signal }) });
    }
    await this.request("DELETE", `/druid/coordinator/v1/datasources/${encodeURIComponent(datasource)}`).catch(
      ignoreNotFound,
    );
    await this.run({
      ...{ type: "kill", dataSource: datasource, interval: allTimes },
      id: `remove_${datasource}_${Date.now()}`,
    });
  }

  async #unfinishedTasks(): Promise<{ id: string; dataSource: string; type: string }[]> {
    const states = ["waiting", "pending", "running"];
    const tasks = await Promise.all(
      states.map((state) => this.request("GET", `/druid/indexer/v1/tasks?state=${state}`)),
    );
    return tasks.flat() as { id: string; dataSource: string; type: string }[];
  }

  /**
   * Sends a request of its HTTP interface. Failures that may pass are tried again.
   *
   * @returns the answer's JSON; undefined if it is empty
   * @throws {DruidError} if it is refused
   */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const end = performance.now() + patience;
    return withBackOff(() => this.#requestOnce(method, path, body), {
      signal: this.#signal,
      isTransient: (error) => error instanceof DruidError && (error.status ?? 503) >= 500 && performance.now() < end,
    });
  }

  async #requestOnce(method: string, path: string, body: unknown): Promise<unknown> {
    const url = `${this.#url}${path}`;
    let status: number;
    let text: string;
    try {
      const timeout = AbortSignal.timeout(requestTimeout);
      const response = await fetch(url, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
        signal: this.#signal === undefined ? timeout : AbortSignal.any([timeout, this.#signal]),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      const { message, cause } = error as Error;
      throw new DruidError(
        `Druid: ${method} ${url}: ${(cause as Error | undefined)?.message ?? message}`,
        undefined,
        error,
      );
    }
    if (status >= 300) throw new DruidError(`Druid: ${method} ${url} answers ${status}: ${text.slice(0, 500)}`, status);
    return text === "" ? undefined : JSON.parse(text);
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof DruidError && error.status === 404)) throw error;
}
