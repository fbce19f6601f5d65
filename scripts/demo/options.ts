import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
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

/** A mistake of the person at the command line: its message says everything. */
export class UsageError extends Error {}

/**
 * Reads the options of `npm run demo`.
 *
 * @param folder the folder that a relative `--input` is relative to
 * @throws {UsageError} with one line a mistake
 */
export function parseDemoOptions(args: readonly string[], folder: string): DemoOptions {
  const { values, positionals } = parse(args);
  const mistakes = positionals.map((word) => `${JSON.stringify(word)} is no option`);
  const whole = (name: "events" | "rate"): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    if (!/^[1-9][0-9]{0,8}$/.test(text)) mistakes.push(`--${name} must be a whole number from 1; it is ${text}`);
    return Number(text);
  };
  const [events, rate] = [whole("events"), whole("rate")];
  const input = values.input === undefined ? undefined : resolve(folder, values.input);
  if (input !== undefined && events !== undefined) mistakes.push("--input and --events exclude each other");
  if (input !== undefined && !existsSync(input)) mistakes.push(`--input: there is no file ${input}`);
  const { target } = values;
  if (!isTarget(target))
    mistakes.push(`--target must be one of ${Object.keys(stackOfTarget).join(", ")}; it is ${target}`);
  if (mistakes.length > 0) throw new UsageError(`${mistakes.join("\n")}\n${usage}`);
  const chosen = target as DemoTarget;
  return {
    input,
    events: events ?? defaultEvents,
    rate,
    target: chosen,
    stack: values.stack ?? stackOfTarget[chosen],
    down: values.down ?? false,
  };
}

function isTarget(name: string): name is DemoTarget {
  return Object.hasOwn(stackOfTarget, name);
}

const usage =
  "usage: npm run demo -- [--input FILE | --events N] [--rate N] [--target local|docker] [--stack NAME] [--down]";

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        input: { type: "string" },
        events: { type: "string" },
        rate: { type: "string" },
        target: { type: "string", default: "local" },
        stack: { type: "string" },
        down: { type: "boolean" },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}
