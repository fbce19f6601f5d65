import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { nodeArguments } from "../../jobs/node-arguments.ts";
import { modulePath } from "../module-path.ts";
import type { InstanceIdentity, ServiceArgs } from "../target.ts";
import { configurationFile, type JobArgs } from "./configuration.ts";

/** A job that is a server of its own: a Node program with `/healthz` and `/metrics`. */
export interface JobServerArgs extends JobArgs {
  /** What the job is called, e.g. `archiver`. */
  readonly role: string;
  /** The program's module, `….ts`, relative to the jobs' folder. */
  readonly entry: string;
  readonly port: number;
  /**
   * The memory of the process, in MiB; its JavaScript heap gets 45 %: a serving layer with a heap of 192 MiB took up to
   * 390 MiB when it was asked more than it could answer.
   */
  readonly memory: number;
  /** The CPU time that it is expected to need, in cores. */
  readonly cpu: number;
  /** Whether people reach it from outside of the target. Default: false. */
  readonly isPublished?: boolean;
  /** Whether a changed one may start beside it, see `ServiceArgs`. Default: false. */
  readonly overlaps?: boolean;
}

/** Runs a job's program as a supervised server. Returns the resource and its `http://host:port`, as people reach it. */
export function createJobServer(args: JobServerArgs): { server: pulumi.Resource; url: string } {
  const { target, memory, cpu, port, isPublished = false, overlaps = false } = args;
  const identity: InstanceIdentity = { component: args.name, role: args.role };
  const placement = target.placement(identity);
  const server: ServiceArgs = {
    identity,
    ...(args.access && { access: args.access }),
    command: [
      target.node,
      ...nodeArguments(Math.round(memory * 0.45)),
      target.program(jobModule(args.entry), args.application.module),
      `--configuration=${join(placement.configuration, configurationFile)}`,
      `--address=${placement.address}`,
      `--port=${port}`,
    ],
    files: { ...args.files, [configurationFile]: { content: args.configuration } },
    ports: { http: port },
    clientPorts: ["http"],
    ...(isPublished && { publishes: ["http"] }),
    ...(overlaps && { overlaps }),
    readiness: { kind: "http", port, path: "/healthz" },
    memory,
    cpu,
  };
  const [resource] = target.services({ replicas: [server] }, { parent: args.parent, dependsOn: [...args.dependsOn] });
  const address = isPublished ? target.published(identity, port) : `${placement.address}:${port}`;
  return { server: resource as pulumi.Resource, url: `http://${address}` };
}

/** The absolute path of a module of the jobs' folder, see {@link modulePath}. */
export function jobModule(path: string): string {
  return modulePath(`../../jobs/${path}`, import.meta.url);
}
