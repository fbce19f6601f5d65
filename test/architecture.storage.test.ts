/*
 * The whole architecture on this machine, its master dataset in a bucket of a real S3 server, set up as a person does it:
 * 1. A stack gets its storage by `config set`, the keys with --secret, which end in no file but the stack's, encrypted.
 * 2. The demo: events are archived to the bucket, a batch run reads and writes it through S3A, Druid loads from it, and
 *    every merged answer, before, during and after the swap of the batch views, is exactly one pass in memory.
 * 3. The bucket holds the events, the local target no HDFS; the secret key is nowhere in what was printed, in the state,
 *    the outputs or the bucket.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../scripts/demo/architecture.ts";
import { checkout, ensureStack, runPulumi, stackFolder, stateFolder } from "../scripts/environment.ts";
import { takeDown } from "../scripts/take-down.ts";
import { S3Server, s3Server } from "./support/s3-server.ts";

const stack = "test-s3";
const stackFile = join(checkout, `Pulumi.${stack}.yaml`);
const secretAccessKey = randomBytes(30).toString("base64");

async function pulumi(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runPulumi([...args, "--stack", stack], { capture: true });
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  return stdout + stderr;
}

/** The files below a folder that hold the key. */
function filesWithKey(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => existsSync(file) && readFileSync(file).includes(secretAccessKey));
}

async function keysOf(server: S3Server): Promise<string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: server.client }, { Bucket: server.bucket }))
    keys.push(...Contents.map(({ Key = "" }) => Key));
  return keys;
}

describe.skipIf(s3Server === undefined)("the whole architecture with its master dataset in S3", () => {
  let server: S3Server;

  beforeAll(async () => {
    rmSync(stackFile, { force: true });
    await takeDown(stack);
    server = await S3Server.start("127.29.3.1");
    await ensureStack(stack);
    const plain = {
      ephemeral: "true",
      deleteData: "true",
      chunkSize: "1000",
      storage: "s3",
      s3Bucket: server.bucket,
      s3Endpoint: server.endpoint,
      s3Region: server.region,
    };
    const secrets = { s3AccessKeyId: server.credentials.accessKeyId, s3SecretAccessKey: secretAccessKey };
    await pulumi(
      ...["config", "set-all"],
      ...Object.entries(plain).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]),
      ...Object.entries(secrets).flatMap(([key, value]) => ["--secret", `${key}=${value}`]),
    );
  });

  afterAll(async () => {
    await takeDown(stack);
    rmSync(stackFile, { force: true });
    server?.stop();
  });

  test("the demo is exact", async () => {
    const output: string[] = [];
    const demo = [process.execPath, join(checkout, "scripts/demo.ts"), "--events", "20000", "--stack", stack];
    const exitCode = await runCommand(demo, (line) => {
      output.push(line);
      console.log(line);
    });
    expect(exitCode, output.slice(-30).join("\n")).toBe(0);
    expect(output.join("\n")).toMatch(/^exact: [\d,]+ answers over 20,000 events, 0 differ$/m);
    expect(output.join("\n")).toMatch(/during the batch run and its swap: .* \(batch versions: \d{8}T\d{9}, none\)/);
    expect(output.join("\n")).not.toContain(secretAccessKey);
  });

  test("all is in the bucket, and nothing of HDFS is there", async () => {
    const keys = await keysOf(server);
    expect(keys.filter((key) => /^master\/edits\/\d+\/\d+-\d+\.jsonl$/.test(key)).length).toBeGreaterThan(15);
    expect(keys.filter((key) => /^batch\/[^/]+\/_SUCCESS$/.test(key))).toHaveLength(1);
    expect(JSON.parse(await pulumi("stack", "output", "--json")).fileSystem).toBe(`s3a://${server.bucket}`);
    expect(readdirSync(stackFolder(stack)).filter((name) => name.includes("hdfs"))).toEqual([]);
  });

  test("the secret key is nowhere but in the servers' own files", async () => {
    const files = filesWithKey(stackFolder(stack));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect(file).toMatch(/\/s3-credentials$/);
      expect([file, statSync(file).mode & 0o077]).toEqual([file, 0]);
    }
    expect(filesWithKey(join(stateFolder, "state"))).toEqual([]);
    expect(readFileSync(stackFile, "utf8")).not.toContain(secretAccessKey);
    for (const args of [
      ["stack", "output", "--json"],
      ["preview", "--diff"],
      ["stack", "export"],
    ])
      expect((await pulumi(...args)).includes(secretAccessKey), args.join(" ")).toBe(false);
  });

  test("a key for everybody to read is refused, and a wrong value beside it, without saying the key", async () => {
    const file = readFileSync(stackFile, "utf8");
    const wrong = file
      .replace(/(:s3SecretAccessKey:)\n\s+secure: .*/, `$1 ${secretAccessKey}`)
      .replace(/(:s3Endpoint:) .*/, "$1 nowhere");
    try {
      writeFileSync(stackFile, wrong);
      const { exitCode, stdout, stderr } = await runPulumi(["preview", "--stack", stack], { capture: true });
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).toContain("lambda-architecture:s3SecretAccessKey: must be encrypted; it is a secret");
      expect(stdout + stderr).toContain("lambda-architecture:s3Endpoint: must be http://host:port or https://host");
      expect((stdout + stderr).includes(secretAccessKey)).toBe(false);
    } finally {
      writeFileSync(stackFile, file);
    }
  });
});
