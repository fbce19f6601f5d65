import { createHash } from "node:crypto";
import type { ContainerArgs } from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { mountedFolders } from "../../images/layout.ts";
import type { File } from "../../target.ts";
import { taskMemory } from "../container/task-size.ts";

/** Seconds between two looks of the daemon at a server. Each look is a process in the container. */
const healthInterval = 10;

/** What every container of a stack is given, whatever runs in it. */
export interface InstanceContainer {
  /** The container's name on the daemon. */
  readonly name: string;
  /** The name under which the others find it in the stack's network. */
  readonly address: string;
  readonly image: pulumi.Input<string>;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  readonly files: Readonly<Record<string, File>>;
  /** The name of the stack's network. */
  readonly network: pulumi.Input<string>;
  /** What tells whose it is. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What a container has that runs a server. */
export interface ServerContainer extends InstanceContainer {
  /** MiB. */
  readonly memory: number;
  /** The volume for data. Default: one that goes with the container. */
  readonly data?: pulumi.Input<string>;
  /** The command that tells whether the server is ready. */
  readonly probe: readonly string[];
  /** Seconds until it has to be ready. */
  readonly readinessTimeout: number;
  readonly stopSignal: string;
  /** Seconds. */
  readonly stopGrace: number;
  /** Ports in the container by the ports of this machine's loopback address that lead to them. */
  readonly published: Readonly<Record<number, number>>;
}

/** A container that runs a server: created, not started. */
export function serverContainer(args: ServerContainer): ContainerArgs {
  return {
    ...instanceContainer(args),
    ports: Object.entries(args.published).map(([external, internal]) => ({
      internal,
      external: Number(external),
      ip: "127.0.0.1",
    })),
    volumes: [
      args.data === undefined
        ? { containerPath: mountedFolders.data }
        : { containerPath: mountedFolders.data, volumeName: args.data },
      { containerPath: mountedFolders.configuration },
      { containerPath: mountedFolders.logs },
    ],
    // A crash or the machine's restart starts it again; what was stopped by hand stays so until the next deployment.
    restart: "unless-stopped",
    memory: args.memory,
    // As much as the memory: no swap, which would only hide that it is too little.
    memorySwap: args.memory,
    healthcheck: {
      tests: ["CMD", ...args.probe],
      interval: `${healthInterval}s`,
      timeout: "10s",
      startPeriod: duration(args.readinessTimeout),
      retries: 3,
    },
    stopSignal: args.stopSignal,
    stopTimeout: args.stopGrace,
    destroyGraceSeconds: args.stopGrace,
  };
}

/** A container that runs a task to its end: created, not started. */
export function taskContainer(args: InstanceContainer): ContainerArgs {
  return {
    ...instanceContainer(args),
    memory: taskMemory,
    memorySwap: taskMemory,
    volumes: [mountedFolders.data, mountedFolders.configuration, mountedFolders.logs].map((containerPath) => ({
      containerPath,
    })),
    restart: "no",
  };
}

function instanceContainer(args: InstanceContainer) {
  return {
    name: args.name,
    hostname: args.address,
    image: args.image,
    command: [...args.command],
    envs: [
      ...Object.entries(args.environment).map(([name, value]) => pulumi.interpolate`${name}=${value}`),
      // Other files are another container.
      pulumi.interpolate`LAMBDA_FILES=${filesDigest(args.files)}`,
      `TMPDIR=${mountedFolders.temporary}`,
    ],
    networksAdvanced: [{ name: args.network, aliases: [args.address] }],
    readOnly: true,
    tmpfs: {
      [mountedFolders.temporary]: "rw,exec,nosuid,nodev,mode=1777",
      "/tmp": "rw,exec,nosuid,nodev,mode=1777",
    },
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    labels: Object.entries(args.labels).map(([label, value]) => ({ label, value })),
    // It is started once it has its files, see run-container.ts.
    start: false,
    mustRun: false,
    removeVolumes: true,
  } satisfies Partial<ContainerArgs>;
}

/** The hash of the files' names, contents and modes. */
function filesDigest(files: Readonly<Record<string, File>>): pulumi.Output<string> {
  const contents = Object.entries(files).map(([name, { content, secret = false }]) =>
    pulumi.output(content).apply((text) => [name, secret, text] as const),
  );
  return pulumi
    .all(contents)
    .apply((all) => createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16));
}

/** Seconds as Docker writes a duration, which the provider compares as text. */
function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}
