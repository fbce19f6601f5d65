import { StorageError } from "../storage/storage-error.ts";

/** HDFS did not do what it was asked for. */
export class HdfsError extends StorageError {
  /** WebHDFS's name of the operation, e.g. `OPEN`. */
  readonly operation: string;
  readonly path: string;
  /** `http://host:port` of the server that was asked. */
  readonly address: string;
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;
  /** Hadoop's name of the failure, e.g. `FileNotFoundException`; undefined if there was none. */
  readonly exception: string | undefined;

  constructor(at: {
    operation: string;
    path: string;
    address: string;
    reason: string;
    status?: number | undefined;
    exception?: string | undefined;
    cause?: unknown;
  }) {
    super(`HDFS ${at.operation} ${at.path} at ${at.address}: ${at.reason}`, { cause: at.cause });
    this.name = "HdfsError";
    this.operation = at.operation;
    this.path = at.path;
    this.address = at.address;
    this.status = at.status;
    this.exception = at.exception;
  }

  /** Whether the path does not exist. */
  get isNotFound(): boolean {
    return this.exception === "FileNotFoundException";
  }
}
