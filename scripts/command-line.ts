import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** A mistake of the person at the command line: its message says everything. */
export class UsageError extends Error {}

/** A command as people type it. */
export interface Command<Options extends ParseArgsOptionsConfig> {
  /** What follows `npm run`, e.g. `demo:down`. */
  readonly name: string;
  /** Its options in words, e.g. `[--stack NAME]`; empty where it takes none. */
  readonly usage: string;
  readonly options: Options;
  /** What a word that belongs to no option is, e.g. `system`. Default: such a word is a mistake */
  readonly word?: string;
  /** How many of these words it takes. Default: any number */
  readonly mostWords?: number;
}

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: Options }>>["values"];

/** Characters of what a person typed that a message shows. */
const longestQuote = 100;

/**
 * What a command was asked for. It collects mistakes, so that all of them are told at once.
 *
 * An option is never guessed: an unknown one, one without its value, one that is given twice and a word too many are
 * mistakes, and so is an option before which the `--` is missing, since npm keeps that for itself.
 */
export class CommandLine<const Options extends ParseArgsOptionsConfig> {
  /** The options' values; after {@link throwIfAny} what is not set was not given. */
  readonly values: Values<Options>;
  /** The words that belong to no option. */
  readonly words: readonly string[];
  readonly #command: Command<Options>;
  readonly #mistakes: string[] = [];

  /**
   * @param args what follows the script
   * @param environment where npm leaves the options that it kept. Default: this process's
   */
  constructor(command: Command<Options>, args: readonly string[], environment: NodeJS.ProcessEnv = process.env) {
    this.#command = command;
    const { options } = command;
    const parsed = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
    this.values = parsed.values as Values<Options>;
    this.words = parsed.positionals;
    const kept = optionsKeptByNpm(command, environment);
    for (const option of kept)
      this.mistake(`npm kept --${option} for itself, since there is no -- before it (see the usage)`);
    const given = new Set<string>();
    // The word after an option that is a mistake is most likely its value, which is no mistake of its own.
    let afterMistake = false;
    const words: string[] = [];
    for (const token of parsed.tokens) {
      if (token.kind === "positional" && !afterMistake) words.push(token.value);
      afterMistake = false;
      if (token.kind !== "option") continue;
      const { name, rawName, value } = token;
      const option = Object.hasOwn(options, name) ? options[name] : undefined;
      const problem = optionProblem(token, option);
      if (problem !== undefined) this.mistake(problem);
      else if (option?.multiple !== true && given.has(name)) this.mistake(`${rawName} is given twice`);
      given.add(name);
      afterMistake = problem !== undefined && (option === undefined || (value ?? "").startsWith("-"));
    }
    const most = command.word === undefined ? 0 : (command.mostWords ?? Number.POSITIVE_INFINITY);
    // Where npm kept an option, its value is left over as a word.
    if (kept.length === 0) for (const word of words.slice(most)) this.mistake(`${quoted(word)} is no option`);
  }

  /** Notes a mistake, in one line. */
  mistake(line: string): void {
    this.#mistakes.push(line);
  }

  /**
   * The whole number that an option says, in plain decimal digits; undefined where it is not given.
   *
   * @param most of 15 digits at most, so that the number is exact
   */
  whole(name: keyof Options & string, least: number, most = 999_999_999): number | undefined {
    const text = (this.values as Readonly<Record<string, unknown>>)[name];
    // What has no value is a mistake already.
    if (typeof text !== "string" || text === "" || isLikeAnOption(text)) return undefined;
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const isBounded = number > most;
    const range = isBounded ? `from ${least} to ${most}` : `from ${least}`;
    this.mistake(`--${name} must be a whole number ${range}; it is ${quoted(text, false)}`);
    return undefined;
  }

  /**
   * The name of the stack that `--stack` says.
   *
   * @param fallback the name where the option is not given
   */
  stack(fallback: string): string {
    const { stack = fallback } = this.values as { stack?: unknown };
    // What has no value is a mistake already.
    if (typeof stack !== "string" || stack === "" || isLikeAnOption(stack)) return fallback;
    if (!isStackName(stack))
      this.mistake(`--stack must be a stack's name: letters, digits, '.', '_' and '-'; it is ${quoted(stack)}`);
    return stack;
  }

  /** @throws {UsageError} with a line a mistake and the usage, if there is a mistake */
  throwIfAny(): void {
    if (this.#mistakes.length > 0) throw new UsageError(`${this.#mistakes.join("\n")}\n${usageOf(this.#command)}`);
  }
}

/** What is wrong with an option as it was typed. @param option undefined if the command has none of that name */
function optionProblem(
  {
    rawName,
    value,
    inlineValue,
  }: { readonly rawName: string; readonly value?: string | undefined; readonly inlineValue?: boolean | undefined },
  option: ParseArgsOptionsConfig[string] | undefined,
): string | undefined {
  if (option === undefined) return `there is no option ${quoted(rawName, false)}`;
  if (option.type === "boolean") return value === undefined ? undefined : `${rawName} takes no value`;
  if (value === undefined || value === "") return `${rawName} needs a value`;
  // As parseArgs has it where it is strict: `--input --down` is far more often a forgotten value than a value.
  if (!inlineValue && isLikeAnOption(value)) return `${rawName} needs a value; ${quoted(value)} looks like an option`;
  return undefined;
}

/** A negative number is none: it is a value, if a wrong one. */
function isLikeAnOption(text: string): boolean {
  return /^-\D/.test(text);
}

/** A command's usage in one line. */
export function usageOf({ name, usage }: Pick<Command<ParseArgsOptionsConfig>, "name" | "usage">): string {
  return `usage: npm run ${name}${usage === "" ? "" : ` -- ${usage}`}`;
}

/**
 * Whether a text is the name of a stack: as Pulumi has it, with the names of organization and project before it, each
 * with a `/`, where a backend of one's own has them. It is a part of the names of files.
 */
export function isStackName(text: string): boolean {
  return /^([a-z0-9_.-]{1,100}\/){0,2}[a-z0-9_.-]{1,100}$/i.test(text) && !/(^|\/)(\.|-)/.test(text);
}

/**
 * Reads the command line of a command that takes no options.
 *
 * @throws {UsageError} if it got any
 */
export function withoutOptions(name: string, args: readonly string[]): void {
  new CommandLine({ name, usage: "", options: {} }, args).throwIfAny();
}

/**
 * Runs a command to its end. A mistake ends it with exit code 2, any other error with 1, each with its message alone: the
 * process's exit code is set.
 *
 * @param run returns the exit code, if it is not 0
 * @param whenFailing what to say before the message of an error that is no mistake. Default: nothing
 */
export async function runCommandLine(run: () => unknown, whenFailing = ""): Promise<void> {
  try {
    const exitCode = await run();
    process.exitCode = typeof exitCode === "number" ? exitCode : 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.error(error instanceof UsageError ? message : `${whenFailing}${message}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/**
 * The options of the command that npm took for its own: in `npm run play --events 5` it leaves the script `5`, and the
 * option in the environment.
 */
function optionsKeptByNpm(
  { name, options }: Pick<Command<ParseArgsOptionsConfig>, "name" | "options">,
  environment: NodeJS.ProcessEnv,
): string[] {
  if (environment.npm_lifecycle_event !== name) return [];
  return Object.keys(options).filter(
    (option) => (environment[`npm_config_${option.replaceAll("-", "_")}`] ?? "") !== "",
  );
}

/** What a person typed, as a message shows it. */
function quoted(text: string, marked = true): string {
  const short = text.length <= longestQuote ? text : `${text.slice(0, longestQuote)}…`;
  return marked || /[\s\p{Cc}]/u.test(short) ? JSON.stringify(short) : short;
}
