import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceInputs } from "./state.ts";

/** Values that a server's data is made for, see `ServiceArgs.permanent`. */
export type PermanentValues = Readonly<Record<string, string | number>>;

/** Where they are noted: beside the data, so that they last as long as it does. */
function noteOf(stackFolder: string, instance: string): string {
  return join(stackFolder, "data", `${instance}.permanent.json`);
}

/** Notes what the data of the instance is made for. */
export async function notePermanentValues({ stackFolder, instance, permanent }: ServiceInputs): Promise<void> {
  if (Object.keys(permanent).length > 0) await writeFile(noteOf(stackFolder, instance), JSON.stringify(permanent));
}

/** Forgets it, as the data is gone. */
export async function forgetPermanentValues({ stackFolder, instance }: ServiceInputs): Promise<void> {
  await rm(noteOf(stackFolder, instance), { force: true });
}

/** What the data of an instance is made for; nothing if it has none. */
export async function permanentValues(stackFolder: string, instance: string): Promise<PermanentValues> {
  const hasData = await stat(join(stackFolder, "data", instance)).then(
    () => true,
    () => false,
  );
  return hasData ? readFile(noteOf(stackFolder, instance), "utf8").then(JSON.parse, () => ({})) : {};
}

/** What would change and cannot, a sentence each. */
export function permanentProblems(instance: string, had: PermanentValues, wanted: PermanentValues): string[] {
  return Object.entries(had)
    .filter(([name, value]) => wanted[name] !== value)
    .map(
      ([name, value]) =>
        `${name} cannot change from ${value} to ${wanted[name]}, since the data of ${instance} is made for it: leave it at ${value}`,
    );
}
