import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { run } from "./progress.mjs";

/**
 * A program that is built from pinned Go modules.
 *
 * @typedef {object} GoProgram
 * @property {string} module the absolute path of the folder with its go.mod and go.sum
 * @property {string} package what to build: an import path, or `.` for the folder itself
 * @property {string} program the built file's name
 * @property {string} linkerFlags
 * @property {readonly string[]} [tags] build tags; default: none
 * @property {(folder: string) => Promise<void>} [prepare] makes what the build needs beside the sources, in a copy of
 *   the module's folder; default: nothing is needed
 */

/**
 * What tells a build from every other one: 12 hexadecimal digits of the hash of its recipe.
 *
 * @param {readonly GoProgram[]} programs
 * @param {string} [further] what else decides on the result
 */
export function recipeDigest(programs, further = "") {
  const hash = createHash("sha256").update(further);
  for (const { module, linkerFlags, tags = [] } of programs) {
    const files = readdirSync(module, { recursive: true, encoding: "utf8" }).map((file) => join(module, file));
    for (const file of files.sort()) if (statSync(file).isFile()) hash.update(readFileSync(file));
    hash.update(linkerFlags + tags.join());
  }
  return hash.digest("hex").slice(0, 12);
}

/**
 * Builds the programs into the folder, one after another.
 *
 * @param {readonly GoProgram[]} programs
 * @param {string} folder an empty folder
 * @throws {import("./progress.mjs").SetupError} with Go's own words
 */
export async function goBuild(programs, folder) {
  for (const { module, package: name, program, linkerFlags, tags = [], prepare } of programs) {
    let sources = module;
    if (prepare !== undefined) {
      sources = join(folder, `${program}-sources`);
      cpSync(module, sources, { recursive: true });
      await prepare(sources);
    }
    const args = ["build", ...(tags.length > 0 ? ["-tags", tags.join()] : []), "-ldflags", linkerFlags];
    await run("go", [...args, "-o", join(folder, program), name], {
      cwd: sources,
      environment: { ...process.env, CGO_ENABLED: "0" },
    });
    if (sources !== module) rmSync(sources, { recursive: true });
  }
}
