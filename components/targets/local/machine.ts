import { readFile, statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import type { Free } from "./budget.ts";

/**
 * What is free on this machine now, and its cores.
 *
 * @param folder the folder whose disk is meant; it need not exist yet
 */
export async function freeOfMachine(folder: string): Promise<Free> {
  const [memory, disk] = await Promise.all([
    readFile("/proc/meminfo", "utf8").then(availableMemory, () => undefined),
    freeDisk(folder),
  ]);
  return { cores: availableParallelism(), memory, disk };
}

/**
 * MiB that programs can have without swapping: caches that the system would drop count as free. Only Linux tells;
 * elsewhere what is called free is a small part of it.
 *
 * @param meminfo the content of /proc/meminfo
 */
export function availableMemory(meminfo: string): number | undefined {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return available === undefined ? undefined : Number(available) / 1024;
}

/** MiB that are free for us on the disk of the folder, or of the nearest one above it that exists. */
async function freeDisk(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return (bavail * bsize) / 2 ** 20;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(folder) === folder) return undefined;
    return freeDisk(dirname(folder));
  }
}
