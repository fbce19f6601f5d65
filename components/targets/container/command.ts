import { shellWords } from "../../shell-words.ts";

/** The command of a container that runs `prepare` before each start of `command`, as one process in the end. */
export function startCommand(prepare: readonly string[] | undefined, command: readonly string[]): string[] {
  if (prepare === undefined || prepare.length === 0) return [...command];
  return ["/bin/sh", "-c", `${shellWords(prepare)} && exec ${shellWords(command)}`];
}
