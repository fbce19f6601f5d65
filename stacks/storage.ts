import * as pulumi from "@pulumi/pulumi";
import type { LambdaArchitectureArgs } from "../components/lambda-architecture.ts";
import { type StackConfiguration, storageOf } from "./configuration.ts";

/** What the architecture is told of its storage. */
export function storageArgs(configuration: StackConfiguration): Pick<LambdaArchitectureArgs, "storage" | "s3"> {
  const storage = storageOf(configuration);
  // On AWS the target makes the bucket.
  if (storage === "hdfs" || configuration.target === "aws") return { storage };
  const { s3Bucket, s3Endpoint, s3Region, s3PathStyle, s3AccessKeyId, s3SecretAccessKey } = configuration;
  return {
    storage,
    s3: {
      bucket: s3Bucket,
      region: s3Region,
      ...(s3Endpoint !== "" && { endpoint: s3Endpoint, pathStyle: s3PathStyle }),
      ...(s3AccessKeyId !== "" && {
        credentials: pulumi.secret({ accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey }),
      }),
    },
  };
}

/** Where a bucket outside of the target is: `address`, if it is known as numbers, and port. */
export interface WayToBucket {
  /** An address of IPv4; undefined for a host's name, which may have any. */
  readonly address: string | undefined;
  readonly port: number;
}

/** The way out of the target that the storage takes; undefined where it stays inside. */
export function wayToBucket(configuration: StackConfiguration): WayToBucket | undefined {
  if (storageOf(configuration) === "hdfs" || configuration.target === "aws") return undefined;
  if (configuration.s3Endpoint === "") return { address: undefined, port: 443 };
  const { hostname, port, protocol } = new URL(configuration.s3Endpoint);
  return {
    address: /^\d+(\.\d+){3}$/.test(hostname) ? hostname : undefined,
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
  };
}
