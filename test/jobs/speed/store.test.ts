import { errors, types } from "cassandra-driver";
import { expect, test } from "vitest";
import { UnknownFormatError } from "../../../jobs/formats.ts";
import { count } from "../../../jobs/measures/index.ts";
import { shardOf } from "../../../jobs/speed/shard.ts";
import { batchesOf, CassandraSpeedStore, isTransient } from "../../../jobs/speed/store.ts";
import { keyText } from "../../../jobs/views/aggregate.ts";
import { view } from "../../../jobs/views/view.ts";

test("rows are written in batches of one shard, bounded in rows and in characters", () => {
  const short = Array.from({ length: 1_000 }, (_, index) => ({
    key: keyText([`n${index}`]),
    bucket: 60_000,
    state: `[${index}]`,
    previous: undefined,
  }));
  const long = Array.from({ length: 10 }, (_, index) => ({
    key: keyText(["x".repeat(30_000)]),
    bucket: index,
    state: "[2]",
    previous: { end: 7, state: "[1]" },
  }));
  const batches = batchesOf([...short, ...long], 4);
  for (const batch of batches) {
    expect(batch.length).toBeLessThanOrEqual(200);
    expect(new Set(batch.map(({ shard }) => shard)).size).toBe(1);
    expect(batch.reduce((sum, { key, state }) => sum + key.length + state.length, 0)).toBeLessThanOrEqual(64 * 1024);
  }
  expect(batchesOf(short.slice(0, 200), 4)).toHaveLength(1);
  expect(batchesOf(long.slice(0, 1), 4)).toHaveLength(1);
  const few = [...short.slice(0, 100), ...long.slice(0, 1)];
  expect(batchesOf(few, 4)).toHaveLength(new Set(few.map(({ key }) => shardOf(key, 4))).size);
  const rows = batches.flat();
  expect(rows.length).toBe(1_010);
  expect(rows).toContainEqual({ ...short[7], shard: shardOf('["n7"]', 4) });
});

test("what Cassandra refused stays refused; all else may pass", () => {
  const { invalid, writeTimeout, unavailableException, overloaded } = types.responseErrorCodes;
  expect(isTransient(new errors.ResponseError(invalid, "no such table"))).toBe(false);
  expect(isTransient(new TypeError("no generation"))).toBe(false);
  expect(isTransient(new UnknownFormatError("newer"))).toBe(false);
  for (const code of [writeTimeout, unavailableException, overloaded])
    expect(isTransient(new errors.ResponseError(code, "later"))).toBe(true);
  expect(isTransient(new errors.NoHostAvailableError({}))).toBe(true);
  expect(isTransient(new errors.OperationTimedOutError("late"))).toBe(true);
});

test("a write that Cassandra does not take is given up before Storm gives up its tuple, with the reason", async () => {
  const failures: Error[] = [];
  const store = new CassandraSpeedStore({
    configuration: {
      ...{ topic: "events", incarnation: 1, generations: { "by-name": "00000000" } },
      cassandra: { contactPoints: ["127.0.0.1:1"], localDataCenter: "datacenter1", keyspace: "lambda" },
      speed: { shards: 4, chunksPerEra: 4 },
    },
    onRetry: (error) => failures.push(error),
    patience: 0.2,
  });
  const byName = view({
    ...{
      name: "by-name",
      time: () => 0,
      granularity: "minute",
      key: { name: () => "" },
      measures: { events: count() },
    },
  });
  const stretch = { partition: 0, chunk: 0, end: 5, leaderEpoch: 0 };
  await expect(store.writeProgress(byName, stretch)).rejects.toThrow("All host(s) tried for query failed");
  expect(failures.length).toBeGreaterThan(0);
  await store.close();
});
