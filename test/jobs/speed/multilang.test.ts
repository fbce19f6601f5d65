import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runBolt, runSpout } from "../../../jobs/speed/multilang.ts";

let pidDir: string;
let input: PassThrough;
let output: PassThrough;

beforeEach(() => {
  pidDir = mkdtempSync(join(tmpdir(), "multilang-"));
  input = new PassThrough();
  output = new PassThrough();
  send({ pidDir, conf: {}, context: {} });
});
afterEach(() => rmSync(pidDir, { recursive: true }));

function send(...messages: unknown[]) {
  for (const message of messages) input.write(`${JSON.stringify(message)}\nend\n`);
}

function sent(): unknown[] {
  const text = String(output.read() ?? "");
  return text
    .split("\nend\n")
    .filter((part) => part !== "")
    .map((part) => JSON.parse(part));
}

test("names the process by a file and by the answer to the handshake", async () => {
  const ran = runBolt(() => ({ execute: async () => {} }), input, output);
  input.end();
  await ran;
  expect(readdirSync(pidDir)).toEqual([String(process.pid)]);
  expect(sent()).toEqual([{ pid: process.pid }]);
});

test("a bolt acknowledges what it worked off, fails and reports what it could not, and answers heartbeats meanwhile", async () => {
  const finish: (() => void)[] = [];
  const ran = runBolt(
    () => ({
      execute: async ([what]) => {
        if (what === "bad") throw new Error("no such thing");
        if (what === "slow") await new Promise<void>((resolve) => finish.push(resolve));
      },
    }),
    input,
    output,
  );
  send(
    { id: "1", comp: "descriptors", stream: "default", task: 1, tuple: ["slow"] },
    { id: "2", comp: "descriptors", stream: "default", task: 1, tuple: ["bad"] },
    [1, 2],
    { id: "-5", comp: "__system", stream: "__heartbeat", task: -1, tuple: [] },
  );
  await sleep(20);
  expect(sent()).toEqual([
    { pid: process.pid },
    { command: "error", msg: expect.stringContaining("no such thing") },
    { command: "fail", id: "2" },
    { command: "sync" },
  ]);
  finish[0]?.();
  await sleep(5);
  expect(sent()).toEqual([{ command: "ack", id: "1" }]);
  input.end();
  await ran;
});

test("a spout emits when asked, and is told what became of its tuples", async () => {
  const told: string[] = [];
  const ran = runSpout(
    () => ({
      next: async (emit) => emit("0/1/20", [0, 1, 20, ["a"]]),
      ack: (id) => told.push(`ack ${id}`),
      fail: () => {
        throw new Error("confused");
      },
    }),
    input,
    output,
  );
  send({ command: "activate" }, { command: "next" }, { command: "ack", id: "0/1/20" }, { command: "fail", id: "x" });
  input.end();
  await ran;
  expect(told).toEqual(["ack 0/1/20"]);
  expect(sent()).toEqual([
    { pid: process.pid },
    { command: "sync" },
    { command: "emit", id: "0/1/20", tuple: [0, 1, 20, ["a"]], need_task_ids: false },
    { command: "sync" },
    { command: "sync" },
    { command: "error", msg: expect.stringContaining("confused") },
    { command: "sync" },
  ]);
});

test("puts messages together however the pipe cuts them, inside a character too", async () => {
  const tuples: unknown[] = [];
  const ran = runBolt(() => ({ execute: async (tuple) => void tuples.push(tuple) }), input, output);
  const bytes = Buffer.from(`${JSON.stringify({ id: "1", tuple: ["größer \n end"] })}\nend\n`);
  for (const byte of bytes) {
    input.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  input.end();
  await ran;
  expect(tuples).toEqual([["größer \n end"]]);
});
