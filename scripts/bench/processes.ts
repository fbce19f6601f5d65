import { readFile } from "node:fs/promises";
import { instances } from "../../components/targets/local/index.ts";
import { stackFolder } from "../environment.ts";
import { groupOf } from "./cpu.ts";

/**
 * Holds a group's processes (see `groupOf`) until `work` is done, so that what they would work off piles up. Only as
 * long as nobody takes them for dead: Storm waits half a minute for a spout.
 */
export async function whileStopped<Result>(stack: string, group: string, work: () => Promise<Result>): Promise<Result> {
  const pids = await pidsOf(stack, group);
  if (pids.length === 0) throw new Error(`no process of ${group} runs`);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
}

async function pidsOf(stack: string, group: string): Promise<number[]> {
  const found: number[] = [];
  for (const { name, pids } of await instances(stackFolder(stack)))
    for (const pid of pids) {
      const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
      if (groupOf(name, command) === group) found.push(pid);
    }
  return found;
}
