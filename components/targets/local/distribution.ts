import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "../../cache-folder.mjs";
import type { Distribution } from "../../target.ts";
import { DeploymentError } from "./instance.ts";
import { indent } from "./log.ts";

/** How the jars are fetched; part of the hash, so that a change of it makes new folders. */
const dependencyPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** Seconds that Maven may take for one part. */
const mavenLimit = 900;

/** The absolute path of the distribution's folder: named by the content of its parts, so never changed once made. */
export function distributionDirectory(distribution: Distribution): string {
  return join(cacheFolder(), "distributions", `${distribution.name}-${distributionDigest(distribution)}`);
}

/** 12 hexadecimal digits of the hash of what the distribution is made of. */
export function distributionDigest(distribution: Distribution): string {
  const hash = createHash("sha256").update(dependencyPlugin);
  for (const [part, folder] of Object.entries(distribution.parts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\0${part}`);
    for (const file of filesOf(folder)) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex").slice(0, 12);
}

/** The files of a part, relative and sorted, without what Maven makes of them. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => !/^target([/\\]|$)/.test(file))
    .sort();
}

/** What {@link ensureDistribution} tells and heeds. */
export interface EnsureOptions {
  /** Told what is fetched. Default: nothing is. */
  readonly onProgress?: (message: string) => void;
  /** Ends Maven when aborted. Default: never. */
  readonly signal?: AbortSignal;
}

/** One at a time, since Maven's local repository is not made for several writers. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Makes sure that the distribution's jars are on this machine, fetching them with Maven if they are not. Safe to be
 * called by several at once: the folder appears whole.
 *
 * @returns the distribution's folder
 * @throws {DeploymentError} if Maven is missing or fails, with the lines that say why
 */
export function ensureDistribution(distribution: Distribution, options: EnsureOptions = {}): Promise<string> {
  const made = turn.then(() => makeDistribution(distribution, options));
  turn = made.catch(() => {});
  return made;
}

async function makeDistribution(distribution: Distribution, options: EnsureOptions): Promise<string> {
  const directory = distributionDirectory(distribution);
  if (existsSync(directory)) return directory;
  const distributions = dirname(directory);
  await mkdir(distributions, { recursive: true });
  return withLock(join(distributions, ".lock"), options.signal, async () => {
    if (existsSync(directory)) return directory;
    // What is in here was left by somebody who was killed: only the lock's holder writes to it.
    const scratch = join(distributions, ".scratch");
    await rm(scratch, { recursive: true, force: true });
    const made = join(scratch, randomUUID());
    try {
      for (const [part, folder] of Object.entries(distribution.parts)) {
        options.onProgress?.(`${distribution.name}: fetching ${part} with Maven`);
        const project = join(made, "projects", part);
        await makePart(distribution.name, folder, project, join(made, "parts", part), options.signal);
      }
      await rename(join(made, "parts"), directory).catch((error) => {
        // Somebody who took over the lock was first; it is the same.
        if (!existsSync(directory)) throw error;
      });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return directory;
  });
}

/** Fetches a part's jars, builds its own if it has sources, and copies its plain files. */
async function makePart(
  system: string,
  folder: string,
  project: string,
  part: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await mkdir(part, { recursive: true });
  await cp(folder, project, { recursive: true, filter: (source) => source !== join(folder, "target") });
  await maven(system, project, signal, [
    "-DskipTests",
    "package",
    dependencyPlugin,
    "-DincludeScope=runtime",
    `-DoutputDirectory=${part}`,
  ]);
  if (existsSync(join(project, "src", "main"))) {
    const target = join(project, "target");
    const jars = (await readdir(target)).filter(
      (name) => name.endsWith(".jar") && !/^original-|-(sources|tests|javadoc)\.jar$/.test(name),
    );
    for (const jar of jars) await cp(join(target, jar), join(part, basename(jar)));
  }
  if (existsSync(join(project, "files"))) await cp(join(project, "files"), part, { recursive: true });
}

function maven(
  system: string,
  project: string,
  signal: AbortSignal | undefined,
  goals: readonly string[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      "mvn",
      ["-B", "-q", "-f", join(project, "pom.xml"), ...goals],
      { cwd: project, timeout: mavenLimit * 1000, maxBuffer: 64 << 20, ...(signal && { signal }) },
      (error, stdout, stderr) => {
        if (error === null) resolve();
        else if (signal?.aborted) reject(new DeploymentError(`Fetching the jars of ${system} was cancelled.`));
        else if ((error as NodeJS.ErrnoException).code === "ENOENT")
          reject(
            new DeploymentError(
              `The jars of ${system} cannot be fetched: mvn is not on PATH. Install Maven 3.8 or newer.`,
            ),
          );
        else
          reject(
            new DeploymentError(
              `The jars of ${system} cannot be fetched; Maven says:\n${mavenErrors(`${stdout}\n${stderr}`)}\nIf a repository does not answer, mend the network or the mirror in ~/.m2/settings.xml and try again; what was fetched is kept.`,
            ),
          );
      },
    );
  });
}

/** The lines of Maven's output that say what failed. */
export function mavenErrors(output: string): string {
  const errors = output
    .split("\n")
    .filter(
      (line) =>
        line.startsWith("[ERROR]") &&
        !/^\[ERROR\]\s*($|-> \[Help|To see the full|Re-run Maven|For more information|\[Help)/.test(line),
    )
    .map((line) => line.slice("[ERROR]".length).trim());
  return indent(errors.length > 0 ? errors.slice(0, 8).join("\n") : output);
}

/** Seconds after which a lock is no more believed, whoever has its holder's pid now. */
const lockLimit = 3600;
/** Seconds after which a lock without a holder's pid is no more believed: it is written right after it is made. */
const emptyLockLimit = 5;

/** Runs `work` while no other process does under the same lock. A lock whose holder is gone is taken over. */
async function withLock<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  while (!(await tryLock(file))) {
    if (signal?.aborted) throw new DeploymentError("Waiting for another process that fetches jars was cancelled.");
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function tryLock(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const holder = Number(await readFile(file, "utf8").catch(() => ""));
  const made = (await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now();
  const limit = holder > 0 ? lockLimit : emptyLockLimit;
  if ((holder > 0 && !isRunning(holder)) || Date.now() - made > limit * 1000) await rm(file, { force: true });
  return false;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
