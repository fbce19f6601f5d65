import { expect, test } from "vitest";
import { checkMasterDataset, formatFile, noteMasterDataset } from "../../../jobs/archive/master-dataset-format.ts";
import { archivedNames } from "../../../jobs/batch/stores.ts";
import { UnknownFormatError } from "../../../jobs/formats.ts";

/** A folder in memory. */
function folderOf(names: readonly string[]) {
  const all = new Set(names);
  return {
    names: () => [...all].sort(),
    list: async () => [...all],
    publish: async (path: string) => all.size < all.add(path.slice(path.lastIndexOf("/") + 1)).size,
  };
}

test("a folder without a note is of the first format, and gets the note of now", async () => {
  const folder = folderOf(["0", "_topic-id"]);
  expect(checkMasterDataset("/master/edits", folder.names())).toBe(1);
  await noteMasterDataset(folder, "/master/edits");
  await noteMasterDataset(folder, "/master/edits");
  expect(folder.names()).toEqual(["0", formatFile(2), "_topic-id"]);
  expect(checkMasterDataset("/master/edits", folder.names())).toBe(2);
});

test("what newer code has written is refused, with the folder, and nothing is changed", async () => {
  const folder = folderOf(["0", formatFile(2), formatFile(7)]);
  await expect(noteMasterDataset(folder, "/master/edits")).rejects.toThrow(
    "the master dataset in /master/edits has format 7; this code knows formats up to 2",
  );
  await expect(noteMasterDataset(folder, "/master/edits")).rejects.toBeInstanceOf(UnknownFormatError);
  expect(folder.names()).toHaveLength(3);
});

test("a batch run reads nothing that newer code has written", async () => {
  const configuration = { masterDataset: "/master", topic: "edits", incarnation: 1, partitions: 2 };
  const namesWith = (note: string) =>
    archivedNames(
      configuration,
      { list: async (folder) => (folder === "/master/edits" ? ["0", "1", note] : [`of ${folder}`]) },
      new AbortController().signal,
    );
  expect(await namesWith(formatFile(2))).toEqual({ 0: ["of /master/edits/0"], 1: ["of /master/edits/1"] });
  await expect(namesWith(formatFile(3))).rejects.toThrow("the master dataset in /master/edits has format 3");
});
