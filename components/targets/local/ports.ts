import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";

/** A port that an instance is to listen on, and why it cannot. */
export interface PortProblem {
  readonly purpose: string;
  readonly port: number;
  /** What is wrong and the mend, for a person. */
  readonly message: string;
}

/** Who listens on a port. */
export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

/**
 * The ports that cannot be bound on the address, by trying each.
 *
 * @param ports by purpose
 * @param own whether a process belongs to the instance itself, whose ports do not count as taken
 */
export async function portProblems(
  address: string,
  ports: Readonly<Record<string, number>>,
  own: (pid: number) => Promise<boolean> = async () => false,
): Promise<PortProblem[]> {
  const problems = await Promise.all(
    Object.entries(ports).map(async ([purpose, port]): Promise<PortProblem | undefined> => {
      const code = await bindError(address, port);
      if (code === undefined) return undefined;
      const problem = (message: string) => ({ purpose, port, message });
      if (code === "EADDRNOTAVAIL")
        return problem(
          `${address} is no address of this machine; where loopback has 127.0.0.1 only (macOS), add it: sudo ifconfig lo0 alias ${address}`,
        );
      if (code !== "EADDRINUSE") return problem(`${address}:${port} (${purpose}) cannot be bound: ${code}`);
      const holder = await portHolder(address, port);
      if (holder !== undefined && (await own(holder.pid))) return undefined;
      const by = holder === undefined ? "another program" : `process ${holder.pid} (${holder.command})`;
      return problem(`${address}:${port} (${purpose}) is taken by ${by}; stop it, then try again`);
    }),
  );
  return problems.filter((problem) => problem !== undefined);
}

function bindError(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** The process that listens on the port, on this address or on all; undefined if it cannot be found. Linux only. */
async function portHolder(address: string, port: number): Promise<PortHolder | undefined> {
  const inodes = await socketsOn(address, port);
  if (inodes.size === 0) return undefined;
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (!(await holdsOne(pid, inodes))) continue;
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").join(" ").trim();
    return { pid: Number(pid), command: command.length > 120 ? `${command.slice(0, 119)}…` : command };
  }
  return undefined;
}

/** Whether the process listens on all of the ports itself, whoever else does. Linux only. */
export async function listensOn(
  pid: number,
  address: string,
  ports: Readonly<Record<string, number>>,
): Promise<boolean> {
  const listens = Object.values(ports).map(async (port) => holdsOne(String(pid), await socketsOn(address, port)));
  return (await Promise.all(listens)).every((one) => one);
}

async function socketsOn(address: string, port: number): Promise<Set<string>> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "utf8").catch(() => "")),
  );
  return listeningInodes(tables.join("\n"), address, port);
}

async function holdsOne(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => []))
    if (sockets.has(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ""))) return true;
  return false;
}

/**
 * The sockets, as /proc/PID/fd names them, that listen on the port on this address or on all.
 *
 * @param table the content of /proc/net/tcp and tcp6
 */
export function listeningInodes(table: string, address: string, port: number): Set<string> {
  const hexAddress = address
    .split(".")
    .map((byte) => Number(byte).toString(16).padStart(2, "0").toUpperCase())
    .reverse()
    .join("");
  const hexPort = port.toString(16).padStart(4, "0").toUpperCase();
  const addresses = [hexAddress, "00000000", `0000000000000000FFFF0000${hexAddress}`, "0".repeat(32)];
  const inodes = new Set<string>();
  for (const line of table.split("\n")) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== "0A" || local === undefined) continue;
    const [host, localPort] = local.split(":");
    if (localPort === hexPort && addresses.includes(host as string)) inodes.add(`socket:[${inode}]`);
  }
  return inodes;
}
