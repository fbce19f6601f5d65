import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync, version as esbuildVersion } from "esbuild";
import type { ViewLayout } from "../jobs/formats.ts";
import { createViewTables } from "../jobs/speed/tables.ts";
import { cacheFolder } from "./cache-folder.mjs";

/** The root of the sources, of the checkout or of the package: what paths in a bundle are relative to, so that it does not tell where it was made. */
const root = fileURLToPath(new URL("..", import.meta.url));

/** What everything is bundled with: one module that needs nothing beside it, for Node 24. */
const options = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node24",
  logLevel: "silent",
  legalComments: "none",
  // Its main module reads a file beside itself, which a bundle has not.
  alias: { "@platformatic/wasm-utils": "@platformatic/wasm-utils/bundled" },
} as const satisfies BuildOptions;

/**
 * Leaves out what does not count as a view's code. Names stay: short ones would be given by how often each letter stands
 * in the sources, types and unused code included, and so would change with them.
 */
const withoutLayout = { minifySyntax: true, minifyWhitespace: true } as const satisfies BuildOptions;

/** CommonJS packages in an ES module still call require for Node's own modules. */
const banner = `import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url);`;

/** What {@link bundleProgram} bundles. */
export interface ProgramArgs {
  /** The absolute path of the module to run, TypeScript or JavaScript. */
  readonly entry: string;
  /** The absolute path of the module that `#application` stands for. Default: in the checkout as in package.json. */
  readonly application?: string;
  /** The folder that receives the bundle. Default: `programs` in this project's cache. */
  readonly folder?: string;
}

/**
 * Bundles a program with all that it imports into one file that Node 24 runs.
 *
 * @returns the absolute path of the bundle, `<folder>/<name>-<hash of the content>.mjs`: new code, new path
 * @throws {Error} with esbuild's messages if a module cannot be found or parsed
 */
export function bundleProgram({ entry, application, folder = programsFolder() }: ProgramArgs): string {
  const build = {
    ...options,
    format: "esm",
    entryPoints: [entry],
    banner: { js: banner },
    alias: { ...options.alias, ...(application !== undefined && { "#application": application }) },
  } as const satisfies BuildOptions;
  const name = basename(entry).replace(/\.[^.]+$/, "");
  return remembered(folder, build, existsSync, () => {
    const { text, inputs } = bundle(build);
    const file = join(folder, `${name}-${sha256(text).slice(0, 12)}.mjs`);
    if (!existsSync(file)) write(file, text);
    return { value: file, inputs };
  });
}

/**
 * The generation of a view: 8 hexadecimal digits of the hash of its code, of all that it uses and nothing else,
 * comments, types and layout left out. It is exact for a view that is exported from a module of its own; what stands beside
 * it in the same module, or in the application's if it is not exported at all, counts as its code too. So does the layout of
 * what is stored of it: data of another layout is not read, but computed again beside the old.
 *
 * @param application the absolute path of the module whose default export is the application
 * @param view the view's name
 * @param layout where and how its rows are stored
 * @throws {Error} if the application has no such view
 */
export function viewGeneration(application: string, view: string, layout: ViewLayout): string {
  const stored = [...createViewTables(view, ""), layoutText(layout)];
  const key = { application, view, stored, options, root };
  const isGeneration = (value: string) => /^[0-9a-f]{8}$/.test(value);
  return remembered(programsFolder(), key, isGeneration, () => {
    const { source, inputs } = viewSource(application, view);
    const { text } = bundle({ ...options, ...virtual(source), format: "esm", ...withoutLayout, treeShaking: true });
    return { value: sha256([view, ...stored, text].join("\0")).slice(0, 8), inputs };
  });
}

/** The layout as a text: the same for the same one, in whatever order its parts are named. */
function layoutText({ formats, ...layout }: ViewLayout): string {
  return JSON.stringify([Object.entries(layout).sort(byName), Object.entries(formats).sort(byName)]);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** A module that exports the view only: from the module that exports it, else the application as a whole. */
function viewSource(application: string, view: string): { source: string; inputs: readonly string[] } {
  const whole = `export { default } from ${JSON.stringify(application)};`;
  const { inputs, used } = bundle({ ...options, ...virtual(whole), format: "esm" });
  // Only what is used: an index from which an application takes one function leads to all of this package.
  const modules = used.filter((input) => !input.includes("/node_modules/"));
  // Run, a bundle of them all tells which module's which export is the view, by identity.
  const search = `
    import application from ${JSON.stringify(application)};
    ${modules.map((file, index) => `import * as m${index} from ${JSON.stringify(file)};`).join("\n")}
    const wanted = application.views.find(({ name }) => name === ${JSON.stringify(view)});
    const exported = [${modules.map((_, index) => `m${index}`)}].flatMap((module, index) =>
      Object.keys(module).filter((name) => module[name] === wanted).map((name) => ({ index, name })));
    console.log(JSON.stringify(wanted === undefined ? {} : { exported: exported[0] ?? null }));`;
  const { text } = bundle({ ...options, ...virtual(search), format: "esm", banner: { js: banner } });
  const run = spawnSync(process.execPath, ["--input-type=module", "-"], { input: text, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${application} cannot be loaded:\n${run.stderr.trim()}`);
  const { exported } = JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "{}") as {
    exported?: { index: number; name: string } | null;
  };
  if (exported === undefined) throw new Error(`${application} has no view ${JSON.stringify(view)}.`);
  if (exported === null) return { source: whole, inputs };
  const file = JSON.stringify(modules[exported.index]);
  return { source: `export { ${JSON.stringify(exported.name)} as "view" } from ${file};`, inputs };
}

/** Build options for a module that is no file. */
function virtual(contents: string): BuildOptions {
  return { stdin: { contents, resolveDir: root, loader: "js" } };
}

/** The bundle's text, and the absolute paths of the files that were read for it and of those that are used in it. */
function bundle(build: BuildOptions): { text: string; inputs: string[]; used: string[] } {
  const { outputFiles, metafile } = buildSync({ ...build, write: false, metafile: true });
  const files = (names: readonly string[]) =>
    names.filter((name) => name !== "<stdin>").map((name) => resolve(root, name));
  const used = Object.values(metafile.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([name]) => name);
  return { text: outputFiles[0]?.text ?? "", inputs: files(Object.keys(metafile.inputs)), used: files(used) };
}

/** A file as it was: one that was written since, even with its old time given back, has another. */
type Stamp = readonly [file: string, size: number, changed: number];

/**
 * What `make` makes, remembered in the folder until one of the files that it was made of changes: bundling takes
 * most of a second, and a preview bundles everything.
 *
 * @param key what else decides on the value
 * @param valid whether a remembered value still holds
 */
function remembered(
  folder: string,
  key: unknown,
  valid: (value: string) => boolean,
  make: () => { value: string; inputs: readonly string[] },
): string {
  const memory = join(folder, "memory", `${sha256(JSON.stringify([esbuildVersion, key])).slice(0, 24)}.json`);
  try {
    const { value, stamps } = JSON.parse(readFileSync(memory, "utf8")) as { value: string; stamps: Stamp[] };
    const unchanged = stamps.every(([file, size, changed]) => {
      const now = statSync(file);
      return now.size === size && now.ctimeMs === changed;
    });
    if (unchanged && valid(value)) return value;
  } catch {
    // Nothing remembered, or a file is gone.
  }
  const { value, inputs } = make();
  const stamps = inputs.map((file): Stamp => {
    const { size, ctimeMs } = statSync(file);
    return [file, size, ctimeMs];
  });
  write(memory, JSON.stringify({ value, stamps }));
  return value;
}

/** Writes the file so that it appears whole. */
function write(file: string, text: string): void {
  mkdirSync(join(file, ".."), { recursive: true });
  const scratch = `${file}.${randomUUID()}`;
  writeFileSync(scratch, text);
  renameSync(scratch, file);
}

function programsFolder(): string {
  return join(cacheFolder(), "programs");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
