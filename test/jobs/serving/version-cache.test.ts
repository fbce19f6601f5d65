import { expect, test } from "vitest";
import { count } from "../../../jobs/measures/index.ts";
import { RankedTotals } from "../../../jobs/serving/merge.ts";
import { VersionCache } from "../../../jobs/serving/version-cache.ts";

const totals = (keys: number) =>
  new RankedTotals(
    count(),
    Array.from({ length: keys }, (_, index) => ({ key: [`k${index}`], state: index })),
  );

test("what was asked for last is kept, as far as there is room for its keys", async () => {
  const cache = new VersionCache<RankedTotals>(10, ({ size }) => size);
  const loaded: string[] = [];
  const get = (name: string, keys: number) =>
    cache.get(name, async () => {
      loaded.push(name);
      return totals(keys);
    });
  const first = await get("a", 4);
  await get("b", 4);
  expect(await get("a", 4)).toBe(first);
  // There is no room for three: b, asked for the longest ago, has to go.
  await get("c", 4);
  await get("a", 4);
  await get("b", 4);
  expect(loaded).toEqual(["a", "b", "c", "b"]);
  await get("huge", 11);
  await get("b", 4);
  await get("huge", 11);
  expect(loaded).toEqual(["a", "b", "c", "b", "huge", "huge"]);
});

test("who asks at the same time waits for the same; a failure is forgotten", async () => {
  const cache = new VersionCache<RankedTotals>(10, ({ size }) => size);
  let loads = 0;
  const failing = async () => {
    loads++;
    throw new Error("down");
  };
  const results = await Promise.allSettled([cache.get("a", failing), cache.get("a", failing)]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(loads).toBe(1);
  expect((await cache.get("a", async () => totals(3))).size).toBe(3);
});
