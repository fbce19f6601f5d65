import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { markerVariable } from "../../../../components/targets/local/environment.ts";
import {
  isInstanceProcess,
  membersOf,
  type Process,
  processTable,
  stopProcesses,
} from "../../../../components/targets/local/processes.ts";

const entry = (pid: number, parent: number, marker?: string): Process => ({ pid, parent, start: "1", marker });

test("an instance's processes are those with its marker and whatever descends from them", () => {
  const table = [entry(10, 1, "a"), entry(11, 10), entry(12, 11), entry(20, 1, "b"), entry(21, 20, "a"), entry(30, 1)];
  const pids = membersOf(table, (marker) => marker === "a").map(({ pid }) => pid);
  expect(pids.sort()).toEqual([10, 11, 12, 21]);
});

const started: number[] = [];
afterEach(() => {
  for (const pid of started.splice(0)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
});

async function start(marker: string, ...command: readonly string[]): Promise<number> {
  const [program, ...args] = command;
  const child = spawn(program as string, args, {
    env: { ...process.env, [markerVariable]: marker },
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout as NodeJS.ReadableStream, "data");
  started.push(child.pid as number);
  return child.pid as number;
}

test("stopping ends what does not heed SIGTERM, and nothing but the instance", async () => {
  const marker = `test-${process.pid}-stop`;
  const stubborn = await start(marker, "sh", "-c", 'trap "" TERM; echo up; while :; do sleep 1; done');
  const neighbour = await start(`${marker}-2`, "sh", "-c", "echo up; exec sleep 60");
  expect(await isInstanceProcess(stubborn, marker)).toBe(true);
  await stopProcesses({ belongs: (other) => other === marker, grace: 0.3 });
  const left = membersOf(await processTable(), (other) => other.startsWith(marker));
  expect(left.map(({ pid }) => pid)).toEqual([neighbour]);
});

test("a pid of another program is not the instance's", async () => {
  expect(await isInstanceProcess(process.pid, "nobody")).toBe(false);
  expect(await isInstanceProcess(undefined, "nobody")).toBe(false);
});
