import { checkFormat, sharedFormats } from "../formats.ts";
import type { FileStorage } from "../storage/file-storage.ts";

/** The empty file in a topic's folder that says which format its files have, see `sharedFormats`; none: 1. */
export function formatFile(format: number): string {
  return `_format-${format}`;
}

/**
 * Checks that this code knows the format of a topic's files, and so all that was ever noted there.
 *
 * @param folder the topic's folder, as errors name it
 * @param names what is in it
 * @returns the newest format that is noted
 * @throws {UnknownFormatError} if newer code has written there
 */
export function checkMasterDataset(folder: string, names: readonly string[]): number {
  const noted = names.map((name) => Number(/^_format-(\d{1,9})$/.exec(name)?.[1] ?? 1));
  return checkFormat(`the master dataset in ${folder}`, Math.max(1, ...noted), sharedFormats.masterDataset);
}

/**
 * Notes that a topic's files have the format of now from here on. Those of a former one stay as they are: they are known,
 * and the archiver adds what they lack.
 *
 * @throws {UnknownFormatError} if newer code has written there; then nothing has changed
 */
export async function noteMasterDataset(
  storage: Pick<FileStorage, "list" | "publish">,
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const names = await storage.list(folder, signal);
  if (checkMasterDataset(folder, names) === sharedFormats.masterDataset) return;
  const file = `${folder}/${formatFile(sharedFormats.masterDataset)}`;
  await storage.publish(file, [], { length: 0, ...(signal && { signal }) });
}
