import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
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

  it("says in one line what is wrong with a file that is not there, no file or not whole", async () => {
    await expect(fileSource(join(folder, "none")).next()).rejects.toThrow(/none is not there$/);
    await expect(fileSource(folder).next()).rejects.toThrow(/it is a folder; name a file of it$/);
    const cut = gzipSync(many.join("\n"));
    await expect(linesOf(cut.subarray(0, 1_000))).rejects.toThrow(/events is cut: its gzip data ends before its end$/);
    const damaged = Buffer.from(cut).fill(0, cut.length >> 1, (cut.length >> 1) + 64);
    await expect(linesOf(damaged)).rejects.toThrow(/events is damaged: its gzip data cannot be unpacked/);
  });

  it("leaves out a byte order mark, packed or not", async () => {
    const content = Buffer.from('\ufeff{"a":1}\n{"a":2}\n');
    expect(await linesOf(content)).toEqual(['{"a":1}', '{"a":2}']);
    expect(await linesOf(gzipSync(content))).toEqual(['{"a":1}', '{"a":2}']);
    expect(await linesOf(Buffer.from("\ufeff"))).toEqual([]);
  });

  it("knows the number of each line", async () => {
    writeFileSync(join(folder, "events"), '{"a":1}\r\n\n\n{"a":2}\n{"a":3}');
    const numbers: (number | undefined)[] = [];
    for await (const events of fileSource(join(folder, "events"))) numbers.push(...events.map(({ line }) => line));
    expect(numbers).toEqual([1, 4, 5]);
  });

  it("reads what can be read once only, such as a named pipe", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writing = writeFile(pipe, gzipSync(many.join("\n")));
    const lines: string[] = [];
    for await (const events of fileSource(pipe)) lines.push(...events.map(({ value }) => String(value)));
    await writing;
    expect(lines).toEqual(many);
  });

  const object = '{"time":"2026-01-01T00:00:00Z","n":1}';
  it.each([
    ["UTF-16", Buffer.from(`\ufeff${object}\n`, "utf16le"), /UTF-16 text/],
    ["UTF-16 without a mark", Buffer.from(`${object}\n`, "utf16le"), /zero bytes, so it is no text in UTF-8/],
    ["an array", Buffer.from(`[\n${object},\n${object}\n]\n`), /a JSON array; .*jq -c '\.\[\]'/],
    ["an array in one line", Buffer.from(`[${object},${object}]`), /a JSON array/],
    ["pretty JSON", Buffer.from(`${JSON.stringify(JSON.parse(object), undefined, 2)}\n`), /spread over several lines/],
    ["old Mac line ends", Buffer.from(`${object}\r${object}\r`), /end with CR alone/],
    ["a long file of old Mac line ends", Buffer.from(`${object}\r`.repeat(5_000)), /end with CR alone/],
    ["bzip2", Buffer.from("BZh91AY&SY"), /compressed by bzip2.*bzip2 -dc/],
    ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3, 4]), /compressed by zstd/],
    ["a table", Buffer.from("time,channel\n2026-01-01,a\n2026-01-02,b\n"), /line 1 is no JSON: "time,channel"/],
  ])("refuses %s, packed or not, before anything is played", async (_, content, problem) => {
    await expect(linesOf(content)).rejects.toThrow(problem);
    await expect(linesOf(gzipSync(content))).rejects.toThrow(problem);
  });

  it("does not take a bad line, a large one or a line of blanks for another kind of file", async () => {
    const large = JSON.stringify({ text: "x".repeat(300_000) });
    for (const first of ["not JSON", '{"cut":', large, `  ${object}`, "   "])
      expect(await linesOf(Buffer.from(`${first}\n${object}\n${object}\n`))).toEqual([first, object, object]);
  });
});
