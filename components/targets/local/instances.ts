import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { stackMarker } from "./environment.ts";
import { membersOf, processTable, stopProcesses } from "./processes.ts";

/** What runs of an instance. */
export interface InstanceStatus {
  /** The instance's name. */
  readonly name: string;
  /** All its processes: the server, its supervisor and what they started. */
  readonly pids: readonly number[];
  /** The memory of all of them, in MiB: each its share of what they have in common (PSS). Undefined where there is no /proc. */
  readonly memory: number | undefined;
}

/** What runs of a stack on this machine, whoever started it, by the instance's name. */
export async function instances(stackFolder: string): Promise<InstanceStatus[]> {
  const prefix = stackMarker(resolve(stackFolder));
  const table = await processTable();
  const markers = new Set(table.flatMap(({ marker }) => (marker?.startsWith(prefix) ? [marker] : [])));
  const statuses = [...markers].sort().map(async (marker): Promise<InstanceStatus> => {
    const pids = membersOf(table, (other) => other === marker).map(({ pid }) => pid);
    const memory = await Promise.all(pids.map(proportionalMemory));
    return {
      name: marker.slice(prefix.length),
      pids,
      memory: process.platform === "linux" ? Math.round(memory.reduce((a, b) => a + b, 0) / 1024) : undefined,
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
