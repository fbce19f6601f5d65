import type { HadoopProperties } from "../hadoop/index.ts";

/** A bucket and where it is: of S3, or of a server that speaks its protocol. */
export interface BucketLocation {
  readonly bucket: string;
  readonly region: string;
  /** `http://host:port` or `https://host`; undefined for AWS's own. */
  readonly endpoint: string | undefined;
  /** Whether the bucket is the first part of the path instead of the host's name. */
  readonly pathStyle: boolean;
}

/** An access key of S3. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The file with the credentials, in the configuration folder of whoever needs them. */
export const credentialsFile = "s3-credentials";

/**
 * The environment variables by which AWS's SDKs find credentials in a file or get a role's. None is a secret itself:
 * YARN writes what containers inherit into their start scripts.
 */
export const credentialVariables = [
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_ROLE_ARN",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_REGION",
] as const;

/** The `fs.defaultFS` of a bucket. */
export function bucketUri(bucket: string): string {
  return `s3a://${bucket}`;
}

/**
 * The properties of core-site.xml by which Hadoop reaches the bucket. They hold no secret: MapReduce keeps a copy of
 * all properties beside each job.
 *
 * @param hasCredentials whether there is a file of credentials, see {@link credentialVariables}; else AWS's default chain
 */
export function s3aProperties(
  { region, endpoint, pathStyle }: BucketLocation,
  hasCredentials: boolean,
): HadoopProperties {
  const provider = hasCredentials ? "ProfileCredentialsProvider" : "DefaultCredentialsProvider";
  return {
    "fs.s3a.endpoint.region": region,
    ...(endpoint !== undefined && {
      "fs.s3a.endpoint": endpoint,
      "fs.s3a.connection.ssl.enabled": endpoint.startsWith("https:"),
    }),
    "fs.s3a.path.style.access": pathStyle,
    "fs.s3a.aws.credentials.provider": `software.amazon.awssdk.auth.credentials.${provider}`,
    // The default, "analytics", was seen to hang with servers other than AWS's.
    "fs.s3a.input.stream.type": "classic",
    // What is uploaded is kept here before. The default is below /tmp, which is read-only in a container.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Hadoop's own placeholders
    "fs.s3a.buffer.dir": "${env.LOCAL_DIRS:-${java.io.tmpdir}}/s3a",
  };
}

/** The text of {@link credentialsFile}: AWS's own format, which its SDKs for Java and JavaScript read alike. */
export function credentialsText({ accessKeyId, secretAccessKey }: S3Credentials): string {
  return `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
}
