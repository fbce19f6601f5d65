import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/**
 * Runs one of the bench's own programs, with the project's Node, and returns the JSON that it prints.
 *
 * @param node Node's own arguments
 * @throws {Error} if it fails
 */
export async function runProgram<Output>(
  program: string,
  node: readonly string[],
  args: readonly string[],
): Promise<Output> {
  const child = spawn(process.execPath, [...node, program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, exitCode] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve)),
  ]);
  if (exitCode !== 0) throw new Error(`${program} failed with exit code ${exitCode}`);
  return JSON.parse(output);
}
