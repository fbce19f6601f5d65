import { StorageError } from "../storage/storage-error.ts";

/** S3 did not do what it was asked for. */
export class S3Error extends StorageError {
  /** S3's name of the operation, e.g. `GetObject`. */
  readonly operation: string;
  /** `s3://bucket/key`. */
  readonly path: string;
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;
  /** S3's name of the failure, e.g. `NoSuchBucket`. */
  readonly code: string;

  /**
   * @param at the operation, what it was about, and the server's address
   * @param cause the client's error
   */
  constructor(at: { readonly operation: string; readonly path: string; readonly address: string }, cause: unknown) {
    const { name, message, status } = describe(cause);
    super(`S3 ${at.operation} ${at.path} at ${at.address}: ${[status, name, message].filter(Boolean).join(" ")}`, {
      cause,
    });
    this.name = "S3Error";
    this.operation = at.operation;
    this.path = at.path;
    this.status = status;
    this.code = name;
  }
}

function describe(cause: unknown): { name: string; message: string; status: number | undefined } {
  const { name, message, code, $metadata } = cause as Error & {
    readonly code?: string;
    readonly $metadata?: { readonly httpStatusCode?: number };
  };
  return { name: code ?? name, message, status: $metadata?.httpStatusCode };
}
