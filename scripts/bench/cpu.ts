/** CPU time of a stack's processes, from /proc (Linux). */
import { readFile } from "node:fs/promises";
import { instances } from "../../components/targets/local/index.ts";
import { systemAndRole } from "../demo/servers.ts";
import { stackFolder } from "../environment.ts";

/** CPU seconds by group: a system (`kafka`), a job (`archiver`), or a program that Storm runs (`bolt`, `spout`). */
export type CpuTimes = ReadonlyMap<string, number>;

/** The kernel's unit of CPU time; Linux shows it to all programs as 100 a second. */
const ticksPerSecond = 100;

/**
 * The CPU seconds that each group of a stack has taken up to now. The children that a process has waited for count as
 * its own: containers of YARN that have ended are in their NodeManager's.
 */
export async function cpuTimes(stack: string): Promise<CpuTimes> {
  const times = new Map<string, number>();
  const add = (group: string, seconds: number) => times.set(group, (times.get(group) ?? 0) + seconds);
  for (const { name, pids } of await instances(stackFolder(stack))) {
    for (const pid of pids) {
      const [stat, command] = await Promise.all([read(pid, "stat"), read(pid, "cmdline")]);
      if (stat !== undefined) add(groupOf(name, command ?? ""), cpuSeconds(stat));
    }
  }
  return times;
}

/** The CPU seconds of the children that this process has waited for. */
export async function childrenCpu(): Promise<number> {
  const [user, system] = fieldsOf((await read(process.pid, "stat")) ?? "").slice(13, 15);
  return (Number(user) + Number(system)) / ticksPerSecond;
}

/** What the groups took between two looks. A group that has ended since took nothing that can be told. */
export function cpuBetween(before: CpuTimes, after: CpuTimes): Map<string, number> {
  return new Map([...after].map(([group, seconds]) => [group, Math.max(0, seconds - (before.get(group) ?? 0))]));
}

/** The sum of some groups, by default of all. */
export function cpuOf(times: CpuTimes, groups?: readonly string[]): number {
  return [...times].reduce((sum, [group, seconds]) => sum + (groups?.includes(group) === false ? 0 : seconds), 0);
}

/**
 * The CPU seconds, user's and system's, in the text of `/proc/PID/stat`: of the process and of its children that it
 * has waited for.
 */
export function cpuSeconds(stat: string): number {
  const times = fieldsOf(stat).slice(11, 15).map(Number);
  return times.reduce((sum, ticks) => sum + ticks, 0) / ticksPerSecond;
}

/** The fields behind the program's name, which may hold spaces and parentheses itself. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Storm's instances are taken apart: its own servers, and the jobs' programs that its workers run. */
export function groupOf(instance: string, command: string): string {
  const { system, role } = systemAndRole(instance);
  if (system === "jobs") return role;
  if (system !== "storm") return system;
  return /speed-(bolt|spout)\.mjs/.exec(command)?.[1] ?? "storm";
}

async function read(pid: number, file: string): Promise<string | undefined> {
  return readFile(`/proc/${pid}/${file}`, "latin1").catch(() => undefined);
}
