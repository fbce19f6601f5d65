import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { step } from "./progress.mjs";

/** A lock file is written right after it is made: one that stays empty for longer belongs to nobody. */
const EMPTY_LOCK_MILLISECONDS = 5000;

/**
 * Does `work` while no other process does work under the same lock. The lock of a process that died is taken over.
 *
 * @template T
 * @param {string} file the lock's file; it holds the owner's process id
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true });
  if (!tryLock(file)) {
    await step("waiting for another set-up to finish", async () => {
      while (!tryLock(file)) await wait(200);
    });
  }
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** @param {string} file */
function tryLock(file) {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  if (isAbandoned(file)) rmSync(file, { force: true });
  return false;
}

/** @param {string} file */
function isAbandoned(file) {
  try {
    const owner = Number.parseInt(readFileSync(file, "utf8"), 10);
    if (Number.isNaN(owner)) return Date.now() - statSync(file).mtimeMs > EMPTY_LOCK_MILLISECONDS;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    // ESRCH: the owner is dead. ENOENT: released meanwhile. EPERM: alive, but another user's.
    return errorCode(error) === "ESRCH";
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
