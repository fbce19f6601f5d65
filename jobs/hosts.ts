import { isIP } from "node:net";

/**
 * The `Host` headers that a server on this machine answers: a page of a foreign site whose name was made to lead to the
 * server's address (DNS rebinding) sends that name, and so cannot read what the server says.
 *
 * @param address where the server listens
 * @returns undefined where the server is not on a loopback address: names and proxies lead there that cannot be known
 */
export function answeredHosts(address: string, port: number): readonly string[] | undefined {
  const isLoopback = address === "::1" || address === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(address);
  if (!isLoopback) return undefined;
  const host = isIP(address) === 6 ? `[${address}]` : address;
  return [`${host}:${port}`, `localhost:${port}`];
}

/** What somebody is told whose `Host` header is none of the hosts; undefined if it is one. */
export function misdirected(hosts: readonly string[] | undefined, host: string | undefined): string | undefined {
  if (hosts === undefined || hosts.includes(host ?? "")) return undefined;
  return `this is ${hosts[0]}, not ${(host ?? "").slice(0, 255)}`;
}
