import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cacheFolder } from "../../cache-folder.ts";
import type { Distribution } from "../../target.ts";
import { DeploymentError } from "./instance.ts";
import { indent } from "./log.ts";

/** How the jars are fetched; part of the hash, so that a change of it makes new folders. */
const dependencyPlugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** Seconds that Maven may take for one part. */
const mavenLimit = 900;

/** The absolute path of the distribution's folder: named by the content of its parts, so never changed once made. */
export function distributionDirectory(distribution: Distribution): string {
  const hash = createHash("sha256").update(dependencyPlugin);
  for (const [part, folder] of Object.entries(distribution.parts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\0${part}`);
    for (const file of filesOf(folder)) hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  }
  return join(cacheFolder(), "distributions", `${distribution.name}-${hash.digest("hex").slice(0, 12)}`);
}

/** The files of a part, relative and sorted, without what Maven makes of them. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => !/^target([/\\]|$)/.test(file))
    .sort();
}

/** One at a time, since Maven's local repository is not made for several writers. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * Makes sure that the distribution's jars are on this machine, fetching them with Maven if they are not. Safe to be
 * called by several at once: the folder appears whole.
 *
 * @param onProgress is told what is fetched
 * @returns the distribution's folder
 * @throws {DeploymentError} if Maven is missing or fails, with the lines that say why
 */
export function ensureDistribution(
  distribution: Distribution,
  onProgress: (message: string) => void = () => {},
): Promise<string> {
  const made = turn.then(() => makeDistribution(distribution, onProgress));
  turn = made.catch(() => {});
  return made;
}

async function makeDistribution(distribution: Distribution, onProgress: (message: string) => void): Promise<string> {
  const directory = distributionDirectory(distribution);
  if (existsSync(directory)) return directory;
  await mkdir(join(cacheFolder(), "distributions"), { recursive: true });
  return withLock(join(cacheFolder(), "distributions.lock"), async () => {
    if (existsSync(directory)) return directory;
    const scratch = `${directory}.${randomUUID()}`;
    try {
      for (const [part, folder] of Object.entries(distribution.parts)) {
        onProgress(`${distribution.name}: fetching ${part} with Maven`);
        await makePart(distribution.name, folder, join(scratch, "projects", part), join(scratch, "parts", part));
      }
      await mkdir(join(scratch, "parts"), { recursive: true });
      await rename(join(scratch, "parts"), directory);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
    return directory;
  });
}

/** Fetches a part's jars, builds its own if it has sources, and copies its plain files. */
async function makePart(system: string, folder: string, project: string, part: string): Promise<void> {
  await mkdir(part, { recursive: true });
  await cp(folder, project, { recursive: true, filter: (source) => source !== join(folder, "target") });
  await maven(system, project, [
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

function maven(system: string, project: string, goals: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(
      "mvn",
      ["-B", "-q", "-f", join(project, "pom.xml"), ...goals],
      { cwd: project, timeout: mavenLimit * 1000, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error === null) resolve();
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

/** Runs `work` while no other process does under the same lock. A lock whose holder is gone is taken over. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = Number(await readFile(file, "utf8").catch(() => ""));
      if (holder > 0 && !isRunning(holder)) await rm(file, { force: true });
      else await sleep(200);
    }
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
