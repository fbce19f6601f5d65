import { statSync } from "node:fs";
import { resolve } from "node:path";
import { CommandLine } from "../command-line.ts";
import { defaultStack } from "../environment.ts";

/** What `npm run demo` is asked for. */
export interface DemoOptions {
  /** The absolute path of a file of JSON lines, plain or gzip; undefined for the generator. */
  readonly input: string | undefined;
  /** How many events of the generator to play. */
  readonly events: number;
  /** Events a second; undefined for as fast as it goes. */
  readonly rate: number | undefined;
  /** Where the servers run: that of the stack. */
  readonly target: DemoTarget;
  readonly stack: string;
  /** Whether to take everything down at the end. */
  readonly down: boolean;
}

/** The stack of each target that can run the demo, unless another is named. */
export const stackOfTarget = { local: defaultStack, docker: "demo" } as const;
export type DemoTarget = keyof typeof stackOfTarget;

/** How many events the generator plays unless told otherwise. */
export const defaultEvents = 40_000;

/**
 * Reads the options of `npm run demo`.
 *
 * @param folder the folder that a relative `--input` is relative to
 * @throws {UsageError} with one line a mistake
 */
export function parseDemoOptions(args: readonly string[], folder: string): DemoOptions {
  const commandLine = new CommandLine(
    {
      name: "demo",
      usage: "[--input FILE | --events N] [--rate N] [--target local|docker] [--stack NAME] [--down]",
      options: {
        input: { type: "string" },
        events: { type: "string" },
        rate: { type: "string" },
        target: { type: "string" },
        stack: { type: "string" },
        down: { type: "boolean" },
      },
    },
    args,
  );
  const [events, rate] = [commandLine.whole("events", 1), commandLine.whole("rate", 1)];
  const { values } = commandLine;
  const input = values.input === undefined ? undefined : resolve(folder, values.input);
  if (input !== undefined && values.events !== undefined)
    commandLine.mistake("--input and --events exclude each other");
  if (input !== undefined) {
    const problem = inputProblem(input);
    if (problem !== undefined) commandLine.mistake(`--input: ${problem}`);
  }
  const target = values.target ?? "local";
  const chosen = isTarget(target) ? target : "local";
  if (chosen !== target)
    commandLine.mistake(`--target must be one of ${Object.keys(stackOfTarget).join(", ")}; it is ${target}`);
  const stack = commandLine.stack(stackOfTarget[chosen]);
  commandLine.throwIfAny();
  return { input, events: events ?? defaultEvents, rate, target: chosen, stack, down: values.down ?? false };
}

/** The demo reads its file several times: a pipe does not do. */
function inputProblem(input: string): string | undefined {
  const file = statSync(input, { throwIfNoEntry: false });
  if (file === undefined) return `there is no file ${input}`;
  if (file.isDirectory()) return `${input} is a folder`;
  if (!file.isFile()) return `${input} is no file that can be read twice; write it into one`;
  if (file.size === 0) return `${input} is empty`;
  return undefined;
}

function isTarget(name: string): name is DemoTarget {
  return Object.hasOwn(stackOfTarget, name);
}
