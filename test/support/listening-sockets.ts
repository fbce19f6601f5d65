import { readdir, readFile, readlink } from "node:fs/promises";
import { processTable } from "../../components/targets/local/processes.ts";

/** A socket that listens. */
export interface ListeningSocket {
  /** The instance that its process belongs to. */
  readonly marker: string;
  readonly pid: number;
  /** IPv4 in decimal, IPv6 as the kernel's 32 hexadecimal digits unless it holds an IPv4 address. */
  readonly address: string;
  readonly port: number;
}

/** The TCP sockets on which processes of instances whose markers match listen. Linux only. */
export async function listeningSockets(marker: RegExp): Promise<ListeningSocket[]> {
  const sockets = new Map<string, { address: string; port: number }>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await readFile(table, "utf8").catch(() => "")).split("\n")) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      const [host = "", port = ""] = local.split(":");
      if (state === "0A") sockets.set(`socket:[${inode}]`, { address: decode(host), port: Number.parseInt(port, 16) });
    }
  }
  const found: ListeningSocket[] = [];
  for (const { pid, marker: own } of await processTable()) {
    if (own === undefined || !marker.test(own)) continue;
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const socket = sockets.get(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ""));
      if (socket !== undefined) found.push({ marker: own, pid, ...socket });
    }
  }
  return found;
}

/** The kernel writes an IPv4 address as a number in the machine's byte order; an IPv4 address in IPv6 ends with it. */
function decode(host: string): string {
  const inner = host.replace(/^0{16}FFFF0000/, "");
  if (inner.length !== 8) return host;
  return [...Buffer.from(inner, "hex")].reverse().join(".");
}
