import { spawn } from "node:child_process";

/** Set-up talks on standard error, so that `npm run --silent pulumi -- stack output` gives clean standard output. */
const output = process.stderr;

/** Without a terminal, seconds between two lines that say that a step goes on. */
const SECONDS_BETWEEN_LINES = 10;

/** An error that a person can fix: its message is all that needs to be shown. */
export class SetupError extends Error {}

/**
 * Runs a step of the set-up and shows that it goes on: on a terminal a line that counts the seconds, elsewhere a line
 * every ten seconds. A step that takes less than two seconds prints nothing.
 *
 * @template T
 * @param {string} label what is done, e.g. `installing the packages`
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(label, work) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  let shown = 0;
  const timer = setInterval(() => {
    if (seconds() < 2) return;
    if (output.isTTY) output.write(`\r${label} … ${seconds()} s`);
    else if (shown === 0 || seconds() >= shown + SECONDS_BETWEEN_LINES) output.write(`${label} … ${seconds()} s\n`);
    else return;
    shown = seconds();
  }, 1000);
  try {
    const result = await work();
    clearInterval(timer);
    if (shown > 0) output.write(`${output.isTTY ? "\r" : ""}${label}: done in ${seconds()} s\n`);
    return result;
  } catch (error) {
    clearInterval(timer);
    if (shown > 0 && output.isTTY) output.write("\n");
    throw error;
  }
}

/**
 * Prints a line of set-up.
 *
 * @param {string} line
 */
export function say(line) {
  output.write(`${line}\n`);
}

/**
 * Runs a program to its end and gives what it printed.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{cwd?: string, environment?: NodeJS.ProcessEnv, timeout?: number}} [options] `timeout` in milliseconds;
 *   default: none
 * @returns {Promise<string>} standard output and standard error, as they came
 * @throws {SetupError} with its first and last lines, if it could not be started, was stopped or failed
 */
export async function run(program, args, { cwd, environment = process.env, timeout } = {}) {
  // Not spawn's own `timeout`: its timer keeps this process alive after a program that could not be started.
  const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
  const child = spawn(program, args, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"], signal });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text) => {
      printed += text;
    });
  }
  const { promise, resolve, reject } = deferred();
  child.on("error", (error) => {
    const reason = signal?.aborted ? "took too long" : `could not be started: ${error.message}`;
    reject(new SetupError(`${[program, ...args].join(" ")} ${reason}`));
  });
  child.on("close", (code, signal) => {
    if (code === 0) return resolve(printed);
    const reason = signal ? `was stopped by ${signal}` : `failed with exit code ${code}`;
    reject(new SetupError(`${[program, ...args].join(" ")} ${reason}:\n${excerpt(printed)}`));
  });
  return await promise;
}

/**
 * The first and the last lines of a long text: some programs say what is wrong at the start, others at the end.
 *
 * @param {string} text
 */
function excerpt(text) {
  const lines = text.trimEnd().split("\n");
  return lines.length <= 60 ? lines.join("\n") : [...lines.slice(0, 20), "…", ...lines.slice(-40)].join("\n");
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function deferred() {
  /** @type {(value: string) => void} */
  let resolve = () => {};
  /** @type {(error: Error) => void} */
  let reject = () => {};
  /** @type {Promise<string>} */
  const promise = new Promise((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  return { promise, resolve, reject };
}
