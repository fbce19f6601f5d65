import { table } from "../../components/table.ts";
import { type InstanceStatus, instances } from "../../components/targets/local/index.ts";
import { stackFolder } from "../environment.ts";
import { readStackConfiguration } from "../stack-configuration.ts";
import { stackContainers } from "./containers.ts";

/** Lines that say what runs where: a row a server, with the memory of all its processes, and the sum. */
export async function serverTable(stack: string): Promise<string[]> {
  if (readStackConfiguration(stack).target === "docker") {
    const containers = await stackContainers(stack);
    const rows = containers.map(({ name, published, state, memory }) => {
      const { system, role } = systemAndRole(name);
      return [system, role, published, state, memory];
    });
    const all = containers.reduce((sum, { memory }) => sum + memory, 0);
    return table(["system", "role", "published", "state", "MiB"], [...rows, ["all", "", "", "", all]]);
  }
  const servers = await instances(stackFolder(stack));
  const rows = servers.map(({ name, address, ports, pid, memory }) => {
    const { system, role } = systemAndRole(name);
    const at = [address, Object.values(ports).join(",")].filter((part) => part !== "").join(":");
    return [system, role, at, String(pid ?? "?"), memory ?? "?"];
  });
  const header = ["system", "role", "address", "pid", "MiB"];
  return table(header, [...rows, ["all", "", "", "", memoryOf(servers)]]);
}

/** MiB of all processes of a stack (PSS). */
export async function stackMemory(stack: string): Promise<number> {
  if (readStackConfiguration(stack).target === "docker")
    return (await stackContainers(stack)).reduce((sum, { memory }) => sum + memory, 0);
  return memoryOf(await instances(stackFolder(stack)));
}

/**
 * What an instance of the stack's architecture is: `lambda-kafka-broker-0` is the role `broker-0` of `kafka`, and
 * `lambda-archiver`, which belongs to no system, a job.
 */
export function systemAndRole(instance: string): { system: string; role: string } {
  const [, first = "", ...rest] = instance.split("-");
  return rest.length === 0 ? { system: "jobs", role: first } : { system: first, role: rest.join("-") };
}

function memoryOf(servers: readonly InstanceStatus[]): number {
  return servers.reduce((all, { memory }) => all + (memory ?? 0), 0);
}
