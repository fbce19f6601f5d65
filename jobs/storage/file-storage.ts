/**
 * Where the master dataset and the output of batch runs are kept, as the jobs see it: HDFS or S3. Paths are absolute,
 * with `/` between their parts. Nothing is tried again here; every failure is an error that names the operation, the
 * path and the server.
 */
export interface FileStorage extends Disposable {
  /** The system's name in metrics. */
  readonly system: "HDFS" | "S3";

  /** The names of what is in a folder, files and folders, sorted; none if there is no such folder. */
  list(folder: string, signal?: AbortSignal): Promise<string[]>;

  /** A file as text (UTF-8). */
  readText(path: string): Promise<string>;

  /** A file's bytes, piece by piece; fails if the file's end does not come. */
  read(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;

  /**
   * Makes a file that readers see whole or not at all. A file that is there already stays as it is.
   *
   * @returns false if it was there
   * @throws {Error} if the body has not exactly `length` bytes; then there is no file
   */
  publish(
    path: string,
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: { readonly length: number; readonly signal?: AbortSignal },
  ): Promise<boolean>;

  /** Removes what publications into the folder left behind that did not come to their end. */
  discardUnfinished(folder: string): Promise<void>;

  /** Deletes a file, or a folder with all that is in it; all right if it is not there. */
  delete(path: string): Promise<void>;

  /** The address from which Druid reads the file over HTTP; it may hold for some hours only. */
  readUrl(path: string): Promise<string>;
}
