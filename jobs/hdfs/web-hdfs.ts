import { Agent, type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { crossSiteHeaders } from "./cross-site.ts";
import { HdfsError } from "./hdfs-error.ts";

export interface WebHdfsOptions {
  /** The NameNode's `http://host:port`. */
  readonly url: string;
  /** The user to act as. */
  readonly user: string;
  /** How long a server may be silent, in milliseconds. Default: 30,000 */
  readonly timeoutMilliseconds?: number;
}

/** A file or folder. */
export interface FileStatus {
  /** The last part of its path. */
  readonly name: string;
  readonly path: string;
  readonly type: "FILE" | "DIRECTORY";
  /** Bytes; 0 for a folder. */
  readonly length: number;
  /** In milliseconds since 1970. */
  readonly modified: number;
}

/** How many DataNodes a read passes over: as many as have the file, mostly. */
const mostUnreachable = 3;

interface RemoteStatus {
  readonly pathSuffix: string;
  readonly type: "FILE" | "DIRECTORY";
  readonly length: number;
  readonly modificationTime: number;
}

/**
 * A client of WebHDFS, HDFS's HTTP interface. Paths are absolute. Nothing is tried again at the same server here; every
 * failure is an {@link HdfsError}.
 *
 * It uses `node:http` since a DataNode answers uploads with a `100 Continue` that nobody asked for, which `fetch` takes
 * for an error; no kept client exists.
 */
export class WebHdfs implements Disposable {
  readonly #options: WebHdfsOptions;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: WebHdfsOptions) {
    this.#options = options;
  }

  /**
   * What is in a folder, sorted by name.
   *
   * @throws {HdfsError} {@link HdfsError.isNotFound} if there is no such folder
   */
  async list(path: string): Promise<FileStatus[]> {
    const answer = (await this.#json("GET", "LISTSTATUS", path)) as {
      FileStatuses: { FileStatus: readonly RemoteStatus[] };
    };
    return answer.FileStatuses.FileStatus.map((status) => fileStatus(`${path}/${status.pathSuffix}`, status));
  }

  /** What is at a path; undefined if nothing is. */
  async status(path: string): Promise<FileStatus | undefined> {
    try {
      const answer = (await this.#json("GET", "GETFILESTATUS", path)) as { FileStatus: RemoteStatus };
      return fileStatus(path, answer.FileStatus);
    } catch (error) {
      if (error instanceof HdfsError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /**
   * A file's bytes. The stream fails if the file's end does not come. DataNodes that cannot be reached are passed over
   * as long as another has the file: the NameNode goes on naming one that has died, for minutes.
   */
  async read(path: string): Promise<Readable> {
    const unreachable: string[] = [];
    for (;;) {
      const except: Record<string, string> = {};
      if (unreachable.length > 0) except.excludedatanodes = unreachable.join(",");
      const location = new URL(await this.#location("GET", "OPEN", path, except));
      try {
        return await this.#request("GET", location, "OPEN", path);
      } catch (error) {
        const isLast = unreachable.includes(location.hostname) || unreachable.length === mostUnreachable;
        if (!(error instanceof HdfsError) || error.status !== undefined || isLast) throw error;
        unreachable.push(location.hostname);
      }
    }
  }

  /** A file as text. */
  async readText(path: string): Promise<string> {
    const stream = await this.read(path);
    try {
      return await text(stream);
    } catch (error) {
      throw this.#error("OPEN", path, this.#options.url, error);
    }
  }

  /**
   * Writes a file, and its folders if they are missing. A file that fails half-way may be left behind, shorter: write it
   * aside and {@link rename} it.
   *
   * @param options.overwrite whether a file that is there is replaced; else it is an error. Default: false
   */
  async create(
    path: string,
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: { readonly overwrite?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const location = await this.#location("PUT", "CREATE", path, { overwrite: String(options.overwrite ?? false) });
    const answer = await this.#request("PUT", new URL(location), "CREATE", path, Readable.from(body), options.signal);
    answer.resume();
  }

  /** Makes a folder and those above it; all right if it is there. */
  async mkdirs(path: string): Promise<void> {
    await this.#json("PUT", "MKDIRS", path);
  }

  /**
   * Moves a file or folder, at once as far as readers see. The new path's folder must be there.
   *
   * @returns false if it did not, since the new path is taken or the old one does not exist
   */
  async rename(from: string, to: string): Promise<boolean> {
    return ((await this.#json("PUT", "RENAME", from, { destination: to })) as { boolean: boolean }).boolean;
  }

  /**
   * Deletes a file, or a folder with all that is in it.
   *
   * @returns false if it was not there
   */
  async delete(path: string): Promise<boolean> {
    return ((await this.#json("DELETE", "DELETE", path, { recursive: "true" })) as { boolean: boolean }).boolean;
  }

  /** The address from which anyone may read the file over HTTP. */
  openUrl(path: string): string {
    return this.#url("OPEN", path).href;
  }

  /** Ends the idle connections. */
  close(): void {
    this.#agent.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #url(operation: string, path: string, parameters: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(`/webhdfs/v1${path.split("/").map(encodeURIComponent).join("/")}`, this.#options.url);
    url.search = new URLSearchParams({ op: operation, "user.name": this.#options.user, ...parameters }).toString();
    return url;
  }

  /** Where a DataNode takes or gives the file's bytes. */
  async #location(
    method: string,
    operation: string,
    path: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const answer = await this.#json(method, operation, path, { ...parameters, noredirect: "true" });
    return (answer as { Location: string }).Location;
  }

  async #json(
    method: string,
    operation: string,
    path: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const url = this.#url(operation, path, parameters);
    const answer = await this.#request(method, url, operation, path);
    try {
      return JSON.parse(await text(answer));
    } catch (error) {
      throw this.#error(operation, path, url.origin, error);
    }
  }

  /** The answer of one request, if it is a good one. */
  async #request(
    method: string,
    url: URL,
    operation: string,
    path: string,
    body?: Readable,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    let answer: IncomingMessage;
    try {
      answer = await this.#send(method, url, body, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#error(operation, path, url.origin, error);
    }
    const { statusCode: status = 0 } = answer;
    if (status >= 200 && status < 300) return answer;
    const { exception, message } = remoteException(await text(answer).catch(() => ""));
    const reason = [`HTTP ${status}`, exception, message].filter((part) => part !== undefined).join(" ");
    throw new HdfsError({ operation, path, address: url.origin, status, exception, reason });
  }

  #send(method: string, url: URL, body?: Readable, signal?: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const timeout = this.#options.timeoutMilliseconds ?? 30_000;
      const outgoing = request(url, {
        method,
        agent: this.#agent,
        timeout,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          ...crossSiteHeaders,
          // A DataNode closes the connection after an upload: no use in keeping it.
          ...(body !== undefined && { "content-type": "application/octet-stream", connection: "close" }),
        },
      });
      outgoing.on("response", resolve);
      outgoing.on("error", reject);
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${timeout} ms`)));
      if (body === undefined) outgoing.end();
      else pipeline(body, outgoing).catch(reject);
    });
  }

  #error(operation: string, path: string, address: string, cause: unknown): HdfsError {
    const { code, message } = cause as NodeJS.ErrnoException;
    return new HdfsError({ operation, path, address, reason: message || code || String(cause), cause });
  }
}

function fileStatus(path: string, status: RemoteStatus): FileStatus {
  return {
    name: path.slice(path.lastIndexOf("/") + 1),
    path,
    type: status.type,
    length: status.length,
    modified: status.modificationTime,
  };
}

/** Hadoop's name and message of a failure, where the answer holds them. */
function remoteException(body: string): { exception?: string; message?: string } {
  try {
    const { RemoteException } = JSON.parse(body) as { RemoteException: { exception: string; message: string } };
    // The rest of the message is a Java stack trace.
    return { exception: RemoteException.exception, message: RemoteException.message.split("\n")[0] ?? "" };
  } catch {
    return body === "" ? {} : { message: body.slice(0, 200) };
  }
}
