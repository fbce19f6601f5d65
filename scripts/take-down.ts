import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stopStack } from "../components/targets/local/index.ts";
import { hasOwnBackend, projectStacks, runPulumi, stackFolder, stateFolder } from "./environment.ts";

/**
 * Takes a stack down: its servers, its data and, in the project's own backend, its state. What stays is in the caches.
 * A stack that is not marked ephemeral is protected: Pulumi refuses to destroy it, and nothing is deleted.
 *
 * @returns the exit code: that of Pulumi if it could not destroy the stack
 */
export async function takeDown(stack: string): Promise<number> {
  if (hasOwnBackend() || projectStacks().includes(stack)) {
    const { exitCode } = await runPulumi(["destroy", "--yes", "--skip-preview", "--stack", stack]);
    if (exitCode !== 0) {
      console.error(`The stack ${stack} was not destroyed: its data stays. See above why.`);
      return exitCode;
    }
  }
  const strays = await stopStack(stackFolder(stack));
  if (strays.length > 0) console.log(`Stopped what the state did not know: ${strays.join(", ")}`);
  rmSync(stackFolder(stack), { recursive: true, force: true });
  if (!hasOwnBackend()) await removeState(stack);
  console.log(`The stack ${stack} is down. No process and no data is left.`);
  return 0;
}

async function removeState(stack: string): Promise<void> {
  if (projectStacks().includes(stack)) {
    const removed = await runPulumi(["stack", "rm", "--yes", "--preserve-config", "--stack", stack], { capture: true });
    if (removed.exitCode !== 0) throw new Error(`The state of ${stack} could not be removed: ${removed.stderr}`);
  }
  // With the last stack goes the passphrase, which no secret needs any more.
  if (!hasStacks(stateFolder)) rmSync(stateFolder, { recursive: true, force: true });
}

/**
 * Whether there is a stack of any project, e.g. of an example, in the backend of this folder.
 *
 * @param folder see `stateFolder`
 */
export function hasStacks(folder: string): boolean {
  const stacks = join(folder, "state", ".pulumi", "stacks");
  if (!existsSync(stacks)) return false;
  return readdirSync(stacks, { recursive: true, encoding: "utf8" }).some((file) => file.endsWith(".json"));
}
