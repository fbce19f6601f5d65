import * as pulumi from "@pulumi/pulumi";
import type { HadoopProperties } from "../hadoop/index.ts";
import { InputErrors } from "../input-errors.ts";
import type { File, Placement, Target } from "../target.ts";
import {
  type BucketLocation,
  bucketUri,
  credentialsFile,
  credentialsText,
  type S3Credentials,
  s3aProperties,
} from "./configuration.ts";

/** The arguments of an {@link S3Storage}. */
export interface S3StorageArgs {
  /**
   * The bucket's name.
   *
   * @default the bucket that the target makes; where it makes none, as on your own machine, it must be given
   */
  readonly bucket?: string;
  /**
   * The bucket's region. Servers other than AWS's mostly take any.
   *
   * @default "us-east-1"; that of the bucket where the target makes it
   */
  readonly region?: string;
  /**
   * The server's address, `http://host:port` or `https://host`.
   *
   * @default AWS's own in the region
   */
  readonly endpoint?: string;
  /**
   * Whether the bucket is the first part of the path instead of the host's name. Servers other than AWS's mostly need
   * it.
   *
   * @default true with an `endpoint`, else false
   */
  readonly pathStyle?: boolean;
  /**
   * The access key. It is kept as a secret, and given to the servers in files that only their user may read.
   *
   * @default what AWS's SDKs find where the servers run: a role, or `~/.aws/credentials`
   */
  readonly credentials?: pulumi.Input<S3Credentials>;
}

/** What a Hadoop process needs to reach a bucket. */
export interface S3Access {
  /** For core-site.xml, beside `fs.defaultFS`. */
  readonly hadoopProperties: pulumi.Output<HadoopProperties>;
  /** Files for the configuration folder, by name: the credentials, if there are any. */
  readonly credentialFiles: Readonly<Record<string, File>>;
}

/** The environment of a process with {@link S3Access.credentialFiles} in its placement's configuration folder. */
export function s3Environment({ credentialFiles }: S3Access, placement: Placement): Readonly<Record<string, string>> {
  if (!(credentialsFile in credentialFiles)) return {};
  return { AWS_SHARED_CREDENTIALS_FILE: `${placement.configuration}/${credentialsFile}` };
}

/**
 * A bucket for the master dataset and the output of batch runs: of S3, or of any server that speaks its protocol.
 *
 * ```ts
 * const storage = new S3Storage("storage", {
 *   target,
 *   bucket: "master-dataset",
 *   endpoint: "http://127.0.0.1:9000",
 *   credentials: config.requireSecretObject("s3"), // { accessKeyId, secretAccessKey }
 * });
 * ```
 *
 * A bucket that is given is used as it is, and never deleted.
 */
export class S3Storage extends pulumi.ComponentResource implements S3Access {
  readonly bucket: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
  /** The server's address; undefined for AWS's own. */
  readonly endpoint: pulumi.Output<string | undefined>;
  readonly pathStyle: pulumi.Output<boolean>;
  /** `fs.defaultFS` for Hadoop's clients: `s3a://bucket`. */
  readonly fileSystem: pulumi.Output<string>;
  readonly hadoopProperties: pulumi.Output<HadoopProperties>;
  readonly credentialFiles: Readonly<Record<string, File>>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: S3StorageArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, credentials, ...given } = args;
    checkArgs(name, args);
    super("lambda-architecture:index:S3Storage", name, given, opts);

    const location = createLocation(this, name, target, given);
    this.bucket = location.apply(({ bucket }) => bucket);
    this.region = location.apply(({ region }) => region);
    this.endpoint = location.apply(({ endpoint }) => endpoint);
    this.pathStyle = location.apply(({ pathStyle }) => pathStyle);
    this.fileSystem = this.bucket.apply(bucketUri);
    this.hadoopProperties = location.apply((known) => s3aProperties(known, credentials !== undefined));
    this.credentialFiles =
      credentials === undefined
        ? {}
        : { [credentialsFile]: { content: pulumi.secret(credentials).apply(credentialsText), secret: true } };
    this.registerOutputs({ bucket: this.bucket, region: this.region, fileSystem: this.fileSystem });
  }
}

type Given = Omit<S3StorageArgs, "credentials">;

function checkArgs(name: string, { target, ...args }: S3StorageArgs & { target: Target }): void {
  const errors = new InputErrors(`S3Storage ${JSON.stringify(name)}`);
  const { bucket, endpoint, region } = args;
  errors.check(
    bucket !== undefined || target.managed?.bucket !== undefined,
    "bucket",
    `must be given: the target ${target.name} makes no buckets`,
  );
  errors.check(
    bucket === undefined || /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket),
    "bucket",
    `must be 3 to 63 lower-case letters, digits, '.' and '-'; it is ${JSON.stringify(bucket)}`,
  );
  errors.check(
    endpoint === undefined || /^https?:\/\/[^/?#\s]+$/.test(endpoint),
    "endpoint",
    `must be http://host:port or https://host, without a path; it is ${JSON.stringify(endpoint)}`,
  );
  errors.check(
    region === undefined || /^[a-z0-9-]+$/.test(region),
    "region",
    `must be a region's name, e.g. eu-central-1; it is ${JSON.stringify(region)}`,
  );
  if (bucket === undefined && target.managed?.bucket !== undefined)
    for (const property of ["region", "endpoint", "pathStyle", "credentials"] as const)
      errors.check(
        args[property] === undefined,
        property,
        `must not be given without bucket: the target ${target.name} makes the bucket and knows how to reach it`,
      );
  errors.throwIfAny();
}

/** Where the bucket is: as given, or as the target made it. */
function createLocation(
  parent: pulumi.Resource,
  name: string,
  target: Target,
  { bucket, region = "us-east-1", endpoint, pathStyle = endpoint !== undefined }: Given,
): pulumi.Output<BucketLocation> {
  if (bucket !== undefined) return pulumi.output({ bucket, region, endpoint, pathStyle });
  const made = target.managed?.bucket?.(name, { parent });
  if (made === undefined) throw new Error(`the target ${target.name} makes no buckets`);
  return pulumi
    .all([made.bucket, made.region])
    .apply(([bucket, region]) => ({ bucket, region, endpoint: undefined, pathStyle: false }));
}
