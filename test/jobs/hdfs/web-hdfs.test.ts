import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HdfsError } from "../../../jobs/hdfs/hdfs-error.ts";
import { WebHdfs } from "../../../jobs/hdfs/web-hdfs.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

let server: Server;
let address: string;
let hdfs: WebHdfs;
let handler: Handler;
/** `METHOD path?query` of every request. */
let requests: string[];

beforeEach(async () => {
  requests = [];
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    handler(request, response, new URL(request.url as string, address));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  hdfs = new WebHdfs({ url: address, user: "someone", timeoutMilliseconds: 300 });
});

afterEach(() => {
  hdfs.close();
  server.closeAllConnections();
  server.close();
});

const json =
  (body: unknown): Handler =>
  (_request, response) =>
    response.end(JSON.stringify(body));
const fails =
  (status: number, exception: string, message: string): Handler =>
  (_request, response) => {
    response.statusCode = status;
    response.end(JSON.stringify({ RemoteException: { exception, message } }));
  };

describe("WebHdfs", () => {
  it("lists a folder", async () => {
    handler = json({
      FileStatuses: { FileStatus: [{ pathSuffix: "a.txt", type: "FILE", length: 3, modificationTime: 5, owner: "x" }] },
    });
    expect(await hdfs.list("/data/ü b")).toEqual([
      { name: "a.txt", path: "/data/ü b/a.txt", type: "FILE", length: 3, modified: 5 },
    ]);
    expect(requests).toEqual(["GET /webhdfs/v1/data/%C3%BC%20b?op=LISTSTATUS&user.name=someone"]);
  });

  it("uploads to the place that the NameNode names, past an unsolicited 100 Continue", async () => {
    const uploaded: Buffer[] = [];
    handler = async (request, response, url) => {
      if (url.searchParams.get("noredirect") === "true") {
        response.end(JSON.stringify({ Location: `${address}/upload?op=CREATE` }));
        return;
      }
      response.writeContinue();
      uploaded.push(await buffer(request));
      response.statusCode = 201;
      response.end();
    };
    await hdfs.create("/a", [Buffer.from("one\n"), Buffer.from("two\n")], { overwrite: true });
    await hdfs.create("/empty", []);
    expect(uploaded.map(String)).toEqual(["one\ntwo\n", ""]);
    expect(requests[0]).toBe("PUT /webhdfs/v1/a?op=CREATE&user.name=someone&overwrite=true&noredirect=true");
  });

  it("sends the header without which HDFS takes it for a page of a foreign site", async () => {
    const headers: unknown[] = [];
    handler = (request, response) => {
      headers.push(request.headers["x-xsrf-header"]);
      response.end('{"boolean":true}');
    };
    await hdfs.mkdirs("/a");
    await hdfs.delete("/a");
    expect(headers).toEqual(Array(2).fill("lambda-architecture"));
  });

  it("reads a file, and fails if its end does not come", async () => {
    let whole = true;
    handler = (_request, response, url) => {
      if (url.searchParams.get("noredirect") === "true") {
        response.end(JSON.stringify({ Location: `${address}/download` }));
        return;
      }
      response.setHeader("content-length", 5);
      response.write("abc");
      if (whole) response.end("de");
      else setTimeout(() => response.destroy(), 20);
    };
    expect(await hdfs.readText("/a")).toBe("abcde");
    whole = false;
    await expect(hdfs.readText("/a")).rejects.toThrow(`HDFS OPEN /a at ${address}: aborted`);
  });

  it("reads from another DataNode where one cannot be reached, and gives up when all were tried", async () => {
    let gone = ["127.0.0.2", "127.0.0.3"];
    handler = (_request, response, url) => {
      if (url.searchParams.get("noredirect") !== "true") return response.end("abc");
      const excluded = url.searchParams.get("excludedatanodes")?.split(",") ?? [];
      const dataNode = gone.find((each) => !excluded.includes(each));
      // Port 9 is for discarding: nobody listens there.
      response.end(
        JSON.stringify({ Location: `${dataNode === undefined ? address : `http://${dataNode}:9`}/download` }),
      );
    };
    expect(await hdfs.readText("/a")).toBe("abc");
    gone = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
    await expect(hdfs.readText("/a")).rejects.toThrow("HDFS OPEN /a at http://127.0.0.5:9: connect ECONNREFUSED");
  });

  it("says what, which path, where and why", async () => {
    handler = fails(403, "SafeModeException", "Name node is in safe mode.\n\tat org.apache.hadoop");
    const error = (await hdfs.mkdirs("/a").catch((thrown: unknown) => thrown)) as HdfsError;
    expect(error).toBeInstanceOf(HdfsError);
    expect(error).toMatchObject({ operation: "MKDIRS", path: "/a", status: 403, exception: "SafeModeException" });
    expect(error.message).toBe(`HDFS MKDIRS /a at ${address}: HTTP 403 SafeModeException Name node is in safe mode.`);
    expect(error.isNotFound).toBe(false);
  });

  it("tells a missing path from other failures", async () => {
    handler = fails(404, "FileNotFoundException", "File does not exist: /a");
    expect(await hdfs.status("/a")).toBeUndefined();
    await expect(hdfs.list("/a")).rejects.toMatchObject({ isNotFound: true });
    handler = fails(403, "AccessControlException", "Permission denied");
    await expect(hdfs.status("/a")).rejects.toThrow("AccessControlException Permission denied");
  });

  it("gives rename's and delete's answers", async () => {
    handler = json({ boolean: false });
    expect(await hdfs.rename("/a", "/b c")).toBe(false);
    expect(await hdfs.delete("/a")).toBe(false);
    expect(requests).toEqual([
      "PUT /webhdfs/v1/a?op=RENAME&user.name=someone&destination=%2Fb+c",
      "DELETE /webhdfs/v1/a?op=DELETE&user.name=someone&recursive=true",
    ]);
  });

  it("names a server that is silent, away or speaks something else", async () => {
    handler = () => {};
    await expect(hdfs.list("/a")).rejects.toThrow(`HDFS LISTSTATUS /a at ${address}: no answer within 300 ms`);
    handler = (_request, response) => response.end("<html>");
    await expect(hdfs.list("/a")).rejects.toThrow(/^HDFS LISTSTATUS \/a at .*: Unexpected token/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(hdfs.list("/a")).rejects.toThrow(
      /^HDFS LISTSTATUS \/a at .*: (connect ECONNREFUSED|read ECONNRESET|socket hang up)/,
    );
  });

  it("ends an upload by its signal", async () => {
    handler = (_request, response, url) => {
      if (url.searchParams.get("noredirect") === "true")
        response.end(JSON.stringify({ Location: `${address}/upload?op=CREATE` }));
    };
    const signal = AbortSignal.timeout(50);
    await expect(hdfs.create("/a", [Buffer.from("x")], { signal })).rejects.toThrow(/aborted due to timeout/);
  });
});
