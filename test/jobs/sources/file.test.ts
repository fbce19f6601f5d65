import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { fileSource } from "../../../jobs/sources/file.ts";

const folder = mkdtempSync(join(tmpdir(), "file-source-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function linesOf(content: Buffer): Promise<string[]> {
  const path = join(folder, "events");
  writeFileSync(path, content);
  const lines: string[] = [];
  for await (const events of fileSource(path)) lines.push(...events.map(({ value }) => String(value)));
  return lines;
}

const many = Array.from({ length: 50_000 }, (_, index) => `{"index":${index},"text":"${"ü".repeat(index % 30)}"}`);

describe("a file of JSON lines", () => {
  it("gives its lines as they are, without empty ones", async () => {
    const content = Buffer.from('{"a":1}\r\n\n{"b":"ü"}\n  not JSON \n{"last":true}');
    const lines = ['{"a":1}', '{"b":"ü"}', "  not JSON ", '{"last":true}'];
    expect(await linesOf(content)).toEqual(lines);
    expect(await linesOf(gzipSync(content))).toEqual(lines);
    expect(await linesOf(Buffer.alloc(0))).toEqual([]);
  });

  it("reads lines across the pieces of a large file, plain or of several gzip members", async () => {
    const [first, second] = [many.slice(0, 30_000), many.slice(30_000)].map((part) =>
      Buffer.from(`${part.join("\n")}\n`),
    );
    expect(await linesOf(Buffer.concat([first as Buffer, second as Buffer]))).toEqual(many);
    expect(await linesOf(Buffer.concat([gzipSync(first as Buffer), gzipSync(second as Buffer)]))).toEqual(many);
  });

  it("fails on a file that is not there or not whole", async () => {
    await expect(fileSource(join(folder, "none")).next()).rejects.toThrow("ENOENT");
    await expect(linesOf(gzipSync(many.join("\n")).subarray(0, 1_000))).rejects.toThrow("unexpected end of file");
  });
});
