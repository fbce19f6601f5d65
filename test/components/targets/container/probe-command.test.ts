import { spawn } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Readiness } from "../../../../components/target.ts";
import { probeCommand } from "../../../../components/targets/container/probe-command.ts";

const address = "127.0.0.1";
let server: Server | undefined;

afterEach(async () => {
  await new Promise<void>((resolve) => (server?.listening ? server.close(() => resolve()) : resolve()));
  server = undefined;
});

async function listen(created: Server): Promise<number> {
  server = created;
  await new Promise<void>((resolve) => created.listen(0, address, resolve));
  return (created.address() as AddressInfo).port;
}

function page(status: number, body: string): Promise<number> {
  return listen(
    createHttpServer((request, response) => {
      response.writeHead(request.url === "/state?of=it" ? status : 404);
      response.write(body.slice(0, 3));
      response.end(body.slice(3));
    }),
  );
}

/** A server that answers the four-letter word `srvr` as ZooKeeper does, and closes. */
function zooKeeper(answer: string): Promise<number> {
  return listen(
    createServer((socket) => socket.once("data", (word) => socket.end(String(word) === "srvr" ? answer : ""))),
  );
}

/** The exit code of the probe. */
async function run(readiness: Readiness): Promise<number | null> {
  const [program = "", ...args] = probeCommand(readiness, address);
  const child = spawn(program, args, { stdio: "ignore", timeout: 5_000 });
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}

describe("a server is ready by HTTP", () => {
  const ask = (port: number, expected?: string): Readiness => ({
    kind: "http",
    port,
    path: "/state?of=it",
    ...(expected !== undefined && { expect: expected }),
  });

  test("if it answers 2xx, with what is expected in the body", async () => {
    const port = await page(200, 'State is\n{"FSState" : "Operational", "ActorState\\":\\"RUNNING\\""}');
    expect(await run(ask(port))).toBe(0);
    expect(await run(ask(port, '"FSState" : "Operational"'))).toBe(0);
    expect(await run(ask(port, 'ActorState\\\\":\\\\"RUNNING\\\\"'))).toBe(0);
    expect(await run(ask(port, "no such state"))).not.toBe(0);
  });

  test("and not if it answers another status, or nobody listens", async () => {
    const port = await page(503, "Operational");
    expect(await run(ask(port, "Operational"))).not.toBe(0);
    expect(await run(ask(1))).not.toBe(0);
  });
});

describe("a server is ready by TCP", () => {
  test("if it accepts connections", async () => {
    const port = await zooKeeper("");
    expect(await run({ kind: "tcp", port })).toBe(0);
    expect(await run({ kind: "tcp", port: 1 })).not.toBe(0);
  });

  test("if it answers what is sent as expected", async () => {
    const readiness = { kind: "tcp", send: "srvr", expect: "Mode: (standalone|leader|follower)" } as const;
    const port = await zooKeeper("Zookeeper version: 3\nMode: follower\nNode count: 5\n");
    expect(await run({ ...readiness, port })).toBe(0);
    expect(await run({ ...readiness, port, send: "ruok" })).not.toBe(0);
  });
});

test("a command is the probe itself", () => {
  expect(probeCommand({ kind: "command", command: ["test", "-e", "/ready"] }, address)).toEqual([
    "test",
    "-e",
    "/ready",
  ]);
});

test.each(["\\d+", "(?:a|b)", "a+?"])("%s, which grep would take for something else, is an error", (expected) => {
  expect(() => probeCommand({ kind: "tcp", port: 1, expect: expected }, address)).toThrow(/POSIX/);
});
