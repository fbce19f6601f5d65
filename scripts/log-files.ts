/**
 * The logs among the files of a stack's folder (`<instance>/logs/…`).
 *
 * @param files paths relative to the stack's folder
 * @param system a part of the instances' names; empty for all
 * @returns their paths, in order
 */
export function logsOf(files: readonly string[], system: string): string[] {
  return files
    .filter((file) => /^[^/]+\/logs\/.+\.log$/.test(file) && instanceOfLog(file).includes(system))
    .sort((a, b) => a.localeCompare(b, "en"));
}

/** The name of the instance to which a log belongs. */
export function instanceOfLog(file: string): string {
  return file.slice(0, file.indexOf("/"));
}
