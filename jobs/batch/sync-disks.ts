import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * Has this machine write to its disks what it still holds in memory of files. Druid leaves that to the system, for half a
 * minute: a version that the pointer names must outlast a power cut.
 *
 * @param program what does it; where there is none, nothing is done. Default: `sync`
 */
export async function syncDisks(program = "sync"): Promise<void> {
  await promisify(execFile)(program).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
