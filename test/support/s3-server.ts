import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  type CreateBucketConfiguration,
  S3Client,
} from "@aws-sdk/client-s3";
import { SetupError } from "../../scripts/setup/progress.mjs";
import { ensureS3Server } from "../../scripts/toolchain/s3-server.ts";

/** The Python of the S3 server, or why there is none: then what needs it is skipped, and says so. */
export const s3Server = await ensureS3Server().catch((error: unknown) => {
  if (!(error instanceof SetupError)) throw error;
  console.warn(`Tests on an S3 server are skipped. ${error.message}`);
  return undefined;
});

/** What starts it. */
const program = fileURLToPath(new URL("../toolchain/s3-server/server.py", import.meta.url));

/** A real S3 server (moto) with an empty bucket, its data in memory. */
export class S3Server {
  readonly endpoint: string;
  readonly bucket = "master-dataset";
  readonly region = "eu-central-1" satisfies BucketLocationConstraint;
  readonly credentials = { accessKeyId: "AKIATEST", secretAccessKey: "secret/test+key" };
  readonly client: S3Client;
  readonly #process: ChildProcess;

  private constructor(endpoint: string, process: ChildProcess) {
    this.endpoint = endpoint;
    this.#process = process;
    const { region, credentials } = this;
    this.client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
  }

  static async start(address: string, port = 9000): Promise<S3Server> {
    const python = s3Server as string;
    const child = spawn(python, [program, "-H", address, "-p", String(port)], {
      stdio: "ignore",
      // Lists come in small pages, so that everything that reads them has to turn pages.
      env: { ...process.env, MOTO_S3_DEFAULT_MAX_KEYS: "20" },
    });
    const server = new S3Server(`http://${address}:${port}`, child);
    const configuration: CreateBucketConfiguration = { LocationConstraint: server.region };
    for (const deadline = Date.now() + 60_000; ; await sleep(200)) {
      try {
        await server.client.send(
          new CreateBucketCommand({ Bucket: server.bucket, CreateBucketConfiguration: configuration }),
        );
        return server;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > deadline) throw error;
      }
    }
  }

  stop(): void {
    this.client.destroy();
    this.#process.kill("SIGKILL");
  }
}
