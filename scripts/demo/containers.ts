import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { stackFilters } from "../../components/targets/docker/names.ts";
import { project } from "../environment.ts";

/** A running container of a stack. */
export interface StackContainer {
  /** The instance's name. */
  readonly name: string;
  /** Where it is reached on this machine, e.g. `127.0.0.1:18080`; empty if nowhere. */
  readonly published: string;
  /** What Docker says of it, e.g. `Up 2 minutes (healthy)`. */
  readonly state: string;
  /** MiB that its processes take, without files that the kernel caches for them. */
  readonly memory: number;
}

/** The running containers of a stack. @throws {Error} with Docker's words if it does not answer */
export async function stackContainers(stack: string): Promise<StackContainer[]> {
  const running = await docker(
    "ps",
    ...stackFilters(project, stack),
    "--format",
    "{{.Names}}\t{{.Ports}}\t{{.Status}}",
  );
  if (running.length === 0) return [];
  const names = running.map(([name = ""]) => name);
  const memory = new Map(
    (await docker("stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", ...names)).map(
      ([name = "", usage = ""]) => [name, mebibytes(usage)],
    ),
  );
  return running
    .map(([name = "", ports = "", state = ""]) => ({
      name: instanceOf(name, stack),
      published: [...ports.matchAll(/127\.0\.0\.1:\d+/g)].join(", "),
      state,
      memory: memory.get(name) ?? 0,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The names on the daemon of all containers of a stack, running or not, by the names of the instances, in order.
 *
 * @throws {Error} with Docker's words if it does not answer
 */
export async function containersByInstance(stack: string): Promise<Map<string, string>> {
  const all = await docker("ps", "--all", ...stackFilters(project, stack), "--format", "{{.Names}}");
  const entries = all.map(([name = ""]) => [instanceOf(name, stack), name] as const);
  return new Map(entries.sort(([a], [b]) => a.localeCompare(b, "en")));
}

function instanceOf(container: string, stack: string): string {
  return container.slice(`${project}-${stack}-`.length);
}

/** Of `512.3MiB / 1GiB` the first, in MiB. */
export function mebibytes(usage: string): number {
  const [, number = "0", unit = "MiB"] = /^([0-9.]+)\s*(B|KiB|MiB|GiB)/.exec(usage) ?? [];
  const factor = { B: 2 ** -20, KiB: 2 ** -10, MiB: 1, GiB: 2 ** 10 }[unit] ?? 1;
  return Math.round(Number(number) * factor);
}

/** The lines of what Docker prints, split at tabulators. */
async function docker(...args: string[]): Promise<string[][]> {
  const { stdout } = await promisify(execFile)("docker", args);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}
