import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { EncodedRow } from "../../../jobs/batch/records.ts";
import type { Version } from "../../../jobs/batch/versions.ts";
import { BatchRows, type KeyQuestion, type KeysQuestion, keptRows } from "../../../jobs/serving/batch-rows.ts";
import { editsByPage } from "../../../jobs/wikipedia/edits-by-page.ts";

const version = (name: string): Version => ({ version: name, datasource: `edits_${name}`, horizon: {}, rows: 9 });
const question = (page: string, more: Partial<KeyQuestion> = {}): KeyQuestion => ({
  view: editsByPage,
  version: version("1"),
  key: ["#en", page],
  ...more,
});
const row = (page: string, bucket: number): EncodedRow => ({ bucket, key: ["#en", page], columns: [bucket] });

/** A store with two rows of every key but those called "none", whose calls end when they are told to. */
function store() {
  const calls: { readonly question: KeysQuestion; end(error?: Error): void }[] = [];
  const read = (question: KeysQuestion) => {
    const { promise, resolve, reject } = Promise.withResolvers<EncodedRow[]>();
    const rows = question.keys.flatMap(([, page = ""]) => (page === "none" ? [] : [row(page, 1), row(page, 2)]));
    calls.push({ question, end: (error) => (error === undefined ? resolve(rows.reverse()) : reject(error)) });
    return promise;
  };
  const pagesOf = (call: number) => calls[call]?.question.keys.map(([, page]) => page);
  return { calls, pagesOf, rows: new BatchRows(read, keptRows()) };
}

test("questions that come while others are read are read together, and each gets its own rows", async () => {
  const { calls, pagesOf, rows } = store();
  const first = rows.get(question("a"));
  await turn();
  const others = ["b", "none", "c", "b"].map((page) => rows.get(question(page)));
  await turn();
  expect(calls).toHaveLength(1);
  calls[0]?.end();
  expect(await first).toEqual([row("a", 2), row("a", 1)]);
  await turn();
  expect(calls).toHaveLength(2);
  expect(pagesOf(1)).toEqual(["b", "none", "c"]);
  calls[1]?.end();
  const [b, none, c, again] = await Promise.all(others);
  expect([b, none, c]).toEqual([[row("b", 2), row("b", 1)], [], [row("c", 2), row("c", 1)]]);
  expect(again).toBe(b);
});

test("other times and other versions are calls of their own, side by side", async () => {
  const { calls, rows } = store();
  const asked = [
    rows.get(question("a")),
    rows.get(question("a", { from: 3_600_000 })),
    rows.get(question("b", { from: 3_600_000 })),
    rows.get(question("a", { version: version("2") })),
  ];
  await turn();
  expect(calls.map(({ question }) => [question.version.version, question.from, question.keys.length])).toEqual([
    ["1", undefined, 1],
    ["1", 3_600_000, 2],
    ["2", undefined, 1],
  ]);
  for (const call of calls) call.end();
  await Promise.all(asked);
});

test("what was read is kept, also that there is nothing; a failure is not, and ends its own call's questions only", async () => {
  const { calls, rows } = store();
  const asked = Promise.allSettled([rows.get(question("a")), rows.get(question("none", { to: 5 }))]);
  await turn();
  calls[0]?.end(new Error("down"));
  calls[1]?.end();
  expect(await asked).toMatchObject([
    { status: "rejected", reason: { message: "down" } },
    { status: "fulfilled", value: [] },
  ]);
  expect(await rows.get(question("none", { to: 5 }))).toEqual([]);
  const again = rows.get(question("a"));
  await turn();
  expect(calls).toHaveLength(3);
  calls[2]?.end();
  await again;
  await rows.get(question("a"));
  expect(calls).toHaveLength(3);
});

test("what takes too much memory makes room", async () => {
  let calls = 0;
  const large = "x".repeat(4_000);
  const read = async ({ keys }: KeysQuestion) => {
    calls++;
    return keys.map((key) => ({ bucket: 0, key, columns: [large] }));
  };
  const rows = new BatchRows(read, keptRows(10_000));
  for (const page of ["a", "b", "a", "c", "a", "b"]) await rows.get(question(page));
  // There is room for two: c made b go.
  expect(calls).toBe(4);
});
