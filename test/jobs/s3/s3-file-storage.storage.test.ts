import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { credentialsText } from "../../../components/s3/configuration.ts";
import type { FileStorage } from "../../../jobs/storage/file-storage.ts";
import { openStorage } from "../../../jobs/storage/open-storage.ts";
import { S3Server, s3Server } from "../../support/s3-server.ts";

const folder = mkdtempSync(join(tmpdir(), "s3-"));
let server: S3Server;
let storage: FileStorage;

/** What the storage finds at the server with the credentials in a file. */
function open({ endpoint = server.endpoint, bucket = server.bucket } = {}): FileStorage {
  const credentialsFile = join(folder, "credentials");
  writeFileSync(credentialsFile, credentialsText(server.credentials));
  return openStorage({ kind: "s3", bucket, region: server.region, endpoint, pathStyle: true, credentialsFile });
}

const bytes = (text: string) => Buffer.from(text);

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield bytes(text);
}

async function unfinishedUploads(): Promise<number> {
  const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket: server.bucket }));
  return Uploads.length;
}

describe.skipIf(s3Server === undefined)("a bucket of a real S3 server", () => {
  beforeAll(async () => {
    server = await S3Server.start("127.29.0.1");
    storage = open();
  });
  afterAll(() => {
    storage?.[Symbol.dispose]();
    server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("publishes a file once, and keeps the first", async () => {
    expect(await storage.publish("/master/a/0/x.jsonl", [bytes("one\n"), bytes("two\n")], { length: 8 })).toBe(true);
    expect(await storage.publish("/master/a/0/x.jsonl", pieces("other"), { length: 5 })).toBe(false);
    expect(await storage.readText("/master/a/0/x.jsonl")).toBe("one\ntwo\n");
    expect(await storage.publish("/master/a/0/empty.jsonl", [], { length: 0 })).toBe(true);
    expect(await storage.readText("/master/a/0/empty.jsonl")).toBe("");
  });

  it("publishes nothing of a body that has another length, or that fails", async () => {
    const wrong = storage.publish("/master/b/short", pieces("three"), { length: 6 });
    await expect(wrong).rejects.toThrow("the body has 5 bytes instead of 6");
    const large = "x".repeat(20 * 1024 * 1024);
    await expect(storage.publish("/master/b/large", pieces(large), { length: 1 })).rejects.toThrow("instead of 1");
    const broken = async function* () {
      yield bytes(large);
      throw new Error("Kafka is away");
    };
    await expect(storage.publish("/master/b/broken", broken(), { length: 1 })).rejects.toThrow("Kafka is away");
    expect(await storage.list("/master/b")).toEqual([]);
    expect(await unfinishedUploads()).toBe(0);
  });

  it("publishes large files in parts, whole and once", async () => {
    const part = "0123456789abcdef".repeat(1024 * 640);
    const length = 4 * part.length;
    expect(await storage.publish("/master/c/large", pieces(part, part, part, part), { length })).toBe(true);
    expect(await storage.readText("/master/c/large")).toBe(part.repeat(4));
  });

  it("stops a publication with its signal, at once and without a trace", async () => {
    const stop = new AbortController();
    const endless = async function* () {
      for (;;) {
        yield bytes("x".repeat(1024 * 1024));
        if (stop.signal.aborted) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const publishing = storage.publish("/master/d/x", endless(), { length: 1, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("stopped")), 300);
    await expect(publishing).rejects.toThrow("stopped");
    expect(await storage.list("/master/d")).toEqual([]);
    await expect.poll(unfinishedUploads, { timeout: 10_000 }).toBe(0);
  });

  it("removes what a killed writer left behind, in that folder alone", async () => {
    const before = await unfinishedUploads();
    for (const Key of ["master/e/0/x", "master/e2/0/x"]) {
      const upload = { Bucket: server.bucket, Key };
      const { UploadId } = await server.client.send(new CreateMultipartUploadCommand(upload));
      await server.client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: "half" }));
    }
    await storage.discardUnfinished("/master/e");
    expect(await unfinishedUploads()).toBe(before + 1);
    await storage.discardUnfinished("/master");
    expect(await unfinishedUploads()).toBe(0);
  });

  it("lists files and folders of one level, however many, sorted", async () => {
    const names = Array.from({ length: 50 }, (_, index) => String(index).padStart(5, "0"));
    for (const Key of [...names, "", "folder/x", "folder/y"].map((name) => `many/${name}`))
      await server.client.send(new PutObjectCommand({ Bucket: server.bucket, Key, Body: "x" }));
    expect(await storage.list("/many")).toEqual([...names, "folder"]);
    expect(await storage.list("/nothing")).toEqual([]);
  });

  it("deletes a file, or a folder with all in it, and nothing beside it", async () => {
    await storage.publish("/many-others", [bytes("x")], { length: 1 });
    await storage.delete("/many");
    expect(await storage.list("/many")).toEqual([]);
    expect(await storage.readText("/many-others")).toBe("x");
    await storage.delete("/many-others");
    await storage.delete("/many-others");
    await expect(storage.readText("/many-others")).rejects.toThrow(
      `S3 GetObject s3://${server.bucket}/many-others at ${server.endpoint}: 404 NoSuchKey`,
    );
  });

  it("gives addresses that anyone may read for a while, signed with the credentials of the file", async () => {
    const url = await storage.readUrl("/master/a/0/x.jsonl");
    expect(await (await fetch(url)).text()).toBe("one\ntwo\n");
    const { searchParams } = new URL(url);
    expect(searchParams.get("X-Amz-Credential")).toMatch(/^AKIATEST\/\d{8}\/eu-central-1\/s3\/aws4_request$/);
    expect(searchParams.get("X-Amz-Expires")).toBe("43200");
  });

  it("says what failed, where, and why", async () => {
    using other = open({ bucket: "no-such-bucket" });
    await expect(other.list("/x")).rejects.toThrow(
      `S3 ListObjectsV2 s3://no-such-bucket/x at ${server.endpoint}: 404 NoSuchBucket`,
    );
    using away = open({ endpoint: "http://127.29.0.2:1" });
    await expect(away.list("/x")).rejects.toThrow(/S3 ListObjectsV2 s3:\/\/master-dataset\/x at .*ECONNREFUSED/);
  });
});
