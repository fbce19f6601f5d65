import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import { addAbortSignal } from "node:stream";
import type { FileStorage } from "../storage/file-storage.ts";
import { HdfsError } from "./hdfs-error.ts";
import type { WebHdfs } from "./web-hdfs.ts";

/** The folder beside published files that holds those that are being written; no reader looks into it. */
const writingFolder = "_writing";

/** HDFS as a {@link FileStorage}: a file is written aside and then moved to its place, which HDFS does at once. */
export class HdfsFileStorage implements FileStorage {
  readonly system = "HDFS";
  readonly #hdfs: Pick<
    WebHdfs,
    "list" | "status" | "read" | "readText" | "create" | "rename" | "delete" | "openUrl" | typeof Symbol.dispose
  >;

  constructor(
    hdfs: Pick<
      WebHdfs,
      "list" | "status" | "read" | "readText" | "create" | "rename" | "delete" | "openUrl" | typeof Symbol.dispose
    >,
  ) {
    this.#hdfs = hdfs;
  }

  async list(folder: string): Promise<string[]> {
    try {
      const entries = await this.#hdfs.list(folder);
      return entries.map(({ name }) => name).filter((name) => name !== writingFolder);
    } catch (error) {
      if (error instanceof HdfsError && error.isNotFound) return [];
      throw error;
    }
  }

  readText(path: string): Promise<string> {
    return this.#hdfs.readText(path);
  }

  async *read(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const stream = await this.#hdfs.read(path);
    for await (const piece of signal === undefined ? stream : addAbortSignal(signal, stream)) yield piece;
  }

  async publish(
    path: string,
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    { length, ...options }: { readonly length: number; readonly signal?: AbortSignal },
  ): Promise<boolean> {
    if ((await this.#hdfs.status(path)) !== undefined) return false;
    // Nothing is whole as soon as it is there.
    if (length === 0) return this.#createEmpty(path, body);
    // A name of its own, since whoever else writes this file must not move one that is not whole.
    const aside = `${asideFolder(posix.dirname(path))}/${posix.basename(path)}.${randomBytes(4).toString("hex")}`;
    await this.#hdfs.create(aside, body, options);
    const written = (await this.#hdfs.status(aside))?.length;
    if (written !== length) throw new Error(`${aside} has ${written} bytes instead of ${length}`);
    if (await this.#hdfs.rename(aside, path)) return true;
    // Moved by another writer, or by this call although its answer was lost.
    if ((await this.#hdfs.status(path)) !== undefined) return false;
    throw new Error(`${aside} could not be renamed to ${path}`);
  }

  async #createEmpty(path: string, body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<boolean> {
    for await (const piece of body)
      if (piece.length > 0) throw new Error(`the body of ${path} has ${piece.length} bytes instead of 0`);
    try {
      await this.#hdfs.create(path, []);
      return true;
    } catch (error) {
      if (error instanceof HdfsError && error.exception === "FileAlreadyExistsException") return false;
      throw error;
    }
  }

  async discardUnfinished(folder: string): Promise<void> {
    await this.#hdfs.delete(asideFolder(folder));
  }

  async delete(path: string): Promise<void> {
    await this.#hdfs.delete(path);
  }

  readUrl(path: string): Promise<string> {
    return Promise.resolve(this.#hdfs.openUrl(path));
  }

  [Symbol.dispose](): void {
    this.#hdfs[Symbol.dispose]();
  }
}

function asideFolder(folder: string): string {
  return `${folder}/${writingFolder}`;
}
