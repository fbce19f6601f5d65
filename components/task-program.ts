/** What the programs of tasks have in common: each runs once to its end, tells its steps, and names why it cannot. */
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs a task's program to its end. What it throws becomes lines of the standard error and exit code 1.
 *
 * @param main resolves with what is not as it shall be, a sentence each: told, and exit code 1 if there is any
 * @param messages what an error says. Default: its message, and its cause's
 */
export async function runTaskProgram(
  main: () => Promise<readonly string[]>,
  messages: (error: unknown) => readonly string[] = errorMessages,
): Promise<void> {
  let exitCode = 0;
  try {
    const problems = await main();
    for (const problem of problems) console.log(problem);
    if (problems.length > 0) exitCode = 1;
  } catch (error) {
    console.error([...new Set(messages(error))].join("\n"));
    exitCode = 1;
  }
  // Not exitCode: a client that failed to connect may leave a socket that keeps the process.
  process.exit(exitCode);
}

function errorMessages(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  return error.cause instanceof Error ? [`${error.message}: ${error.cause.message}`] : [error.message];
}

/**
 * Looks once a second until nothing is left to wait for, and tells whenever what is left changes.
 *
 * @param look resolves with what is left, a sentence each
 * @param timeout milliseconds. Default: none, the task's own time limit
 * @throws {Error} with what is left when the time is over
 */
export async function untilNothingIsLeft(look: () => Promise<readonly string[]>, timeout = Infinity): Promise<void> {
  const deadline = Date.now() + timeout;
  for (let told = ""; ; await sleep(1_000)) {
    const now = (await look()).join("; ");
    if (now === "") return;
    if (Date.now() > deadline) throw new Error(now);
    if (now !== told) console.log(now);
    told = now;
  }
}
