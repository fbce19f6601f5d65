import { types } from "cassandra-driver";
import { expect, test } from "vitest";
import { readKeyRows } from "../../jobs/serving/speed-store.ts";
import { insertRow } from "../../jobs/speed/store.ts";
import { createSpeedTable } from "../../jobs/speed/tables.ts";
import { MemoryCassandra } from "./memory-cassandra.ts";

const table = "speed_v_0123abcd";

function cassandra() {
  const made = new MemoryCassandra("k", () => 0);
  made.execute(createSpeedTable("v", "0123abcd"));
  const read = () =>
    made
      .execute(readKeyRows(table), [0, 1, [0, 1], "k", types.Long.fromNumber(-5), types.Long.fromNumber(500)])
      .rows.map(({ bucket, partition, chunk, state, previous, written }) => [
        ...[Number(bucket), partition, chunk, state, previous, Number(written)],
      ]);
  const write = (state: string, previous: unknown, timestamp: number, partition = 0) =>
    made.execute(insertRow(table), [0, 1, partition, "k", 60, 2, state, previous, timestamp]);
  return { made, read, write };
}

test("of two writes the later timestamp wins, cell by cell", () => {
  const { read, write } = cassandra();
  write("a", "1", 5);
  write("b", types.unset, 7);
  write("c", "2", 6);
  expect(read()).toEqual([[60, 0, 2, "b", "2", 7]]);
});

test("a deletion hides what is at or below its timestamp, also what comes later, in its partition alone", () => {
  const { made, read, write } = cassandra();
  write("a", "1", 5);
  write("a", "1", 5, 1);
  made.execute(`DELETE FROM ${table} USING TIMESTAMP ? WHERE shard = ? AND era = ? AND partition = ?`, [7, 0, 1, 0]);
  write("b", "1", 7);
  expect(read()).toEqual([[60, 1, 2, "a", "1", 5]]);
  write("c", "1", 8);
  expect(read()).toEqual([
    [60, 0, 2, "c", "1", 8],
    [60, 1, 2, "a", "1", 5],
  ]);
});
