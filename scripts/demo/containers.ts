import { execFile } from "node:child_process";
import { promisify } from "node:util";
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
  const filters = [`label=lambda-architecture.project=${project}`, `label=lambda-architecture.stack=${stack}`];
  const format = "{{.Names}}\t{{.Ports}}\t{{.Status}}";
  const running = await docker("ps", ...filters.flatMap((filter) => ["--filter", filter]), "--format", format);
  if (running.length === 0) return [];
  const names = running.map(([name = ""]) => name);
  const memory = new Map(
    (await docker("stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", ...names)).map(
      ([name = "", usage = ""]) => [name, mebibytes(usage)],
    ),
  );
  return running
    .map(([name = "", ports = "", state = ""]) => ({
      name: name.slice(`${project}-${stack}-`.length),
      published: [...ports.matchAll(/127\.0\.0\.1:\d+/g)].join(", "),
      state,
      memory: memory.get(name) ?? 0,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
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
