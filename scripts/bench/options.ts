import { CommandLine } from "../command-line.ts";

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
  const commandLine = new CommandLine(
    {
      name: "bench",
      usage,
      options: {
        runs: { type: "string" },
        events: { type: "string" },
        "most-events": { type: "string" },
        stack: { type: "string" },
        keep: { type: "boolean" },
      },
      word: "part",
    },
    args,
  );
  const { values, words } = commandLine;
  const isPart = (word: string): word is Part => (parts as readonly string[]).includes(word);
  for (const word of words) if (!isPart(word)) commandLine.mistake(`${JSON.stringify(word)} is no part`);
  const whole = (name: keyof typeof defaults, least: number): number =>
    commandLine.whole(name, least) ?? defaults[name];
  const [runs, events, mostEvents] = [whole("runs", 1), whole("events", 10_000), whole("most-events", 20_000)];
  if (mostEvents <= events)
    commandLine.mistake(`--most-events must be more than --events, ${events}; it is ${mostEvents}`);
  const { stack = "bench", keep = false } = values;
  if (!/^[a-z][a-z0-9]*$/.test(stack)) commandLine.mistake(`--stack must be letters and digits; it is ${stack}`);
  commandLine.throwIfAny();
  const chosen = words.length === 0 ? parts : parts.filter((part) => words.includes(part));
  return { parts: chosen, runs, events, mostEvents, stack, keep };
}

const usage = `[PART…] [--runs N] [--events N] [--most-events N] [--stack NAME] [--keep]
the parts are ${parts.join(", ")}; without any, all of them`;
