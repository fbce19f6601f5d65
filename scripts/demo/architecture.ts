import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { type Configuration, configurationSchema } from "../../jobs/configuration.ts";
import { hasOwnBackend, projectStacks, requireStack, runPulumi } from "../environment.ts";

/** What the stack's outputs say of the architecture that runs. */
export interface RunningArchitecture {
  /** The absolute path of the application's module. */
  readonly application: string;
  readonly queryUrl: string;
  /** Where the archiver's metrics are. */
  readonly archiverUrl: string;
  readonly batchCommand: readonly string[];
  readonly configuration: Configuration;
}

/**
 * Reads the outputs of a stack.
 *
 * @throws {UsageError} if there is no such stack
 * @throws {Error} if it is not up, or its outputs are another version's
 */
export async function runningArchitecture(stack: string): Promise<RunningArchitecture> {
  requireStack(stack);
  const up = `npm run pulumi -- up --stack ${stack}`;
  const isMade = hasOwnBackend() || projectStacks().includes(stack);
  const outputs = isMade ? JSON.parse(await captured(["stack", "output", "--json", "--stack", stack])) : {};
  if (outputs.queryUrl === undefined) throw new Error(`the stack ${stack} is not up: ${up}`);
  const configuration = configurationSchema.safeParse(JSON.parse(outputs.jobConfiguration)).data;
  if (configuration === undefined)
    throw new Error(`the stack ${stack} was brought up by another version of this project: ${up}`);
  return {
    application: outputs.application,
    queryUrl: outputs.queryUrl,
    archiverUrl: outputs.archiverUrl,
    batchCommand: outputs.batchCommand,
    configuration: withOutsideBrokers(configuration, outputs.bootstrapServers),
  };
}

/** The jobs' configuration as it is outside of the target, where brokers may have other addresses than inside. */
function withOutsideBrokers(configuration: Configuration, bootstrapServers: string): Configuration {
  return { ...configuration, kafka: { ...configuration.kafka, bootstrapServers: bootstrapServers.split(",") } };
}

async function captured(args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runPulumi(args, { capture: true });
  if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")}: ${stderr.trim().split("\n")[0]}`);
  return stdout;
}

/** A batch run's exit code where another run is under way. */
const anotherRun = 3;

/**
 * Runs a batch, after any other run that is under way.
 *
 * @param onLine told of every line that the run prints
 * @throws {Error} if the run fails
 */
export async function runBatch(command: readonly string[], onLine: (line: string) => void): Promise<void> {
  for (;;) {
    const exitCode = await runCommand(command, onLine);
    if (exitCode === 0) return;
    if (exitCode !== anotherRun) throw new Error(`the batch run failed with exit code ${exitCode}`);
    onLine("waits for the run that is under way");
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  }
}

/** Runs a command to its end. Returns the exit code. */
export function runCommand(
  [program = "", ...args]: readonly string[],
  onLine: (line: string) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, onLine);
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
