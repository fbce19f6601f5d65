import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stackMarker } from "./environment.ts";
import { instanceFile } from "./instance.ts";
import { membersOf, processTable, stopProcesses } from "./processes.ts";

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
  const markers = new Set(table.flatMap(({ marker }) => (marker?.startsWith(prefix) ? [marker] : [])));
  const statuses = [...markers].sort().map(async (marker): Promise<InstanceStatus> => {
    const name = marker.slice(prefix.length);
    const run = join(resolve(stackFolder), name, "run");
    const pids = membersOf(table, (other) => other === marker).map(({ pid }) => pid);
    const [server, description, memory] = await Promise.all([
      readFile(join(run, "server.pid"), "utf8").then(Number, () => undefined),
      readFile(join(run, instanceFile), "utf8").then(JSON.parse, () => undefined),
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
