import type { Readiness } from "../../target.ts";

/** Seconds that one probe may take. */
export const probeLimit = 5;

/** Sends a text to a port and waits for an answer that matches. */
const exchange = 'exec 3<>"/dev/tcp/$1/$2" && printf %s "$3" >&3 && grep -Eqm1 -e "$4" <&3';
/** Asks for a page: its status is 2xx and its body matches. HTTP 1.0, since its bodies are not cut into chunks. */
const fetchPage = `exec 3<>"/dev/tcp/$1/$2" && printf 'GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n' "$3" "$1:$2" >&3 &&
read -r version status reason <&3 && [ "\${status:0:1}" = 2 ] && grep -Eq -e "$4" <&3`;
const connect = 'exec 3<>"/dev/tcp/$1/$2"';

/**
 * The command that tells by its exit code whether a server is ready, for a container that has nothing but bash and
 * grep: every image on Debian's base.
 *
 * @param address the instance's own address
 * @throws {TypeError} if the expectation is no regular expression that both JavaScript and grep understand
 */
export function probeCommand(readiness: Readiness, address: string): string[] {
  if (readiness.kind === "command") return [...readiness.command];
  const { expect } = readiness;
  if (expect !== undefined && /\\[a-zA-Z0-9]|\(\?|[*+?}]\?/.test(expect))
    throw new TypeError(
      `must be an extended regular expression of POSIX too, without \\d, (?:…) and lazy repetition; it is ${JSON.stringify(expect)}`,
    );
  const bash = (script: string, ...args: string[]) => ["bash", "-c", script, "probe", ...args];
  const port = String(readiness.port);
  if (readiness.kind === "http")
    return bash(fetchPage, readiness.address ?? address, port, readiness.path, expect ?? "");
  if (expect === undefined) return bash(connect, address, port);
  return bash(exchange, address, port, readiness.send ?? "", expect);
}
