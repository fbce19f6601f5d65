// Plain JavaScript, as the set-up needs it in a fresh clone, started by any Node.
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * The folder of what can be made again at any time, shared by all checkouts of this machine's user:
 * `$XDG_CACHE_HOME/lambda-architecture`, by default `~/.cache/lambda-architecture`.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string}
 */
export function cacheFolder(environment = process.env) {
  // The XDG specification: a relative path is to be ignored.
  const configured = environment.XDG_CACHE_HOME ?? "";
  return join(isAbsolute(configured) ? configured : join(homedir(), ".cache"), "lambda-architecture");
}
