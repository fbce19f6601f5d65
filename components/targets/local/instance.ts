import { chmod, mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { instanceMarker } from "./environment.ts";
import { temporaryFolder } from "./placement.ts";
import type { InstanceInputs, ServiceInputs } from "./state.ts";

/** An error that is a person's to mend: its message is all there is to say. */
export class DeploymentError extends Error {
  override readonly name = "DeploymentError";
}

/** What the lifecycle of an instance needs of its surroundings. */
export interface Context {
  /** Aborted when the deployment is cancelled: what is under way is to be taken back. */
  readonly cancelled: AbortSignal;
  /** Tells what goes on now; the next message takes its place. */
  status(message: string): void;
  /** Tells what a person should know although it does not fail the deployment. */
  warn(message: string): void;
}

/** The marker of the instance's processes. */
export function markerOf(inputs: Pick<InstanceInputs, "stackFolder" | "instance">): string {
  return instanceMarker(inputs.stackFolder, inputs.instance);
}

/** The instance's own folder, which holds all but its data. */
export function instanceFolder(inputs: Pick<InstanceInputs, "stackFolder" | "instance">): string {
  return join(inputs.stackFolder, inputs.instance);
}

/** The file in a service's `run` folder that tells others what runs there: an {@link InstanceDescription} as JSON. */
export const instanceFile = "instance.json";

/** What a service tells of itself. */
export type InstanceDescription = Pick<ServiceInputs, "address" | "ports" | "memory" | "group" | "readiness">;

/** The file that receives the output of the instance's processes. */
export function outputLog(inputs: Pick<InstanceInputs, "logs" | "instance">): string {
  return join(inputs.logs, `${inputs.instance}.log`);
}

/** Makes the instance's folders, which only the owner may enter, and writes its configuration files anew; temporary ones go. */
export async function writeConfiguration(inputs: InstanceInputs): Promise<void> {
  for (const folder of [inputs.stackFolder, instanceFolder(inputs), inputs.logs, inputs.data])
    await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const folder of [inputs.configuration, join(instanceFolder(inputs), temporaryFolder)]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
  }
  for (const [name, { content, secret }] of Object.entries(inputs.files)) {
    const file = join(inputs.configuration, name);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    // Created unreadable for others; what the umask took is given back to those that are no secret.
    await writeFile(file, content, { mode: 0o600 });
    if (!secret) await chmod(file, 0o644);
  }
}

/** Removes all that the instance has but its data; an empty data folder too. */
export async function removeFolders(inputs: InstanceInputs): Promise<void> {
  await rm(instanceFolder(inputs), { recursive: true, force: true });
  await rmdir(inputs.data).catch(() => {});
}

/** What of the configuration files is not as it was written, a sentence each. */
export async function configurationDrift(inputs: InstanceInputs): Promise<string[]> {
  const problems = await Promise.all(
    Object.entries(inputs.files).map(async ([name, { content, secret }]) => {
      const file = join(inputs.configuration, name);
      try {
        if ((await readFile(file, "utf8")) !== content) return `${file} was changed`;
        if (secret && ((await stat(file)).mode & 0o077) !== 0) return `${file} is readable by others`;
        return undefined;
      } catch {
        return `${file} is missing`;
      }
    }),
  );
  return problems.filter((problem) => problem !== undefined);
}

/** What is wrong with the names of the files. */
export function fileProblems(files: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(files)
    .filter((name) => isAbsolute(name) || normalize(name).startsWith("..") || normalize(name) === ".")
    .map((name) => `${JSON.stringify(name)} must be a path inside the configuration folder`);
}
