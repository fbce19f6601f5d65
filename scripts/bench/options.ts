import { parseArgs } from "node:util";
import { UsageError } from "../demo/options.ts";

/** The parts of the bench, in the order in which they run. */
export const parts = ["speed", "stages", "latency", "batch", "query", "growth", "lifecycle"] as const;
export type Part = (typeof parts)[number];

/** What `npm run bench` is asked for. */
export interface BenchOptions {
  /** In the order of {@link parts}. */
  readonly parts: readonly Part[];
  /** How often everything is measured. */
  readonly runs: number;
  /** Events of a run. */
  readonly events: number;
  /** Events of the largest batch run and of growth. */
  readonly mostEvents: number;
  /** The beginning of the stacks' names. */
  readonly stack: string;
  /** Whether to leave the stacks running, to look into them or to measure again. */
  readonly keep: boolean;
}

const defaults = { runs: 5, events: 1_000_000, "most-events": 4_000_000 };

/**
 * Reads the options of `npm run bench`.
 *
 * @throws {UsageError} with one line a mistake
 */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const isPart = (word: string): word is Part => (parts as readonly string[]).includes(word);
  const mistakes = positionals.filter((word) => !isPart(word)).map((word) => `${JSON.stringify(word)} is no part`);
  const whole = (name: keyof typeof defaults, least: number): number => {
    const text = values[name] ?? String(defaults[name]);
    if (!/^[1-9][0-9]{0,8}$/.test(text) || Number(text) < least)
      mistakes.push(`--${name} must be a whole number from ${least}; it is ${text}`);
    return Number(text);
  };
  const [runs, events, mostEvents] = [whole("runs", 1), whole("events", 10_000), whole("most-events", 20_000)];
  if (mostEvents <= events) mistakes.push(`--most-events must be more than --events, ${events}; it is ${mostEvents}`);
  if (!/^[a-z][a-z0-9]*$/.test(values.stack))
    mistakes.push(`--stack must be letters and digits; it is ${values.stack}`);
  if (mistakes.length > 0) throw new UsageError(`${mistakes.join("\n")}\n${usage}`);
  const chosen = positionals.length === 0 ? parts : parts.filter((part) => positionals.includes(part));
  return { parts: chosen, runs, events, mostEvents, stack: values.stack, keep: values.keep ?? false };
}

const usage = `usage: npm run bench -- [PART…] [--runs N] [--events N] [--most-events N] [--stack NAME] [--keep]
the parts are ${parts.join(", ")}; without any, all of them`;

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        runs: { type: "string" },
        events: { type: "string" },
        "most-events": { type: "string" },
        stack: { type: "string", default: "bench" },
        keep: { type: "boolean" },
      },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}
