import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { EncodedRow } from "../../../jobs/batch/records.ts";
import type { Version } from "../../../jobs/batch/versions.ts";
import { count } from "../../../jobs/measures/index.ts";
import { BatchSteps, KeptSteps, type RowsQuestion } from "../../../jobs/serving/batch-steps.ts";
import { answerOf, type KeySteps } from "../../../jobs/serving/merge.ts";
import { earliestTime } from "../../../jobs/views/time.ts";
import { view } from "../../../jobs/views/view.ts";

const visits = view<{ time: number; page: string }>({
  name: "visits",
  time: (visit) => visit.time,
  granularity: "hour",
  key: { site: () => "s", page: (visit) => visit.page },
  measures: { visits: count() },
});
const version = (name: string): Version => ({
  version: name,
  datasource: `visits_${name}`,
  horizon: {},
  rows: 9,
  lost: [],
});
const hour = 3_600_000;
const rowsOf = (page: string): EncodedRow[] =>
  page === "none"
    ? []
    : [0, 1].map((step) => ({ bucket: step * hour, key: ["s", page], columns: [page.charCodeAt(0)] }));

/** A store with two rows of every page but "none", whose calls end when they are told to. */
function store() {
  const calls: { readonly question: RowsQuestion; end(error?: Error): void }[] = [];
  const read = (question: RowsQuestion) => {
    const { promise, resolve, reject } = Promise.withResolvers<EncodedRow[]>();
    const rows = question.keys.flatMap(([, page = ""]) => rowsOf(page)).reverse();
    calls.push({ question, end: (error) => (error === undefined ? resolve(rows) : reject(error)) });
    return promise;
  };
  const steps = new BatchSteps(visits, read, new KeptSteps());
  /** How many visits the answer counts, with the number of its rows. */
  const get = async (page: string, more: { from?: number; to?: number; version?: string; all?: boolean } = {}) => {
    const { from, to, all } = more;
    const selection = { key: ["s", page], from, to, granularity: all === true ? "all" : "hour" } as const;
    const { rows, total } = answerOf(visits, await steps.get(version(more.version ?? "1"), selection));
    return [total.visits, rows.length];
  };
  return { calls, pagesOf: (call: number) => calls[call]?.question.keys.map(([, page]) => page), get };
}

test("questions that come while others are read are read together, and each gets its own rows", async () => {
  const { calls, pagesOf, get } = store();
  const first = get("a");
  await turn();
  const others = ["b", "none", "c", "b"].map((page) => get(page));
  await turn();
  expect(calls).toHaveLength(1);
  calls[0]?.end();
  expect(await first).toEqual([2 * 97, 2]);
  await turn();
  expect(calls).toHaveLength(2);
  expect(pagesOf(1)).toEqual(["b", "none", "c"]);
  calls[1]?.end();
  expect(await Promise.all(others)).toEqual([
    [2 * 98, 2],
    [0, 0],
    [2 * 99, 2],
    [2 * 98, 2],
  ]);
});

test("other times and other versions are calls of their own, two at once", async () => {
  const { calls, get } = store();
  const asked = [get("a"), get("c", { from: hour }), get("b", { from: hour }), get("a", { version: "2" })];
  await turn();
  expect(calls).toHaveLength(2);
  calls[0]?.end();
  await turn();
  expect(calls.map(({ question }) => [question.version.version, question.from, question.keys.length])).toEqual([
    ["1", earliestTime, 1],
    ["1", hour, 2],
    ["2", earliestTime, 1],
  ]);
  for (const call of calls) call.end();
  await Promise.all(asked);
});

test("keys of many rows are read in calls of their own, and each is answered when it was read", async () => {
  const calls: { readonly keys: number; end(): void }[] = [];
  const read = ({ keys }: RowsQuestion) => {
    const { promise, resolve } = Promise.withResolvers<EncodedRow[]>();
    const rows = keys.flatMap((key) => Array.from({ length: 50_000 }, (_, bucket) => ({ bucket, key, columns: [1] })));
    calls.push({ keys: keys.length, end: () => resolve(rows) });
    return promise;
  };
  const steps = new BatchSteps(visits, read, new KeptSteps());
  const get = (page: string) => steps.get(version("1"), { key: ["s", page], granularity: "all" });
  const first = get("a");
  await turn();
  calls[0]?.end();
  await first;
  const others = ["b", "c", "d"].map(get);
  await turn();
  expect(calls.map(({ keys }) => keys)).toEqual([1, 1, 1]);
  calls[1]?.end();
  expect(answerOf(visits, (await others[0]) as KeySteps).total).toEqual({ visits: 50_000 });
  await turn();
  expect(calls.map(({ keys }) => keys)).toEqual([1, 1, 1, 1]);
  for (const call of calls) call.end();
  await Promise.all(others);
});

test("what was read is kept, also that there is nothing, and by the steps that were asked for", async () => {
  const { calls, get } = store();
  for (const [page, more, calledBefore] of [
    ["a", {}, 0],
    ["none", { to: hour }, 1],
    ["a", { all: true }, 2],
  ] as const) {
    const asked = get(page, more);
    await turn();
    expect(calls).toHaveLength(calledBefore + 1);
    calls[calledBefore]?.end();
    await asked;
  }
  expect(await get("a")).toEqual([2 * 97, 2]);
  expect(await get("a", { all: true })).toEqual([2 * 97, 1]);
  expect(await get("none", { to: hour })).toEqual([0, 0]);
  expect(calls).toHaveLength(3);
});

test("a failure is not kept, and is that of its own call's questions only", async () => {
  const { calls, get } = store();
  const asked = Promise.allSettled([get("a"), get("b", { to: hour })]);
  await turn();
  calls[0]?.end(new Error("down"));
  calls[1]?.end();
  expect(await asked).toMatchObject([{ status: "rejected", reason: { message: "down" } }, { status: "fulfilled" }]);
  const again = get("a");
  await turn();
  calls[2]?.end();
  expect(await again).toEqual([2 * 97, 2]);
});

test("what takes too much memory makes room", async () => {
  let calls = 0;
  const read = async ({ keys }: RowsQuestion) => {
    calls++;
    return keys.flatMap(([, page = ""]) => rowsOf(page));
  };
  const steps = new BatchSteps(visits, read, new KeptSteps(4_000));
  for (const page of ["a", "b", "a", "c", "a", "b"])
    await steps.get(version("1"), { key: ["s", page], granularity: "hour" });
  // There is room for two: c made b go.
  expect(calls).toBe(4);
});
