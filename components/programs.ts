import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync } from "esbuild";

/** The repository's root: what paths in a bundle are relative to, so that the bundle does not tell where it was made. */
const root = fileURLToPath(new URL("..", import.meta.url));

/** What every program is bundled with: everything in one ES module for Node 24. */
const options: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  write: false,
  logLevel: "silent",
  legalComments: "none",
  // CommonJS packages in an ES module still call require, for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module";const require = __createRequire(import.meta.url);',
  },
};

/** What {@link bundleProgram} needs. */
export interface ProgramArgs {
  /** The absolute path of the TypeScript module to run. */
  readonly entry: string;
  /** The absolute path of the module that `#application` stands for. Default: as in package.json. */
  readonly application?: string;
  /** The folder that receives the bundle. */
  readonly folder: string;
}

/**
 * Bundles a program with all that it imports.
 *
 * @returns the absolute path of the bundle, `<folder>/<name>-<hash of the content>.mjs`: new code, new path
 * @throws {Error} with esbuild's messages if a module cannot be found or parsed
 */
export function bundleProgram({ entry, application, folder }: ProgramArgs): string {
  const text = bundle({
    ...options,
    entryPoints: [entry],
    ...(application && { alias: { "#application": application } }),
  });
  const name = basename(entry).replace(/\.[^.]+$/, "");
  const file = join(folder, `${name}-${sha256(text).slice(0, 12)}.mjs`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const scratch = `${file}.${randomUUID()}`;
    writeFileSync(scratch, text);
    renameSync(scratch, file);
  }
  return file;
}

function bundle(build: BuildOptions): string {
  const [output] = buildSync({ ...build, write: false }).outputFiles ?? [];
  if (output === undefined) throw new Error("esbuild made no output");
  return output.text;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
