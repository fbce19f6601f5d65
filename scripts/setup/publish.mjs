import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder of the cache aside and gives it its name when it is complete, so that nobody ever sees a part of it.
 *
 * @param {string} target
 * @param {(folder: string) => Promise<string>} make fills the folder and says which folder in it, or it itself, is the
 *   result
 */
export async function publish(target, make) {
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(`${target}.`);
  try {
    const result = await make(folder);
    rmSync(target, { recursive: true, force: true });
    renameSync(result, target);
    chmodSync(target, 0o755);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
