import { setTimeout as sleep } from "node:timers/promises";
import { readProcess } from "../../components/targets/local/processes.ts";

/**
 * Kills processes with -9, and resolves once none of them is there any more: on a busy machine that takes a moment. One
 * that ended before is no error.
 */
export async function kill(...pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  for (const pid of pids) while ((await readProcess(pid)) !== undefined) await sleep(5);
}
