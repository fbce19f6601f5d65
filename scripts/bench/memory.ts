import { instances } from "../../components/targets/local/index.ts";
import { systemAndRole } from "../demo/servers.ts";
import { stackFolder } from "../environment.ts";

/** The resident memory (PSS) of each system of a stack, and of `all`, in MiB. */
export async function memoryBySystem(stack: string): Promise<Map<string, number>> {
  const memory = new Map<string, number>();
  for (const instance of await instances(stackFolder(stack))) {
    const { system } = systemAndRole(instance.name);
    memory.set(system, (memory.get(system) ?? 0) + instance.memory);
  }
  const all = [...memory.values()].reduce((sum, one) => sum + one, 0);
  return memory.set("all", all);
}
