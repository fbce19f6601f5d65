import { resolve } from "node:path";
import { CommandLine } from "../command-line.ts";
import { defaultStack } from "../environment.ts";

/** What `npm run play` is asked for. */
export interface PlayCommand {
  readonly stack: string;
  readonly source: PlayedSource;
  /** Events a second; undefined for as fast as it goes. */
  readonly rate: number | undefined;
  /** The first of the source's events to play, counted from 0; undefined for the first. */
  readonly from: number | undefined;
  /** The one to end before; undefined for the source's end. */
  readonly to: number | undefined;
}

/** Where the events come from: a file's absolute path, the generator, or Wikimedia's wikis. */
export type PlayedSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "generator"; readonly events: number; readonly seed: number }
  | { readonly kind: "wikimedia"; readonly url: string | undefined };

/** Offsets of a source have as many digits as are exact. */
const mostEvents = 999_999_999_999_999;

const usage =
  "--input FILE | --events N [--seed N] | --wikimedia [--url URL] [--rate N] [--from N] [--to N] [--stack NAME]";

/**
 * Reads the options of `npm run play`.
 *
 * @param folder the folder that a relative `--input` is relative to
 * @throws {UsageError} with one line a mistake
 */
export function parsePlayOptions(
  args: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv = process.env,
): PlayCommand {
  const commandLine = new CommandLine(
    {
      name: "play",
      usage,
      options: {
        input: { type: "string" },
        events: { type: "string" },
        seed: { type: "string" },
        wikimedia: { type: "boolean" },
        url: { type: "string" },
        rate: { type: "string" },
        from: { type: "string" },
        to: { type: "string" },
        stack: { type: "string" },
      },
    },
    args,
    environment,
  );
  const { values } = commandLine;
  const stack = commandLine.stack(defaultStack);
  const events = commandLine.whole("events", 1, mostEvents);
  const seed = commandLine.whole("seed", 0);
  const rate = commandLine.whole("rate", 1);
  const [from, to] = [commandLine.whole("from", 0, mostEvents), commandLine.whole("to", 1, mostEvents)];
  commandLine.throwIfAny();
  const chosen = [values.input, values.events, values.wikimedia].filter((source) => source !== undefined);
  if (chosen.length !== 1) commandLine.mistake("exactly one of --input, --events and --wikimedia is needed");
  if (values.seed !== undefined && values.events === undefined) commandLine.mistake("--seed goes with --events only");
  if (values.url !== undefined && values.wikimedia === undefined)
    commandLine.mistake("--url goes with --wikimedia only");
  if (from !== undefined && to !== undefined && from >= to)
    commandLine.mistake(`--from must be less than --to; they are ${from} and ${to}`);
  if (from !== undefined && events !== undefined && from >= events)
    commandLine.mistake(`--from must be less than --events; they are ${from} and ${events}`);
  commandLine.throwIfAny();
  return { stack, source: sourceOf(), rate, from, to };

  function sourceOf(): PlayedSource {
    if (values.input !== undefined) return { kind: "file", path: resolve(folder, values.input) };
    if (events !== undefined) return { kind: "generator", events, seed: seed ?? 1 };
    return { kind: "wikimedia", url: values.url };
  }
}
