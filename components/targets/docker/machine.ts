import { execFile } from "node:child_process";
import { hostname } from "node:os";
import { promisify } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import type { Surroundings } from "../local/admission.ts";
import type { Free } from "../local/budget.ts";
import { freeOfMachine } from "../local/machine.ts";
import { stackFilters } from "./names.ts";

/**
 * The machine of a Docker daemon, as far as the daemon tells. One that does not answer has room for everything: what
 * comes after says so, with the mend.
 *
 * @param host the daemon's address. Default: DOCKER_HOST's, or the one that `docker` finds
 */
export function machineOfDaemon(project: string, stack: string, host: string | undefined): Surroundings {
  const docker = async (...args: string[]) => {
    const all = host === undefined ? args : ["--host", host, ...args];
    return await promisify(execFile)("docker", all, { timeout: 20_000 }).then(
      ({ stdout }) => stdout,
      () => "",
    );
  };
  return {
    free: async (folder) => {
      const told = await docker("info", "--format", "{{.Name}} {{.NCPU}} {{.MemTotal}}");
      return freeOfDaemon(told, hostname(), (await freeOfMachine(folder)).memory);
    },
    given: async () => {
      const running = (await docker("ps", "--quiet", ...stackFilters(project, stack))).split("\n").filter(Boolean);
      if (running.length === 0) return new Map();
      return memoryLimits(
        await docker("inspect", "--format", "{{.Config.Hostname}} {{.HostConfig.Memory}}", ...running),
      );
    },
    // What data is made for is kept beside it, in a volume.
    permanent: async () => ({}),
    say: (message) => pulumi.log.info(message),
  };
}

/**
 * What is free for containers. Of another machine than this one only the whole is known; what data takes of its disk is
 * not known at all.
 *
 * @param told the daemon's machine: its name, its cores and its memory in bytes; empty if it does not answer
 * @param here this machine's name
 * @param available MiB that programs of this machine can have
 */
export function freeOfDaemon(told: string, here: string, available: number | undefined): Free {
  const [, name, cores, bytes] = /^(\S+) (\d+) (\d+)$/.exec(told.trim()) ?? [];
  if (name === undefined) return { cores: undefined, memory: undefined, disk: undefined };
  const whole = Number(bytes) / 2 ** 20;
  const memory = name === here && available !== undefined ? Math.min(whole, available) : whole;
  return { cores: Number(cores), memory, disk: undefined };
}

/** MiB that running containers were given, by their host name, which is the instance's; from lines of that and bytes. */
export function memoryLimits(lines: string): Map<string, number> {
  return new Map([...lines.matchAll(/^(\S+) (\d+)$/gm)].map(([, name = "", bytes]) => [name, Number(bytes) / 2 ** 20]));
}
