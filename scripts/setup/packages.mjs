import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { withLock } from "./lock.mjs";
import { checkout, packagePrograms, projectNode, stateFolder } from "./paths.mjs";
import { run, SetupError, say, step } from "./progress.mjs";

/**
 * The part of npm's lock files that says what is installed.
 *
 * @typedef {object} LockFile
 * @property {Record<string, {version?: string, optional?: boolean, devOptional?: boolean}>} [packages] by path
 */

/** The packages whose install scripts must have run: they fetch or link a program of this platform. */
const PACKAGES_WITH_PROGRAMS = ["node", "esbuild"];

/**
 * The packages of the lock file that are not installed in their locked version. Optional ones may be missing: they are
 * other platforms' programs.
 *
 * @param {LockFile} locked package-lock.json
 * @param {LockFile} installed node_modules/.package-lock.json, which npm keeps in step with the folder
 * @returns {string[]} their paths
 */
export function outdatedPackages(locked, installed) {
  return Object.entries(locked.packages ?? {})
    .filter(([path, entry]) => {
      const found = installed.packages?.[path];
      if (path === "" || (found === undefined && (entry.optional || entry.devOptional))) return false;
      return found?.version !== entry.version;
    })
    .map(([path]) => path);
}

/** Whether the packages are installed as locked. It costs some milliseconds only. */
export function packagesAreInstalled() {
  try {
    const locked = readLockFile("package-lock.json");
    return outdatedPackages(locked, readLockFile(join("node_modules", ".package-lock.json"))).length === 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

/** Installs the packages as locked, unless they are, and sees to it that their programs run. */
export async function installPackages() {
  await withLock(join(stateFolder, "packages.lock"), async () => {
    if (!packagesAreInstalled()) {
      // Packages that want a newer Node than the machine's run on the project's own: engine-strict does not hold here.
      say("Installing the packages and the project's own Node (npm ci)");
      await step("installing the packages", () => npm("ci", "--no-audit", "--no-fund", "--engine-strict=false"));
    }
    if (await programsRun()) return;
    // Someone's npm configuration may forbid install scripts; these two are needed and were reviewed (allowScripts).
    await step("running the install scripts", () =>
      npm("rebuild", "--ignore-scripts=false", ...PACKAGES_WITH_PROGRAMS),
    );
    if (!(await programsRun())) {
      throw new SetupError(
        `The programs of the npm packages ${PACKAGES_WITH_PROGRAMS.join(" and ")} do not run. Remove node_modules and ` +
          `try again; if that does not help, see what "npm rebuild --foreground-scripts ${PACKAGES_WITH_PROGRAMS.join(" ")}" prints.`,
      );
    }
  });
}

async function programsRun() {
  const programs = [projectNode, join(packagePrograms, "esbuild")];
  const results = await Promise.allSettled(programs.map((program) => run(program, ["--version"])));
  return results.every((result) => result.status === "fulfilled");
}

/** @param {string[]} args */
async function npm(...args) {
  // node_modules/.bin/node goes away while npm works: the machine's own Node runs it.
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== packagePrograms);
  return await run("npm", args, { cwd: checkout, environment: { ...process.env, PATH: path.join(delimiter) } });
}

/**
 * @param {string} file relative to the checkout
 * @returns {LockFile}
 */
function readLockFile(file) {
  return JSON.parse(readFileSync(join(checkout, file), "utf8"));
}
