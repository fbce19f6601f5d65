import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { drain } from "../../../jobs/serving/drain.ts";

let app: FastifyInstance;
let port: number;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeEach(async () => {
  app = fastify({ forceCloseConnections: "idle", return503OnClosing: false });
  app.get("/now", () => "now");
  app.get("/slow", async () => {
    await sleep(600);
    return "slow";
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  port = (app.server.address() as AddressInfo).port;
});
afterEach(() => app.close());

async function ask(
  path: string,
): Promise<{ status: number | undefined; body: string; connection: string | undefined }> {
  const [response] = (await once(get({ host: "127.0.0.1", port, path, agent }), "response")) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response), connection: response.headers.connection };
}

test("what was asked before the end is answered, and who asks all the time is told to go to another", async () => {
  expect((await ask("/now")).connection).toBe("keep-alive");
  const slow = ask("/slow");
  const ended = drain(app, { linger: 300 });
  expect(await slow).toEqual({ status: 200, body: "slow", connection: "close" });
  await ended;
  await expect(ask("/now")).rejects.toThrow("ECONNREFUSED");
});

test("it takes questions while it lingers, on connections that are there and on others", async () => {
  await ask("/now");
  const ended = drain(app, { linger: 200 });
  expect(await ask("/now")).toMatchObject({ status: 200, body: "now", connection: "close" });
  expect(await ask("/now")).toMatchObject({ status: 200, body: "now", connection: "close" });
  await ended;
});

test("who holds a connection open and asks nothing does not delay the end for long", async () => {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket, "close");
  await drain(app, { linger: 10, limit: 100 });
  await closed;
});
