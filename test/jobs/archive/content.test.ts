import fc from "fast-check";
import { expect, test } from "vitest";
import { ContentCount, contentOf, together } from "../../../jobs/archive/content.ts";
import { contentCounters, countedContent } from "../../../jobs/batch/content-counters.ts";

const file = fc.array(fc.string().map((text) => text.replaceAll(/[\n\r]/g, " ")));

async function* pieces(text: string, size: number) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test("what tasks count of lines in any order is the sum over the files, exactly, as Hadoop adds counters up", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(file),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 5 }),
      async (files, size, tasks) => {
        const contents = await Promise.all(
          files.map((lines) => contentOf(pieces(lines.map((line) => `${line}\n`).join(""), size))),
        );
        const counts = Array.from({ length: tasks }, () => new ContentCount());
        files.flat().forEach((line, index) => void counts[(index * 7) % tasks]?.add(Buffer.from(line)));
        const sums = new Map<string, number>();
        for (const count of counts)
          for (const [name, value] of Object.entries(contentCounters(count)))
            sums.set(name, (sums.get(name) ?? 0) + value);
        expect(countedContent((name) => sums.get(name) ?? 0)).toEqual(together(contents));
      },
    ),
  );
});

test("digests are sums modulo 2^48, told exactly", () => {
  const large = { events: 1, bytes: 1, digest: 2 ** 48 - 1 };
  expect(together([large, large]).digest).toBe(2 ** 48 - 2);
  const tasks = Array.from({ length: 100 }, () => contentCounters(large));
  const sum = (name: string) => tasks.reduce((total, counters) => total + (counters[name] ?? 0), 0);
  expect(countedContent(sum).digest).toBe(2 ** 48 - 100);
});

test("a line that is changed, lost or put twice is another content", async () => {
  const of = (...lines: string[]) => contentOf(pieces(lines.map((line) => `${line}\n`).join(""), 100));
  const before = await of("one", "two");
  for (const other of [await of("one", "twp"), await of("one"), await of("one", "two", "two")])
    expect(other).not.toEqual(before);
  expect(await of("two", "one")).toEqual(before);
});
