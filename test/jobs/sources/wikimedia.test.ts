import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toWikipediaEdit, wikimediaSource } from "../../../jobs/sources/wikimedia.ts";
import { wikipediaEdit } from "../../../jobs/wikipedia/event.ts";

/** A message as Wikimedia's stream sends it. */
const change = {
  $schema: "/mediawiki/recentchange/1.0.0",
  meta: {
    uri: "https://en.wikipedia.org/wiki/Tea",
    id: "9e2c",
    domain: "en.wikipedia.org",
    stream: "mediawiki.recentchange",
    dt: "2026-03-01T10:00:00.123Z",
  },
  id: 1,
  type: "edit",
  namespace: 0,
  title: "Tea",
  title_url: "https://en.wikipedia.org/wiki/Tea",
  comment: "typo",
  timestamp: 1772359200,
  user: "Someone",
  bot: false,
  minor: true,
  patrolled: true,
  length: { old: 100, new: 90 },
  revision: { old: 1, new: 2 },
  server_url: "https://en.wikipedia.org",
  server_name: "en.wikipedia.org",
  wiki: "enwiki",
};

const edit = (more: object) => toWikipediaEdit(JSON.stringify({ ...change, ...more }));

describe("a recent change", () => {
  it("is an edit", () => {
    const found = edit({});
    expect(found).toEqual({
      time: "2026-03-01T10:00:00.123Z",
      channel: "#en.wikipedia",
      namespace: "Main",
      page: "Tea",
      user: "Someone",
      comment: "typo",
      added: 0,
      deleted: 10,
      delta: -10,
      isRobot: false,
      isAnonymous: false,
      isMinor: true,
      isNew: false,
      isUnpatrolled: false,
    });
    expect(wikipediaEdit.safeParse(found).success).toBe(true);
  });

  it("may be a new page, a stranger's, a bot's, another project's, or in a namespace of its own", () => {
    expect(edit({ type: "new", length: { new: 7 } })).toMatchObject({ isNew: true, added: 7, delta: 7 });
    expect(edit({ user: "2001:db8::1" })).toMatchObject({ isAnonymous: true });
    expect(edit({ user: "~2026-12345-6" })).toMatchObject({ isAnonymous: true });
    expect(edit({ bot: true, patrolled: false })).toMatchObject({ isRobot: true, isUnpatrolled: true });
    expect(edit({ server_name: "www.wikidata.org" })).toMatchObject({ channel: "#www.wikidata" });
    expect(edit({ namespace: 828 })).toMatchObject({ namespace: "828" });
  });

  it("may be something else", () => {
    expect(edit({ type: "log" })).toBeUndefined();
    expect(edit({ type: "categorize" })).toBeUndefined();
    expect(edit({ meta: { ...change.meta, domain: "canary" } })).toBeUndefined();
    expect(toWikipediaEdit("not JSON")).toBeUndefined();
  });
});

describe("the live source", () => {
  let server: Server;
  let url: string;
  let connections: IncomingMessage[];
  let answer: (response: ServerResponse, connection: number) => void;

  beforeEach(async () => {
    connections = [];
    server = createServer((request, response) => {
      connections.push(request);
      answer(response, connections.length);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/stream/recentchange`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const message = (id: number, title: string) =>
    `event: message\nid: [{"topic":"t","offset":${id}}]\ndata: ${JSON.stringify({ ...change, title })}\n\n`;

  it("goes on after the last event when the connection is lost or refused", async () => {
    answer = (response, connection) => {
      if (connection === 2) {
        response.statusCode = 503;
        response.end("busy");
        return;
      }
      response.setHeader("content-type", "text/event-stream");
      const first = connection === 1 ? 1 : 3;
      const text = `:ok\n\n${message(first, `Page ${first}`)}${message(first + 1, `Page ${first + 1}`)}`;
      // Cut in the middle of a character and of a message.
      const bytes = Buffer.from(`${text}${message(9, "Ünfinished").slice(0, 150)}`);
      response.write(bytes.subarray(0, 700));
      setTimeout(() => {
        response.write(bytes.subarray(700));
        setTimeout(() => response.destroy(), 20);
      }, 10);
    };
    const stop = new AbortController();
    const failures: string[] = [];
    const pages: string[] = [];
    const onRetry = (error: Error) => failures.push(error.message);
    for await (const events of wikimediaSource({ url, onRetry, signal: stop.signal })) {
      pages.push(...events.map(({ value }) => JSON.parse(String(value)).page));
      if (pages.length >= 4) stop.abort(new Error("enough"));
    }
    expect(pages).toEqual(["Page 1", "Page 2", "Page 3", "Page 4"]);
    expect(failures).toEqual(["terminated", `${url} answered HTTP 503`]);
    expect(connections.map(({ headers }) => headers["last-event-id"])).toEqual([
      undefined,
      '[{"topic":"t","offset":2}]',
      '[{"topic":"t","offset":2}]',
    ]);
    expect(connections[0]?.headers).toMatchObject({
      accept: "text/event-stream",
      "user-agent": expect.stringContaining("lambda-architecture"),
    });
  });

  it("ends by its signal while it waits", async () => {
    answer = (response) => response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    const pages: unknown[] = [];
    for await (const events of wikimediaSource({ url, signal: AbortSignal.timeout(100) })) pages.push(events);
    expect(pages).toEqual([]);
  });
});
