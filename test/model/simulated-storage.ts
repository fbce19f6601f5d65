import { Readable } from "node:stream";
import { HdfsError } from "../../jobs/hdfs/hdfs-error.ts";
import { HdfsFileStorage } from "../../jobs/hdfs/hdfs-file-storage.ts";
import type { FileStorage } from "../../jobs/storage/file-storage.ts";
import type { Simulation } from "./simulation.ts";

const away = new HdfsError({ operation: "OPEN", path: "/", address: "memory", reason: "away" });

/** HDFS, or a bucket of S3, in memory. */
export class SimulatedStorage {
  readonly files = new Map<string, Buffer>();
  readonly #simulation: Simulation;
  readonly #system: FileStorage["system"];

  constructor(simulation: Simulation, system: FileStorage["system"]) {
    this.#simulation = simulation;
    this.#system = system;
  }

  /** A client, in the process that calls it. */
  client(): FileStorage {
    return this.#system === "HDFS" ? new HdfsFileStorage(this.#hdfs()) : this.#bucket();
  }

  #operate<Result>(effect: () => Result, partly?: () => void): Promise<Result> {
    return this.#simulation.current.operate(effect, away, partly);
  }

  #hdfs(): ConstructorParameters<typeof HdfsFileStorage>[0] {
    return {
      status: (path) =>
        this.#operate(() => {
          const file = this.files.get(path);
          return file && { name: "", path, type: "FILE", length: file.length, modified: 0 };
        }),
      list: (path) =>
        this.#operate(() =>
          this.#names(path).map((name) => {
            const length = this.files.get(`${path}/${name}`)?.length ?? 0;
            return { name, path: `${path}/${name}`, type: "FILE" as const, length, modified: 0 };
          }),
        ),
      readText: (path) => this.#operate(() => this.#read(path).toString()),
      read: async (path) => Readable.from(this.#pieces(path)),
      create: async (path, body) => {
        const whole = await collected(body);
        const half = whole.subarray(0, whole.length / 2);
        await this.#operate(
          () => void this.files.set(path, whole),
          () => void this.files.set(path, half),
        );
      },
      rename: (from, to) =>
        this.#operate(() => {
          const file = this.files.get(from);
          if (file === undefined || this.files.has(to)) return false;
          this.files.delete(from);
          this.files.set(to, file);
          return true;
        }),
      delete: (path) => this.#operate(() => this.#delete(path)),
      openUrl: (path) => path,
      [Symbol.dispose]: () => {},
    };
  }

  /** A bucket: an object appears whole, and only if there is none. */
  #bucket(): FileStorage {
    const bucket = {
      system: "S3" as const,
      list: (folder: string) => this.#operate(() => this.#names(folder)),
      readText: (path: string) => this.#operate(() => this.#read(path).toString()),
      read: (path: string) => this.#pieces(path),
      publish: async (
        path: string,
        body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
        { length }: { readonly length: number },
      ) => {
        const whole = await collected(body);
        if (whole.length !== length) throw new Error(`the body has ${whole.length} bytes instead of ${length}`);
        return this.#operate(() => {
          if (this.files.has(path)) return false;
          this.files.set(path, whole);
          return true;
        });
      },
      discardUnfinished: () => this.#operate(() => {}),
      delete: (path: string) => this.#operate(() => void this.#delete(path)),
      readUrl: async (path: string) => path,
      [Symbol.dispose]: () => {},
    };
    return bucket;
  }

  async *#pieces(path: string): AsyncGenerator<Uint8Array> {
    const whole = await this.#operate(() => this.#read(path));
    yield whole.subarray(0, whole.length / 2);
    yield whole.subarray(whole.length / 2);
  }

  #read(path: string): Buffer {
    const file = this.files.get(path);
    if (file === undefined) throw new HdfsError({ operation: "OPEN", path, address: "memory", reason: "not found" });
    return file;
  }

  #delete(path: string): boolean {
    for (const file of [...this.files.keys()])
      if (file === path || file.startsWith(`${path}/`)) this.files.delete(file);
    return true;
  }

  #names(folder: string): string[] {
    const names = [...this.files.keys()]
      .filter((file) => file.startsWith(`${folder}/`))
      .map((file) => file.slice(folder.length + 1).split("/")[0] as string);
    return [...new Set(names)].sort();
  }
}

async function collected(body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
