import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The folder of what can be made again at any time, shared by all checkouts of this machine's user:
 * `$XDG_CACHE_HOME/lambda-architecture`, by default `~/.cache/lambda-architecture`.
 */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "lambda-architecture");
}
