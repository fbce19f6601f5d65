import * as z from "zod";

/** How the jobs reach HDFS. */
export const hdfsConfigurationSchema = z.strictObject({
  kind: z.literal("hdfs"),
  /** The NameNode's WebHDFS: `http://host:port`. */
  webHdfs: z.url(),
  /** The user to act as. */
  user: z.string(),
});

/** How the jobs reach a bucket of S3, or of a server that speaks its protocol. */
export const s3ConfigurationSchema = z.strictObject({
  kind: z.literal("s3"),
  bucket: z.string(),
  region: z.string(),
  /** `http://host:port` or `https://host`. Default: AWS's own of the region */
  endpoint: z.url().optional(),
  /** Whether the bucket is the first part of the path instead of the host's name. Default: false */
  pathStyle: z.boolean().optional(),
  /**
   * A file of AWS's credentials format, relative to the folder of the configuration file: the secrets are in a file of
   * their own, which only the job's user may read. Default: what AWS gives to the process (its role)
   */
  credentialsFile: z.string().optional(),
});

/** Where the master dataset and the output of batch runs are. */
export const storageConfigurationSchema = z.discriminatedUnion("kind", [
  hdfsConfigurationSchema,
  s3ConfigurationSchema,
]);

export type S3Configuration = z.infer<typeof s3ConfigurationSchema>;
export type StorageConfiguration = z.infer<typeof storageConfigurationSchema>;
