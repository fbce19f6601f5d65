import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stopStack } from "../components/targets/local/index.ts";
import { dataFolder } from "../components/targets/local/placement.ts";
import { hasOwnBackend, projectStacks, runPulumi, stackFolder, stateFolder } from "./environment.ts";
import { readStackConfiguration } from "./stack-configuration.ts";

/**
 * Takes a stack down: its servers and, in the project's own backend, its state. Its data goes only where the stack's
 * configuration says `deleteData`. A stack that is not ephemeral is protected: Pulumi refuses to destroy it, and nothing
 * is deleted.
 *
 * @returns the exit code: that of Pulumi if it could not destroy the stack
 */
export async function takeDown(stack: string): Promise<number> {
  const { deleteData } = readStackConfiguration(stack);
  if (hasOwnBackend() || projectStacks().includes(stack)) {
    const { exitCode, stderr } = await runPulumi(["destroy", "--yes", "--skip-preview", "--stack", stack]);
    if (exitCode !== 0) {
      process.stderr.write(stderr);
      console.error(`The stack ${stack} was not destroyed: its data stays. See above why.`);
      return exitCode;
    }
  }
  const strays = await stopStack(stackFolder(stack));
  if (strays.length > 0) console.log(`Stopped what the state did not know: ${strays.join(", ")}`);
  const kept = removeFiles(stackFolder(stack), deleteData);
  if (!hasOwnBackend()) await removeState(stack);
  console.log(`The stack ${stack} is down. No process ${kept === undefined ? "and no data is left" : "is left"}.`);
  if (kept !== undefined)
    console.log(`Its data stays in ${kept}: the next \`up\` goes on with it, or delete it by hand.`);
  return 0;
}

/**
 * Removes the files of a stack's servers.
 *
 * @param folder see `stackFolder`
 * @param deleteData whether the data goes too
 * @returns the folder of the data that stays; undefined if there is none
 */
export function removeFiles(folder: string, deleteData: boolean): string | undefined {
  if (!existsSync(folder)) return undefined;
  const data = join(folder, dataFolder);
  const isKept = !deleteData && existsSync(data) && readdirSync(data).length > 0;
  if (!isKept) {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  for (const name of readdirSync(folder)) if (name !== dataFolder) rmSync(join(folder, name), { recursive: true });
  return data;
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
