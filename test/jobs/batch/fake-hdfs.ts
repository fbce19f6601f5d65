import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";

/** HDFS in memory, as far as a batch run and Druid ask WebHDFS: lists, reads, writes, moves and deletes. */
export class FakeHdfs {
  readonly files = new Map<string, string>();
  readonly url: string;
  readonly #server: Server;

  private constructor(url: string, server: Server) {
    this.url = url;
    this.#server = server;
  }

  /** @param address where to listen, on any free port */
  static async start(address: string): Promise<FakeHdfs> {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, address, () => resolve((server.address() as { port: number }).port)),
    );
    const hdfs = new FakeHdfs(`http://${address}:${port}`, server);
    server.on("request", async (request, response) => {
      const url = new URL(request.url ?? "", hdfs.url);
      const path = decodeURIComponent(url.pathname.slice("/webhdfs/v1".length));
      if (url.searchParams.get("noredirect") === "true") {
        url.searchParams.delete("noredirect");
        response.end(JSON.stringify({ Location: url.href }));
        return;
      }
      const [status, body] = hdfs.#answer(url, path, await text(request));
      response.writeHead(status).end(body);
    });
    return hdfs;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The names in a folder. */
  list(folder: string): string[] {
    const inside = [...this.files.keys()].filter((path) => path.startsWith(`${folder}/`));
    return [...new Set(inside.map((path) => path.slice(folder.length + 1).split("/")[0] as string))].sort();
  }

  #answer({ searchParams }: URL, path: string, body: string): [number, string] {
    const operation = searchParams.get("op") ?? "";
    const destination = searchParams.get("destination") ?? "";
    switch (operation) {
      case "LISTSTATUS": {
        const names = this.list(path);
        if (names.length === 0)
          return [404, JSON.stringify({ RemoteException: { exception: "FileNotFoundException", message: path } })];
        const statuses = names.map((pathSuffix) => ({ pathSuffix, type: "FILE", length: 0, modificationTime: 0 }));
        return [200, JSON.stringify({ FileStatuses: { FileStatus: statuses } })];
      }
      case "OPEN":
        return this.files.has(path) ? [200, this.files.get(path) as string] : [404, ""];
      case "GETFILESTATUS": {
        const file = this.files.get(path);
        if (file === undefined)
          return [404, JSON.stringify({ RemoteException: { exception: "FileNotFoundException", message: path } })];
        const status = { pathSuffix: "", type: "FILE", length: Buffer.byteLength(file), modificationTime: 0 };
        return [200, JSON.stringify({ FileStatus: status })];
      }
      case "CREATE":
        this.files.set(path, body);
        return [201, ""];
      case "RENAME": {
        const file = this.files.get(path);
        if (file === undefined || this.files.has(destination)) return [200, JSON.stringify({ boolean: false })];
        this.files.delete(path);
        this.files.set(destination, file);
        return [200, JSON.stringify({ boolean: true })];
      }
      case "DELETE": {
        const paths = [...this.files.keys()].filter((file) => file === path || file.startsWith(`${path}/`));
        for (const file of paths) this.files.delete(file);
        return [200, JSON.stringify({ boolean: paths.length > 0 })];
      }
      default:
        return [400, operation];
    }
  }
}
