import { HdfsFileStorage } from "../hdfs/hdfs-file-storage.ts";
import { WebHdfs } from "../hdfs/web-hdfs.ts";
import { S3FileStorage } from "../s3/s3-file-storage.ts";
import type { StorageConfiguration } from "./configuration.ts";
import type { FileStorage } from "./file-storage.ts";

/**
 * The storage that the jobs are told of. Nothing is connected before the first call.
 *
 * @param timeoutMilliseconds how long a server may be silent. Default: 30,000
 */
export function openStorage(storage: StorageConfiguration, timeoutMilliseconds = 30_000): FileStorage {
  switch (storage.kind) {
    case "hdfs":
      return new HdfsFileStorage(new WebHdfs({ url: storage.webHdfs, user: storage.user, timeoutMilliseconds }));
    case "s3":
      return new S3FileStorage(storage, timeoutMilliseconds);
  }
}
