import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { packagePrograms, recordFile } from "./paths.mjs";

/**
 * What the last set-up found and made.
 *
 * @typedef {object} SetupRecord
 * @property {Record<string, string | undefined>} programs the paths of the prerequisites' programs by name: when one
 *   moves, all are looked at again
 * @property {import("./pulumi-cli.mjs").PulumiCli} cli
 */

/** @returns {SetupRecord | undefined} undefined before the first set-up */
export function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, "utf8"));
  } catch {
    // Not there, or not whole: the set-up makes it anew.
    return undefined;
  }
}

/** @param {SetupRecord} record */
export function writeRecord(record) {
  mkdirSync(dirname(recordFile), { recursive: true });
  writeFileSync(recordFile, `${JSON.stringify(record, undefined, 2)}\n`);
}

/**
 * The PATH with which everything of the project runs: the CLI, then the packages' programs, then the person's own.
 *
 * @param {SetupRecord} record
 * @param {string} [path] default: this process's PATH
 * @returns {string}
 */
export function projectPath(record, path = process.env.PATH ?? "") {
  // A CLI from PATH is on it already; its folder may hold another Node, so it does not move to the front.
  const own = record.cli.origin === "path" ? [packagePrograms] : [dirname(record.cli.program), packagePrograms];
  return [...own, ...path.split(delimiter).filter((folder) => !own.includes(folder))].join(delimiter);
}
