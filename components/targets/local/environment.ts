import { createHash } from "node:crypto";

/**
 * The environment variable that marks every process of an instance. Children inherit it, so that what a server
 * started is found even after it left the process group or lost its parent. A server that starts children with an
 * environment of their own must pass it on (YARN: `yarn.nodemanager.env-whitelist`).
 */
export const markerVariable = "LAMBDA_ARCHITECTURE_INSTANCE";

/** What the markers of a stack's instances begin with. */
export function stackMarker(stackFolder: string): string {
  return `${createHash("sha256").update(stackFolder).digest("hex").slice(0, 12)}-`;
}

/** The value of {@link markerVariable} for an instance: unique on this machine, without spaces. */
export function instanceMarker(stackFolder: string, instance: string): string {
  return `${stackMarker(stackFolder)}${instance}`;
}

/**
 * What servers get of the environment of `pulumi up`: what describes the machine and its way to the network, but no
 * secrets (the stack's passphrase) and nothing that differs between two ways to call the CLI.
 */
const passedOn = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "TMPDIR",
  "JAVA_HOME",
  "XDG_CACHE_HOME",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_USE_ENV_PROXY",
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

/** The environment of an instance's processes. */
export function instanceEnvironment(marker: string, own: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...own, [markerVariable]: marker };
}
