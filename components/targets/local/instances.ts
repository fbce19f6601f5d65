import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stackMarker } from "./environment.ts";
import { type InstanceDescription, instanceFile } from "./instance.ts";
import { membersOf, type Process, processTable, stopProcesses } from "./processes.ts";

/** What runs of an instance. */
export interface InstanceStatus {
  /** The instance's name, e.g. `kafka-broker-0`. */
  readonly name: string;
  /** Its address; undefined for a task. */
  readonly address: string | undefined;
  /** The ports that it listens on, by purpose. */
  readonly ports: Readonly<Record<string, number>>;
  /** The server's process; undefined for a task, or while the server is down. */
  readonly pid: number | undefined;
  /** All its processes: the server, its supervisor and what they started. */
  readonly pids: readonly number[];
  /** The memory that it was given, in MiB; undefined for a task. */
  readonly memoryLimit: number | undefined;
  /** The memory that all its processes take, in MiB: each its share of what they have in common (PSS). 0 without /proc. */
  readonly memory: number;
}

/** What runs of a stack on this machine, whoever started it, in the order of the instances' names. */
export async function instances(stackFolder: string): Promise<InstanceStatus[]> {
  const prefix = stackMarker(resolve(stackFolder));
  const table = await processTable();
  const statuses = namesOf(table, prefix).map(async (name): Promise<InstanceStatus> => {
    const pids = membersOf(table, (other) => other === prefix + name).map(({ pid }) => pid);
    const [server, description, memory] = await Promise.all([
      readFile(join(runFolder(stackFolder, name), "server.pid"), "utf8").then(Number, () => undefined),
      describe(stackFolder, name),
      Promise.all(pids.map(proportionalMemory)),
    ]);
    return {
      name,
      address: description?.address,
      ports: description?.ports ?? {},
      pid: pids.find((pid) => pid === server),
      pids,
      memoryLimit: description?.memory,
      memory: Math.round(memory.reduce((a, b) => a + b, 0) / 1024),
    };
  });
  return Promise.all(statuses);
}

/**
 * The memory, in MiB, that was given to each instance of a stack that runs, by the instance's name; 0 where it cannot
 * be told. Far cheaper than {@link instances}, which measures.
 */
export async function memoryGiven(stackFolder: string): Promise<Map<string, number>> {
  const names = namesOf(await processTable(), stackMarker(resolve(stackFolder)));
  const given = names.map(async (name) => [name, (await describe(stackFolder, name))?.memory ?? 0] as const);
  return new Map(await Promise.all(given));
}

/** The names of the instances that have processes, in order. */
function namesOf(table: readonly Process[], prefix: string): string[] {
  const names = table.flatMap(({ marker }) => (marker?.startsWith(prefix) ? [marker.slice(prefix.length)] : []));
  return [...new Set(names)].sort();
}

function runFolder(stackFolder: string, name: string): string {
  return join(resolve(stackFolder), name, "run");
}

/** What a service's folder tells of it; undefined for a task, or while it is just made. */
function describe(stackFolder: string, name: string): Promise<InstanceDescription | undefined> {
  return readFile(join(runFolder(stackFolder, name), instanceFile), "utf8").then(JSON.parse, () => undefined);
}

/** A process's PSS in KiB, 0 if it has ended. */
async function proportionalMemory(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0);
}

/**
 * Stops whatever runs of a stack, also what the stack's state does not know, e.g. after its folder was removed.
 *
 * @param stackFolder the stack's folder, which need not exist any more
 * @param grace seconds between SIGTERM and SIGKILL. Default: 10
 * @returns the names of the instances that ran
 */
export async function stopStack(stackFolder: string, grace = 10): Promise<string[]> {
  const names = (await instances(stackFolder)).map(({ name }) => name);
  const prefix = stackMarker(resolve(stackFolder));
  await stopProcesses({ belongs: (marker) => marker.startsWith(prefix), grace });
  return names;
}
