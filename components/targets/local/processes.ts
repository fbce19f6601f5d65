import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { markerVariable } from "./environment.ts";

/** A process of this machine. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** What tells it from a later process with the same pid. */
  readonly start: string;
  /** The instance that it belongs to, see {@link markerVariable}; undefined if none, or another user's. */
  readonly marker: string | undefined;
}

/** All processes of this machine, without those that have ended. */
export async function processTable(): Promise<Process[]> {
  if (process.platform !== "linux") return processTableOfPs();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const processes = await Promise.all(pids.map(readProcess));
  return processes.filter((one) => one !== undefined);
}

/** The process, unless it has ended. */
export async function readProcess(pid: number): Promise<Process | undefined> {
  if (process.platform !== "linux") return (await processTableOfPs(pid))[0];
  try {
    const [stat, environment] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/environ`, "latin1").catch(() => ""),
    ]);
    // The name, in parentheses, may hold spaces and parentheses itself; fields count from behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, parent] = fields;
    if (state === "Z" || state === "X") return undefined;
    const entry = environment.split("\0").find((line) => line.startsWith(`${markerVariable}=`));
    return {
      pid,
      parent: Number(parent),
      start: fields[19] ?? "",
      marker: entry?.slice(markerVariable.length + 1),
    };
  } catch {
    return undefined;
  }
}

/** Where there is no /proc (macOS): what ps tells, with the environment behind the command. */
async function processTableOfPs(pid?: number): Promise<Process[]> {
  const which = pid === undefined ? ["-ax"] : ["-p", String(pid)];
  const { stdout } = await promisify(execFile)(
    "ps",
    ["-E", "-ww", ...which, "-o", "pid=,ppid=,stat=,lstart=,command="],
    { maxBuffer: 64 << 20, env: { ...process.env, LC_ALL: "C" } },
  ).catch(() => ({ stdout: "" }));
  return stdout.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w+ +\w+ +\d+ +[\d:]+ +\d+)\s+(.*)$/.exec(line);
    if (match === null || match[3]?.startsWith("Z")) return [];
    const marker = new RegExp(`(?:^|\\s)${markerVariable}=(\\S+)`).exec(match[5] as string)?.[1];
    return [{ pid: Number(match[1]), parent: Number(match[2]), start: match[4] as string, marker }];
  });
}

/**
 * The processes that belong to an instance: those with its marker, and whatever descends from them.
 *
 * @param belongs whether a marker is the instance's
 */
export function membersOf(table: readonly Process[], belongs: (marker: string) => boolean): Process[] {
  const children = Map.groupBy(table, (one) => one.parent);
  const members = new Map<number, Process>();
  const add = (one: Process) => {
    if (members.has(one.pid) || one.pid === process.pid) return;
    members.set(one.pid, one);
    for (const child of children.get(one.pid) ?? []) add(child);
  };
  for (const one of table) if (one.marker !== undefined && belongs(one.marker)) add(one);
  return [...members.values()];
}

/** The process and whatever descends from it; empty if it has ended. */
function treeOf(table: readonly Process[], pid: number): Set<number> {
  const children = Map.groupBy(table, (one) => one.parent);
  const tree = new Set<number>();
  const add = (one: Process) => {
    tree.add(one.pid);
    for (const child of children.get(one.pid) ?? []) if (!tree.has(child.pid)) add(child);
  };
  for (const one of table) if (one.pid === pid) add(one);
  return tree;
}

/** Whether the process runs and belongs to the instance, so that a pid used again by another program is not meant. */
export async function isInstanceProcess(pid: number | undefined, marker: string): Promise<boolean> {
  return pid !== undefined && (await readProcess(pid))?.marker === marker;
}

/** How {@link stopProcesses} goes about it. */
export interface StopOptions {
  /** Whether a marker is that of what is to be stopped. */
  readonly belongs: (marker: string) => boolean;
  /** The processes to tell first, which then end the others, e.g. the supervisor. Default: all, with SIGTERM. */
  readonly first?: { readonly pid: number; readonly signal: NodeJS.Signals };
  /** A process that goes on, with all that descends from it. Default: none. */
  readonly except?: number;
  /** Further processes to wait for before the rest is told, e.g. the server. Default: none. */
  readonly await?: number;
  /** Seconds between the stop signal and SIGKILL. */
  readonly grace: number;
}

/** Seconds that what outlives its server gets to end by itself. */
const leftoverGrace = 1;
/** Seconds that the system gets to end a killed process. */
const killLimit = 10;

/**
 * Stops an instance: tells the first process, waits until it and the server have ended, then ends the rest, at last
 * with SIGKILL. Does nothing if nothing runs.
 *
 * @throws {Error} if something survives SIGKILL for 10 s, as a process in an uninterruptible wait does
 */
export async function stopProcesses(options: StopOptions): Promise<void> {
  let known = meant(await processTable(), options);
  if (known.length === 0) return;
  const deadline = Date.now() + options.grace * 1000;
  const first = options.first !== undefined && known.find((one) => one.pid === options.first?.pid);
  if (first) {
    signal(first, options.first.signal);
    const heads = known.filter((one) => one === first || one.pid === options.await);
    await ended(heads, deadline);
  }
  known = await refresh(known, options);
  if (known.length === 0) return;
  const patience = first ? Math.min(deadline, Date.now() + leftoverGrace * 1000) : deadline;
  for (const one of known) signal(one, "SIGTERM");
  await ended(known, patience);
  const last = Date.now() + killLimit * 1000;
  for (;;) {
    known = await refresh(known, options);
    if (known.length === 0) return;
    if (Date.now() > last)
      throw new Error(`${known.map((one) => `process ${one.pid}`).join(", ")} survived SIGKILL for ${killLimit} s`);
    for (const one of known) signal(one, "SIGKILL");
    await ended(known, Date.now() + 200);
  }
}

function meant(table: readonly Process[], { belongs, except }: StopOptions): Process[] {
  const spared = except === undefined ? new Set<number>() : treeOf(table, except);
  return membersOf(table, belongs).filter(({ pid }) => !spared.has(pid));
}

/** Those of `known` that still run, with what belongs to the instance by now. */
async function refresh(known: readonly Process[], options: StopOptions): Promise<Process[]> {
  const table = await processTable();
  const remaining = new Map(meant(table, options).map((one) => [one.pid, one]));
  const starts = new Map(table.map((one) => [one.pid, one.start]));
  for (const one of known) if (starts.get(one.pid) === one.start) remaining.set(one.pid, one);
  return [...remaining.values()];
}

/** Waits until all have ended or the deadline (milliseconds since 1970) has come. */
async function ended(processes: readonly Process[], deadline: number): Promise<void> {
  let running = [...processes];
  for (let pause = 10; running.length > 0 && Date.now() < deadline; pause = Math.min(pause * 2, 100)) {
    await sleep(pause);
    const now = await Promise.all(running.map((one) => readProcess(one.pid)));
    running = running.filter((one, index) => now[index]?.start === one.start);
  }
}

function signal(one: Process, name: NodeJS.Signals): void {
  try {
    process.kill(one.pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
