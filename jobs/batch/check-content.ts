import pMap from "p-map";
import { type Content, isSame, together } from "../archive/content.ts";
import type { FormerFile } from "../log/incarnation.ts";
import type { Archived, ArchivedFile } from "./horizon.ts";
import type { BatchStores } from "./run.ts";

/** Files of the master dataset are not what they were when they were written. */
export class DamagedFilesError extends Error {
  override readonly name = "DamagedFilesError";
}

/** Files that are read at once. */
const atOnce = 4;
/** How many damaged files an error names. */
const mostNamed = 5;

type Stores = Pick<BatchStores, "fileContent" | "filePath" | "formerContent">;

/**
 * Checks that a batch was computed from what the archiver wrote: what the tasks have counted is the sum of what was
 * noted of the files. Files of which nothing was noted, as in former times, are read here; if the sums differ, all are.
 *
 * @param former the files of former lives of the log that were read as well
 * @param counted what the tasks have read
 * @throws {DamagedFilesError} naming the files that are damaged
 * @throws {Error} if none is, and the tasks have read something else
 */
export async function checkContent(
  stores: Stores,
  archived: Archived,
  former: readonly FormerFile[],
  counted: Content,
): Promise<void> {
  const files = Object.entries(archived.files).flatMap(([partition, some]) =>
    some.map((file) => ({ ...file, partition: Number(partition) })),
  );
  const noted = await pMap(files, (file) => notedContent(file) ?? stores.fileContent(file.partition, file.name), {
    concurrency: atOnce,
  });
  const all = together([...noted, ...former]);
  if (isSame(all, counted)) return;
  const damagedFormer = await pMap(
    former,
    async (file) => {
      const found = await stores.formerContent(file.path);
      return isSame(file, found) ? [] : [`${file.path}: ${text(file)} when it was written, ${text(found)} now`];
    },
    { concurrency: atOnce },
  );
  const damagedNow = (
    await pMap(
      files,
      async (file) => {
        const found = await stores.fileContent(file.partition, file.name);
        const isAsNoted = file.manifests.length === 0 || file.manifests.some(({ content }) => isSame(content, found));
        return isAsNoted ? [] : [describe(stores.filePath(file.partition, file.name), file, found)];
      },
      { concurrency: atOnce },
    )
  ).flat();
  const damaged = [...damagedFormer.flat(), ...damagedNow];
  if (damaged.length === 0)
    throw new Error(
      `the batch was computed from ${text(counted)}, but the files that it was to read have ${text(all)}: run it again`,
    );
  const more = damaged.length > mostNamed ? `\n… and ${damaged.length - mostNamed} more` : "";
  throw new DamagedFilesError(
    `${damaged.length} files of the master dataset are damaged, so that nothing was swapped in; put back what they were from a copy:\n${damaged
      .slice(0, mostNamed)
      .join("\n")}${more}`,
  );
}

/** What was noted of a file; undefined if nothing was, or not one thing. */
function notedContent({ manifests }: ArchivedFile): Content | undefined {
  const [first, ...others] = manifests;
  return first !== undefined && others.every(({ content }) => isSame(content, first.content))
    ? first.content
    : undefined;
}

function describe(path: string, { manifests }: ArchivedFile, found: Content): string {
  return `${path}: ${text(manifests[0]?.content ?? found)} when it was written, ${text(found)} now`;
}

function text({ events, bytes, digest }: Content): string {
  return `${events} events of ${bytes} bytes with digest ${digest.toString(16).padStart(12, "0")}`;
}
