import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { cacheFolder } from "../components/cache-folder.mjs";
import { UsageError } from "./command-line.ts";
import { checkout, project, stateFolder } from "./setup/paths.mjs";
import { projectPath, readRecord, type SetupRecord } from "./setup/record.mjs";
import { configuredStacks, ownName, readStackConfiguration, withoutEncryptionSalt } from "./stack-configuration.ts";

export { checkout, project, stateFolder } from "./setup/paths.mjs";

/** The stack that is meant where none is named. */
export const defaultStack = "dev";

/** Resource operations at once: all the servers start together. The CLI's own default would hold some of them back. */
const PARALLEL_OPERATIONS = 32;

/** Pulumi's own folder of this checkout. It is beside the state, since it remembers which of its stacks is selected. */
const projectHome = join(stateFolder, "pulumi");

/** What a run of the Pulumi CLI came to. */
export interface PulumiRun {
  readonly exitCode: number;
  /** Empty unless captured. */
  readonly stdout: string;
  /** Empty unless captured. */
  readonly stderr: string;
}

/** How to run the Pulumi CLI. */
export interface PulumiRunOptions {
  /** Whether to collect what it prints instead of passing it on. Default: false. */
  readonly capture?: boolean;
  /** Further environment variables. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The environment in which the Pulumi CLI and everything else of the project runs: the project's Node and CLI first on
 * PATH and, unless the person chose a backend, state, passphrase and Pulumi's own folder of this project. Someone's own
 * backend is left alone, and so are the passphrase and the home folder that go with it.
 *
 * @throws {Error} before the set-up
 */
export function pulumiEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return {
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_PARALLEL: String(PARALLEL_OPERATIONS),
    // Loading the SDK is most of what a preview waits for.
    NODE_COMPILE_CACHE: join(cacheFolder(environment), "compile-cache"),
    ...(hasOwnBackend(environment) ? {} : projectBackend(environment)),
    ...environment,
    PATH: projectPath(setupRecord(), environment.PATH),
  };
}

/**
 * Runs the Pulumi CLI in the checkout to its end, whatever that is. Where the default stack is meant and not made yet, in
 * the project's own backend, it makes and selects it first.
 */
export async function runPulumi(args: readonly string[], options: PulumiRunOptions = {}): Promise<PulumiRun> {
  const environment = pulumiEnvironment({ ...process.env, ...options.environment });
  const problem = (await configurationProblem(args, environment)) ?? (await protectionProblem(args, environment));
  if (problem !== undefined) return { exitCode: 1, stdout: "", stderr: problem };
  if (hasOwnBackend(environment)) return await runCli(args, environment, options.capture);
  if (needsStack(args) && isDefaultStackMissing(namedStack(args) ?? environment.PULUMI_STACK)) {
    if (!projectStacks().includes(defaultStack)) forgetEncryptionSalt(defaultStack);
    const created = await runCli(["stack", "select", "--create", defaultStack], environment, true);
    if (created.exitCode !== 0) return created;
  }
  const before = projectStacks();
  try {
    return await runCli(args, environment, options.capture);
  } finally {
    for (const stack of new Set([...before, ...projectStacks()])) forgetEncryptionSalt(stack);
  }
}

/**
 * What is wrong with the file of the stack that is to be deployed. Pulumi checks the types of its values too, but ends
 * at the first wrong one and names no fix.
 */
async function configurationProblem(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (!deploys(args)) return undefined;
  const selected = async () => (await runCli(["stack", "--show-name"], environment, true)).stdout.trim();
  const stack = namedStack(args) ?? environment.PULUMI_STACK ?? (await selected());
  try {
    readStackConfiguration(stack);
    return undefined;
  } catch (error) {
    return `${(error as Error).message}\n`;
  }
}

/**
 * Why a stack cannot be destroyed: it has protected resources. Pulumi finds them one by one, when it has deleted what
 * depends on them already, the jobs among it.
 */
async function protectionProblem(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (!destroysAll(args)) return undefined;
  const named = namedStack(args);
  const stack = named === undefined ? [] : ["--stack", named];
  const { exitCode, stdout } = await runCli(["stack", "export", ...stack], environment, true);
  // What is wrong then, the command itself says.
  return exitCode === 0 ? protectionReport(protectedResources(stdout), named) : undefined;
}

/** The names of the protected resources in what `pulumi stack export` prints. */
export function protectedResources(state: string): string[] {
  const { deployment } = JSON.parse(state) as {
    deployment?: { resources?: readonly { readonly urn: string; readonly protect?: boolean }[] };
  };
  return (deployment?.resources ?? []).flatMap(({ urn, protect }) =>
    protect === true ? [urn.split("::").at(-1) ?? ""] : [],
  );
}

/** Why a stack with these protected resources is not destroyed, and the fix; undefined if there are none. */
export function protectionReport(resources: readonly string[], stack: string | undefined): string | undefined {
  if (resources.length === 0) return undefined;
  const named = stack === undefined ? "" : ` --stack ${stack}`;
  const shown = [...resources.slice(0, 3), ...(resources.length > 3 ? [`${resources.length - 3} more`] : [])];
  return (
    `nothing was deleted: ${new Intl.ListFormat("en-GB").format(shown)} keep data and are protected, since the stack ` +
    `is not ephemeral. Fix: npm run pulumi -- config set ephemeral true${named}, then npm run pulumi -- up${named}, then again\n`
  );
}

/** Whether these arguments of the CLI destroy all of a stack of this project. */
export function destroysAll(args: readonly string[]): boolean {
  const [command = ""] = args.filter((argument) => !argument.startsWith("-"));
  const isPart = args.some((argument) => /^(-C|--cwd|-t|--target|--exclude)/.test(argument));
  return ["destroy", "down", "dn"].includes(command) && needsStack(args) && !isPart;
}

/** The folder with the files of a stack's servers: configuration, logs and data. */
export function stackFolder(stack: string): string {
  return join(stateFolder, "stacks", ownName(stack));
}

/** Makes the stack if there is none of that name, without selecting it. In a backend of their own people do so themselves. */
export async function ensureStack(stack: string): Promise<void> {
  if (hasOwnBackend() || projectStacks().includes(stack)) return;
  const { exitCode, stderr } = await runPulumi(["stack", "init", stack, "--no-select"], { capture: true });
  if (exitCode !== 0) throw new Error(`the stack ${stack} cannot be made: ${stderr.trim()}`);
}

/**
 * Makes sure that there is a stack of that name: in the project's own backend, or a file of its configuration. Someone's
 * own backend says so itself.
 *
 * @throws {UsageError} if there is none
 */
export function requireStack(stack: string): void {
  if (hasOwnBackend()) return;
  const stacks = [...new Set([...projectStacks(), ...configuredStacks()])].sort();
  if (!stacks.includes(stack)) throw new UsageError(`there is no stack ${stack}; the stacks are ${stacks.join(", ")}`);
}

/** The names of the stacks in the project's own backend, in order. */
export function projectStacks(): string[] {
  const folder = join(stateFolder, "state", ".pulumi", "stacks", project);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"))
    .sort();
}

/**
 * Whether the default stack is meant, but not there or, where none is named, not selected.
 *
 * @param named the stack that the person named, if any
 */
function isDefaultStackMissing(named: string | undefined): boolean {
  const stacks = projectStacks();
  if (named !== undefined) return named === defaultStack && !stacks.includes(named);
  // A selection can outlive its stack.
  return stacks.length === 0 || !existsSync(join(projectHome, "workspaces"));
}

/** The stack that these arguments of the CLI name, if any. */
export function namedStack(args: readonly string[]): string | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { stack: { type: "string", short: "s" } },
    strict: false,
    allowPositionals: true,
  });
  return typeof values.stack === "string" ? values.stack : undefined;
}

/** Whether these arguments of the CLI ask something of a stack. */
export function needsStack(args: readonly string[]): boolean {
  if (args.includes("-h") || args.includes("--help")) return false;
  const [command = "", subcommand = ""] = args.filter((argument) => !argument.startsWith("-"));
  if (command === "stack") return !["init", "select", "ls", "rm", "new"].includes(subcommand);
  return STACK_COMMANDS.has(command);
}

/** Whether these arguments of the CLI run this project's program. */
export function deploys(args: readonly string[]): boolean {
  const elsewhere = args.some((argument) => /^(-C|--cwd)/.test(argument));
  const [command = ""] = args.filter((argument) => !argument.startsWith("-"));
  return needsStack(args) && !elsewhere && ["up", "update", "preview", "pre"].includes(command);
}

const STACK_COMMANDS = new Set([
  "up",
  "update",
  "preview",
  "pre",
  "refresh",
  "destroy",
  "down",
  "dn",
  "import",
  "watch",
  "config",
  "state",
  "cancel",
]);

function setupRecord(): SetupRecord {
  const record = readRecord();
  if (record === undefined) throw new Error("This checkout is not set up: run `npm run setup` first.");
  return record;
}

/** Whether the person chose a backend for the stacks' state: then it is theirs, with all that belongs to it. */
export function hasOwnBackend(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment.PULUMI_BACKEND_URL !== undefined && environment.PULUMI_BACKEND_URL !== projectBackendUrl();
}

function projectBackendUrl(): string {
  // A folder's name may have signs that mean something in an address.
  return pathToFileURL(join(stateFolder, "state")).href;
}

function projectBackend(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  mkdirSync(join(stateFolder, "state"), { recursive: true });
  mkdirSync(projectHome, { recursive: true });
  linkPlugins(join(projectHome, "plugins"), join(cacheFolder(environment), "pulumi-plugins"));
  const hasPassphrase =
    environment.PULUMI_CONFIG_PASSPHRASE !== undefined || environment.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined;
  return {
    PULUMI_HOME: projectHome,
    PULUMI_BACKEND_URL: projectBackendUrl(),
    // A stack's configuration file does not keep the salt (see forgetEncryptionSalt): the state does.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    ...(hasPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile() }),
  };
}

/** Lets all checkouts share the plugins that the CLI downloads. */
function linkPlugins(link: string, shared: string): void {
  mkdirSync(shared, { recursive: true });
  createOnce(() => symlinkSync(shared, link));
}

/** The file with the project's passphrase for the stacks' secrets. It is generated once a checkout. */
function passphraseFile(): string {
  const file = join(stateFolder, "passphrase");
  createOnce(() => writeFileSync(file, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" }));
  return file;
}

/** Creates a file by a call that fails if it exists, which is fine: an earlier run or another process made it. */
function createOnce(create: () => void): void {
  try {
    create();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/**
 * Takes the salt of the generated passphrase out of a stack's configuration file again, into which the CLI writes it.
 * That file belongs to everyone, the passphrase to this checkout only: committed, the salt would lock out all others.
 */
function forgetEncryptionSalt(stack: string): void {
  const file = join(checkout, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return;
  const before = readFileSync(file, "utf8");
  const after = withoutEncryptionSalt(before);
  if (after.trim() === "") rmSync(file);
  else if (after !== before) writeFileSync(file, after);
}

async function runCli(args: readonly string[], environment: NodeJS.ProcessEnv, capture = false): Promise<PulumiRun> {
  const child = spawn(setupRecord().cli.program, args, {
    cwd: checkout,
    env: environment,
    stdio: capture ? ["ignore", "pipe", "pipe"] : "inherit",
  });
  const [exitCode, stdout, stderr] = await Promise.all([
    ended(child),
    child.stdout ? text(child.stdout) : "",
    child.stderr ? text(child.stderr) : "",
  ]);
  return { exitCode, stdout, stderr };
}

/** Waits for the CLI's end. Ctrl-C reaches it from the terminal; other requests to stop are passed on. */
async function ended(child: ChildProcess): Promise<number> {
  const ignore = (): void => {};
  const passOn = (signal: NodeJS.Signals): boolean => child.kill(signal);
  process.on("SIGINT", ignore).on("SIGTERM", passOn).on("SIGHUP", passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => resolve(code ?? 1));
    });
  } finally {
    process.off("SIGINT", ignore).off("SIGTERM", passOn).off("SIGHUP", passOn);
  }
}
