import * as pulumi from "@pulumi/pulumi";
import type { StorageConfiguration } from "../jobs/storage/configuration.ts";
import type { DruidClusterArgs } from "./druid/index.ts";
import { HdfsStorage } from "./hdfs/index.ts";
import { credentialsFile } from "./s3/configuration.ts";
import { S3Storage } from "./s3/index.ts";
import type { SystemArgs } from "./size-profiles.ts";
import type { File, Target } from "./target.ts";
import type { YarnClusterArgs } from "./yarn/index.ts";

/** What the master dataset and the output of batch runs can be kept in. */
export const storageKinds = ["hdfs", "s3"] as const;
/** One of {@link storageKinds}. */
export type StorageKind = (typeof storageKinds)[number];

/** The storage of an architecture, as what uses it needs it. */
export interface ArchitectureStorage {
  /** To depend on. */
  readonly component: pulumi.Resource;
  /** How the jobs reach it. */
  readonly configuration: pulumi.Output<StorageConfiguration>;
  /** Files beside the jobs' configuration. */
  readonly files: Readonly<Record<string, File>>;
  /** How YARN and its jobs reach it. */
  readonly yarn: Pick<YarnClusterArgs, "fileSystem" | "replication" | "user" | "s3">;
  /** Where Druid keeps its segments on a target whose servers share no folder: beside the master dataset. */
  readonly druid: Pick<DruidClusterArgs, "deepStorage">;
}

/**
 * Creates the storage of an architecture.
 *
 * @param name the architecture's name
 */
export function createStorage(
  kind: StorageKind,
  name: string,
  target: Target,
  { hdfs, s3 }: Pick<SystemArgs, "hdfs" | "s3">,
  opts: pulumi.ComponentResourceOptions,
): ArchitectureStorage {
  switch (kind) {
    case "hdfs": {
      const component = new HdfsStorage(`${name}-hdfs`, { ...hdfs, target }, opts);
      const { fileSystem, replication, superuser, webHdfs } = component;
      return {
        component,
        configuration: pulumi.all([webHdfs, superuser]).apply(([webHdfs, user]) => ({ kind, webHdfs, user })),
        files: {},
        yarn: { fileSystem, replication, user: superuser },
        druid: { deepStorage: component },
      };
    }
    case "s3": {
      const component = new S3Storage(`${name}-s3`, { ...s3, target }, opts);
      const { bucket, credentialFiles, endpoint, fileSystem, pathStyle, region } = component;
      return {
        component,
        configuration: pulumi
          .all([bucket, region, endpoint, pathStyle])
          .apply(([bucket, region, endpoint, pathStyle]) => ({
            kind,
            bucket,
            region,
            ...(endpoint !== undefined && { endpoint }),
            pathStyle,
            ...(credentialsFile in credentialFiles && { credentialsFile }),
          })),
        files: credentialFiles,
        yarn: { fileSystem, s3: component },
        druid: { deepStorage: component },
      };
    }
  }
}
