import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, link, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { cacheFolder } from "../cache-folder.mjs";
import { ensureDistribution } from "../targets/local/distribution.ts";
import { DeploymentError } from "../targets/local/instance.ts";
import {
  addedDistributions,
  baseCommand,
  baseReference,
  dockerfile,
  type ImageContent,
  type ImageSettings,
  imageLabels,
  imageTimestamp,
  nodeVersion,
  ownBase,
} from "./recipe.ts";

/** How {@link ensureImage} goes about it. */
export interface BuildOptions {
  /** The address of the Docker daemon, e.g. `unix:///var/run/docker.sock`. Default: the one that `docker` finds. */
  readonly dockerHost?: string;
  /** Builds anew although the image is there, and without what an earlier build left. Default: false */
  readonly again?: boolean;
  /** Told what goes on. Default: nothing is. */
  readonly onProgress?: (message: string) => void;
  /** Ends the build when aborted. Default: never. */
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that the daemon has the image: it is there already, or a registry has it, or it is built.
 *
 * @param reference its name, see `imageReference`
 * @throws {DeploymentError} naming what is missing or failed, with the last lines of what failed
 */
export async function ensureImage(
  content: ImageContent,
  settings: ImageSettings,
  reference: string,
  options: BuildOptions = {},
): Promise<void> {
  if (!options.again && (await hasImage(reference, options))) return;
  if (!options.again && hasRegistry(reference)) {
    options.onProgress?.(`${content.name}: looking for ${reference}`);
    if ((await docker(["pull", "--quiet", reference], options)).status === 0) return;
  }
  await ensureBase(settings, options);
  const scratch = join(cacheFolder(), "images", randomUUID());
  try {
    await writeContext(scratch, content, baseReference(settings), options);
    options.onProgress?.(`${content.name}: building ${reference}`);
    const labels = imageLabels(content, baseReference(settings), reference, await sourceRevision(options));
    const result = await docker(
      [
        ...["build", "--tag", reference, "--force-rm"],
        ...(options.again ? ["--no-cache"] : []),
        ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
        scratch,
      ],
      options,
      { DOCKER_BUILDKIT: (await hasBuildKit(options)) ? "1" : "0" },
    );
    if (result.status !== 0)
      throw new DeploymentError(`The image ${reference} cannot be built; docker says:\n${lastLines(result.output)}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The commit that the sources are of; undefined outside of a checkout. */
async function sourceRevision(options: BuildOptions): Promise<string | undefined> {
  const { status, output } = await run("git", ["-C", import.meta.dirname, "rev-parse", "HEAD"], options);
  return status === 0 ? output.trim() : undefined;
}

/** Whether the daemon has an image of that name. */
export async function hasImage(reference: string, options: BuildOptions = {}): Promise<boolean> {
  const { status, output } = await docker(["image", "inspect", "--format", "{{.Id}}", reference], options);
  if (status !== 0 && !/no such image/i.test(output))
    throw new DeploymentError(
      `Docker does not answer: ${lastLines(output)}\nMend: start it, or point DOCKER_HOST at one that runs.`,
    );
  return status === 0;
}

/** The digests of an image's layers, from the base up: the same for two images of the same files, whenever they were made. */
export async function imageLayers(reference: string, options: BuildOptions = {}): Promise<string[]> {
  const { status, output } = await docker(
    ["image", "inspect", "--format", "{{json .RootFS.Layers}}", reference],
    options,
  );
  if (status !== 0) throw new DeploymentError(`Docker has no image ${reference}: ${lastLines(output)}`);
  return JSON.parse(output);
}

/** Whether the name has the address of a registry, as Docker tells it: a dot or a port before the first slash. */
function hasRegistry(reference: string): boolean {
  return /^(localhost|[^/]*[.:][^/]*)\//.test(reference);
}

async function hasBuildKit(options: BuildOptions): Promise<boolean> {
  return (await docker(["buildx", "version"], options)).status === 0;
}

async function ensureBase(settings: ImageSettings, options: BuildOptions): Promise<void> {
  const reference = baseReference(settings);
  if (await hasImage(reference, options)) return;
  if (settings.base !== ownBase) {
    options.onProgress?.(`base: pulling ${reference}`);
    const pulled = await docker(["pull", "--quiet", reference], options);
    if (pulled.status === 0) return;
    throw new DeploymentError(
      `The base image ${reference} cannot be pulled: ${lastLines(pulled.output)}\n` +
        "Mend: another base, or, on Debian without a registry, one made of its packages: npm run pulumi -- config set dockerImageBase own",
    );
  }
  options.onProgress?.(`base: making ${reference} with mmdebstrap`);
  const archive = join(cacheFolder(), "images", `${randomUUID()}.tar`);
  try {
    await mkdir(join(archive, ".."), { recursive: true });
    const [program = "", ...args] = baseCommand(archive);
    const made = await run(program, args, options, { SOURCE_DATE_EPOCH: String(imageTimestamp) });
    if (made.status !== 0)
      throw new DeploymentError(
        `The base image cannot be made with mmdebstrap: ${lastLines(made.output)}\nMend, on Debian: apt install mmdebstrap`,
      );
    const imported = await docker(["import", archive, reference], options);
    if (imported.status !== 0)
      throw new DeploymentError(`The base image cannot be imported: ${lastLines(imported.output)}`);
  } finally {
    await rm(archive, { force: true });
  }
}

/** Writes the folder that is sent to the daemon. Jars are links to those of the cache: nothing is copied. */
async function writeContext(folder: string, content: ImageContent, base: string, options: BuildOptions): Promise<void> {
  await mkdir(join(folder, "bin"), { recursive: true });
  await writeFile(join(folder, "Dockerfile"), dockerfile(content, base));
  if (content.node) await link(await ensureNode(options), join(folder, "bin", "node"));
  for (const distribution of addedDistributions(content)) {
    const directory = await ensureDistribution(distribution, {
      ...(options.onProgress && { onProgress: options.onProgress }),
      ...(options.signal && { signal: options.signal }),
    });
    await linkFolder(directory, join(folder, distribution.name));
  }
  if (content.programs.length > 0) await mkdir(join(folder, "programs"));
  for (const program of content.programs) await cp(program, join(folder, "programs", basename(program)));
}

async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await linkFolder(source, target);
    else await link(source, target);
  }
}

/** The path of a Node for the daemon's machine, from npm, which checks it. */
async function ensureNode(options: BuildOptions): Promise<string> {
  const { output, status } = await docker(["version", "--format", "{{.Server.Arch}}"], options);
  const architecture = { amd64: "x64", arm64: "arm64" }[output.trim()];
  if (status !== 0 || architecture === undefined)
    throw new DeploymentError(`There is no Node for Docker's machine: ${lastLines(output)}`);
  const name = `node-linux-${architecture}`;
  const node = join(cacheFolder(), "images", `${name}-${nodeVersion}`);
  const scratch = join(cacheFolder(), "images", randomUUID());
  if (existsSync(node)) return node;
  try {
    await mkdir(scratch, { recursive: true });
    options.onProgress?.(`fetching ${name} ${nodeVersion} with npm`);
    const archive = join(scratch, `${name}-${nodeVersion}.tgz`);
    for (const [program, args] of [
      ["npm", ["pack", "--silent", "--pack-destination", scratch, `${name}@${nodeVersion}`]],
      ["tar", ["--extract", "--file", archive, "--directory", scratch]],
    ] as const) {
      const result = await run(program, args, options);
      if (result.status !== 0) throw new DeploymentError(`${name} cannot be fetched: ${lastLines(result.output)}`);
    }
    await rename(join(scratch, "package", "bin", "node"), node);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return node;
}

/** How a program ended and what it printed. */
interface Ended {
  readonly status: number | null;
  readonly output: string;
}

function docker(
  args: readonly string[],
  options: BuildOptions,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const host = options.dockerHost === undefined ? [] : ["--host", options.dockerHost];
  return run("docker", [...host, ...args], options, environment);
}

function run(
  program: string,
  args: readonly string[],
  { signal }: BuildOptions,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal && { signal }),
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-64 * 1024);
      });
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (signal?.aborted) reject(new DeploymentError(`${program} was cancelled.`));
      else resolve({ status: null, output: error.code === "ENOENT" ? `${program} is not on PATH` : error.message });
    });
    child.once("close", (status) => resolve({ status, output }));
  });
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-20).join("\n");
}
