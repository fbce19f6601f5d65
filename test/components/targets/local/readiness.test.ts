import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { probe } from "../../../../components/targets/local/readiness.ts";

const address = "127.22.0.11";
const words = createServer((socket) => socket.once("data", () => socket.end("imok")));
const http = createHttpServer((request, response) => {
  response.statusCode = request.url === "/good" ? 200 : 503;
  response.end("state: RUNNING");
});
const port = (server: typeof words | typeof http) => (server.address() as { port: number }).port;

beforeAll(async () => {
  for (const server of [words, http]) {
    server.listen(0, address);
    await once(server, "listening");
  }
});
afterAll(() => {
  words.close();
  http.close();
});

test("tcp: accepts, and answers what is expected", async () => {
  const answers = (expect?: string) =>
    probe({ kind: "tcp", port: port(words), ...(expect && { send: "ruok", expect }) }, address, {});
  expect(await answers()).toBeUndefined();
  expect(await answers("^imok$")).toBeUndefined();
  expect(await answers("fine")).toContain('answers "imok" instead of /fine/');
  expect(await probe({ kind: "tcp", port: 1 }, address, {})).toBe(`${address}:1 refuses connections`);
});

test("http: 2xx, and a body that is expected", async () => {
  const get = (path: string, expect?: string) =>
    probe({ kind: "http", port: port(http), path, ...(expect && { expect }) }, address, {});
  expect(await get("/good")).toBeUndefined();
  expect(await get("/good", "RUNNING")).toBeUndefined();
  expect(await get("/good", "STOPPED")).toContain("instead of /STOPPED/");
  expect(await get("/bad")).toContain('answers 503 "state: RUNNING"');
  expect(await probe({ kind: "http", port: 1, path: "/" }, address, {})).toBe(`${address}:1 refuses connections`);
});

test("command: exits with 0, in the instance's environment", async () => {
  const run = (script: string) =>
    probe({ kind: "command", command: ["/bin/sh", "-c", script] }, address, { ANSWER: "42" });
  expect(await run('test "$ANSWER" = 42')).toBeUndefined();
  expect(await run("exit 7")).toContain("ended with exit code 7");
  expect(await probe({ kind: "command", command: ["/no/such/program"] }, address, {})).toContain("ENOENT");
});
