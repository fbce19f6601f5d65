import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  S3Client,
} from "@aws-sdk/client-s3";
import { fromIni } from "@aws-sdk/credential-provider-ini";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { S3Configuration } from "../storage/configuration.ts";
import type { FileStorage } from "../storage/file-storage.ts";
import { S3Error } from "./s3-error.ts";

/** Seconds that an address holds: longer than any load takes. A role's own credentials may end sooner. */
const addressLifetime = 12 * 60 * 60;
/** Bytes of a part of a larger object; a smaller object is put in one piece. */
const partSize = 16 * 1024 * 1024;

/**
 * A bucket as a {@link FileStorage}. An object appears whole when its put, or the completion of its parts, succeeds; the
 * condition that there must be none yet keeps the first one.
 */
export class S3FileStorage implements FileStorage {
  readonly system = "S3";
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #address: string;

  /** @param timeoutMilliseconds how long the server may be silent */
  constructor({ bucket, region, endpoint, pathStyle, credentialsFile }: S3Configuration, timeoutMilliseconds: number) {
    this.#bucket = bucket;
    this.#address = endpoint ?? `AWS ${region}`;
    this.#client = new S3Client({
      region,
      forcePathStyle: pathStyle ?? false,
      ...(endpoint !== undefined && { endpoint }),
      // Given explicitly, they go over what the environment happens to hold.
      ...(credentialsFile !== undefined && {
        credentials: fromIni({ filepath: credentialsFile, profile: "default", ignoreCache: true }),
      }),
      requestHandler: { connectionTimeout: timeoutMilliseconds, socketTimeout: timeoutMilliseconds },
    });
  }

  async list(folder: string, signal?: AbortSignal): Promise<string[]> {
    const prefix = `${keyOf(folder)}/`;
    return this.#attempt("ListObjectsV2", folder, async () => {
      const names: string[] = [];
      const request = { Bucket: this.#bucket, Prefix: prefix, Delimiter: "/" };
      const pages = paginateListObjectsV2({ client: this.#client }, request, { abortSignal: signal });
      for await (const { Contents = [], CommonPrefixes = [] } of pages) {
        for (const { Key = "" } of Contents) names.push(Key.slice(prefix.length));
        for (const { Prefix = "" } of CommonPrefixes) names.push(Prefix.slice(prefix.length, -1));
      }
      // An empty name is the folder's own mark, an object that Hadoop makes.
      return names.filter((name) => name !== "").sort();
    });
  }

  readText(path: string): Promise<string> {
    return this.#attempt("GetObject", path, async () => {
      const { Body } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: keyOf(path) }));
      return (await Body?.transformToString("utf8")) ?? "";
    });
  }

  async *read(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { Body } = await this.#attempt("GetObject", path, () =>
      this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: keyOf(path) }), {
        ...(signal !== undefined && { abortSignal: signal }),
      }),
    );
    // The client of Node gives a stream of Node.
    if (Body !== undefined) yield* Body as Readable;
  }

  async publish(
    path: string,
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    { length, signal }: { readonly length: number; readonly signal?: AbortSignal },
  ): Promise<boolean> {
    const upload = new Upload({
      client: this.#client,
      params: { Bucket: this.#bucket, Key: keyOf(path), Body: Readable.from(exactly(body, length)), IfNoneMatch: "*" },
      partSize,
      queueSize: 1,
    });
    const abort = () => void upload.abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      signal?.throwIfAborted();
      await this.#attempt("PutObject", path, () => upload.done());
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof S3Error && error.status === 412) return false;
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async discardUnfinished(folder: string): Promise<void> {
    await this.#attempt("ListMultipartUploads", folder, async () => {
      const request = new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: `${keyOf(folder)}/` });
      for (let more = true; more; ) {
        const { Uploads = [], IsTruncated = false } = await this.#client.send(request);
        for (const { Key, UploadId } of Uploads)
          await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }));
        more = IsTruncated && Uploads.length > 0;
      }
    });
  }

  async delete(path: string): Promise<void> {
    await this.#attempt("DeleteObjects", path, async () => {
      const key = keyOf(path);
      const pages = paginateListObjectsV2({ client: this.#client }, { Bucket: this.#bucket, Prefix: key });
      for await (const { Contents = [] } of pages) {
        const Objects = Contents.filter(({ Key = "" }) => Key === key || Key.startsWith(`${key}/`)).map(({ Key }) => ({
          Key,
        }));
        if (Objects.length === 0) continue;
        const request = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
        const { Errors = [] } = await this.#client.send(request);
        if (Errors[0] !== undefined) throw new Error(`${Errors[0].Key}: ${Errors[0].Code} ${Errors[0].Message}`);
      }
    });
  }

  readUrl(path: string): Promise<string> {
    return this.#attempt("GetObject", path, () =>
      getSignedUrl(this.#client, new GetObjectCommand({ Bucket: this.#bucket, Key: keyOf(path) }), {
        expiresIn: addressLifetime,
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  async #attempt<Result>(operation: string, path: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof LengthError) throw error;
      throw new S3Error({ operation, path: `s3://${this.#bucket}${path}`, address: this.#address }, error);
    }
  }
}

/** A body has not as many bytes as it should. */
class LengthError extends Error {}

/** The body, which fails at its end, before an object could come of it, if it has another length. */
async function* exactly(
  body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    yield piece;
  }
  if (bytes !== length) throw new LengthError(`the body has ${bytes} bytes instead of ${length}`);
}

function keyOf(path: string): string {
  return path.replace(/^\//, "");
}
