import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, buildSync, version as esbuildVersion } from "esbuild";
import type { ViewLayout } from "../jobs/formats.ts";
import { createViewTables } from "../jobs/speed/tables.ts";
import { cacheFolder } from "./cache-folder.mjs";
import { viewCode } from "./view-code.ts";

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
 * Leaves out what does not count as a view's code. Names stay for now: short ones would be given by how often each letter
 * stands in the sources, types and unused code included, and so would change with them. They are given to what is left.
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
 * The generation of a view: 8 hexadecimal digits of the hash of all that decides on its rows, and nothing else: its own
 * code, the events' schema, and what either uses; comments, types, names and layout left out. What only other views use
 * does not count, wherever it stands, see `viewCode`. The layout of what is stored of it counts too: data of another
 * layout is not read, but computed again beside the old.
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
    const { views, inputs: all } = viewNames(application);
    const index = views.indexOf(view);
    if (index < 0) throw new Error(`${application} has no view ${JSON.stringify(view)}.`);
    const { text: module, inputs } = applicationModule(application);
    const folder = dirname(application);
    const isPure = (imported: string) => isDefinition(folder, imported);
    const code = viewCode({ text: module, view: index, views: views.length, isPure });
    const whole = bundle({ ...options, ...virtual(code, folder), format: "esm", ...withoutLayout, treeShaking: true });
    const { text } = bundle({ ...options, ...virtual(whole.text), format: "esm", minify: true });
    return { value: sha256([view, ...stored, text].join("\0")).slice(0, 8), inputs: [...all, ...inputs] };
  });
}

/** The layout as a text: the same for the same one, in whatever order its parts are named. */
function layoutText({ formats, ...layout }: ViewLayout): string {
  return JSON.stringify([Object.entries(layout).sort(byName), Object.entries(formats).sort(byName)]);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** The names of the application's views, in order, and the files that were read for them. */
function viewNames(application: string): { views: readonly string[]; inputs: readonly string[] } {
  const source = `
    import application from ${JSON.stringify(application)};
    console.log(JSON.stringify(application.views.map(({ name }) => name)));`;
  const { text, inputs } = bundle({ ...options, ...virtual(source), format: "esm", banner: { js: banner } });
  const run = spawnSync(process.execPath, ["--input-type=module", "-"], { input: text, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${application} cannot be loaded:\n${run.stderr.trim()}`);
  return { views: JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "[]"), inputs };
}

/** The application as one module, in which the functions that only define something stay imported. */
function applicationModule(application: string): { text: string; inputs: readonly string[] } {
  return bundle({
    ...options,
    ...virtual(`export { default } from ${JSON.stringify(application)};`),
    // Imports of files are written relative to where it would be.
    outfile: join(dirname(application), "application.mjs"),
    external: [...definitions.map((path) => join(root, path)), "zod", "zod/*", "lambda-architecture/jobs"],
    format: "esm",
  });
}

/** The modules of ours whose functions only make values: measures, views, applications. */
const definitions = ["jobs/application.*", "jobs/index.*", "jobs/measures/*", "jobs/views/*"];

/** Whether an import in an {@link applicationModule}, which is of the folder, is of such a module, or of zod. */
function isDefinition(folder: string, imported: string): boolean {
  if (!imported.startsWith(".") && !isAbsolute(imported))
    return /^(zod(\/.*)?|lambda-architecture\/jobs)$/.test(imported);
  return /^jobs\/(application\.|index\.|measures\/|views\/)/.test(relative(root, resolve(folder, imported)));
}

/** Build options for a module that is no file. */
function virtual(contents: string, resolveDir = root): BuildOptions {
  return { stdin: { contents, resolveDir, loader: "js" } };
}

/** The bundle's text, and the absolute paths of the files that were read for it. */
function bundle(build: BuildOptions): { text: string; inputs: string[] } {
  const { outputFiles, metafile } = buildSync({ ...build, write: false, metafile: true });
  const inputs = Object.keys(metafile.inputs).filter((name) => name !== "<stdin>");
  return { text: outputFiles[0]?.text ?? "", inputs: inputs.map((name) => resolve(root, name)) };
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
