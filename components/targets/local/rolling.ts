import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { instanceEnvironment, instanceMarker } from "./environment.ts";
import { type Context, DeploymentError, type InstanceDescription, instanceFile, outputLog } from "./instance.ts";
import { isInstanceProcess } from "./processes.ts";
import { probe } from "./readiness.ts";
import type { ServiceInputs } from "./state.ts";

/** Milliseconds between two looks at the other replicas. */
const pause = 500;

/**
 * Lets the running replicas of a role restart one at a time, each only while all others are ready. Pulumi updates
 * siblings in parallel, all in one provider process, so the turns are kept here. Once a restart has failed, the
 * replicas that wait are left as they are: a setting that no server starts with costs one of them, not all.
 */
export class Rolling {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #failed = new Map<string, string>();

  /**
   * @param restart stops the server, starts it again and waits until it is ready
   * @throws {DeploymentError} if another replica is not ready in time, or failed to restart before
   */
  async restart<T>(inputs: ServiceInputs, context: Context, restart: () => Promise<T>): Promise<T> {
    const group = `${inputs.stackFolder}\0${inputs.group}`;
    const turn = (this.#last.get(group) ?? Promise.resolve()).then(async () => {
      const failed = this.#failed.get(group);
      if (failed !== undefined)
        throw new DeploymentError(
          `${inputs.instance} still runs as it did before: ${failed}, which was restarted first, did not get ready.`,
        );
      await othersReady(inputs, context);
      try {
        return await restart();
      } catch (error) {
        this.#failed.set(group, inputs.instance);
        throw error;
      }
    });
    this.#last.set(
      group,
      turn.catch(() => {}),
    );
    return turn;
  }
}

async function othersReady(inputs: ServiceInputs, context: Context): Promise<void> {
  const deadline = Date.now() + inputs.readinessTimeout * 1000;
  for (;;) {
    const problem = await problemOfOthers(inputs);
    if (context.cancelled.aborted) throw new DeploymentError(`${inputs.instance} was not restarted: cancelled.`);
    if (problem === undefined) return;
    context.status(`waits for its turn: ${problem}`);
    if (Date.now() > deadline)
      throw new DeploymentError(
        `${inputs.instance} still runs as it did before, since servers of one role restart one at a time and ${problem}. ` +
          "Its log says why; when it is ready, try again.",
      );
    await sleep(pause);
  }
}

/** Why one of the other replicas is not ready, if one is not. */
async function problemOfOthers({ stackFolder, instance, group }: ServiceInputs): Promise<string | undefined> {
  for (const other of await readdir(stackFolder)) {
    if (other === instance) continue;
    const run = join(stackFolder, other, "run");
    const description: InstanceDescription | undefined = await readFile(join(run, instanceFile), "utf8").then(
      JSON.parse,
      () => undefined,
    );
    if (description?.group !== group || description.readiness === undefined) continue;
    const marker = instanceMarker(stackFolder, other);
    const pid = Number(await readFile(join(run, "server.pid"), "utf8").catch(() => ""));
    const problem = !(await isInstanceProcess(pid, marker))
      ? "it does not run"
      : await probe(description.readiness, description.address, instanceEnvironment(marker, {}));
    if (problem !== undefined) {
      const log = outputLog({ logs: join(stackFolder, other, "logs"), instance: other });
      return `${other} is not ready (${problem}; log: ${log})`;
    }
  }
  return undefined;
}
