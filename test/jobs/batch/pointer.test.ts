import { expect, test } from "vitest";
import { decodePointer, encodePointer, nextPointer, versionsOf } from "../../../jobs/batch/pointer.ts";
import type { Version } from "../../../jobs/batch/versions.ts";

const version = (number: number): Version => ({
  version: `2026112${number}T000000000`,
  datasource: `edits_0123abcd_2026112${number}T000000000`,
  horizon: { 0: number * 100, 1: number * 200 },
  epochs: { 0: number },
  rows: number,
  lost: [{ partition: 0, from: 0, to: 50 }],
});

test("a pointer is read as it was written", () => {
  const pointer = { ...version(2), retained: [version(1)] };
  const [name, datasource, horizon, row_count, retained, lost, format, epochs] = encodePointer(pointer);
  expect(horizon).toBe('{"0":200,"1":400}');
  const row = { version: name, datasource, horizon, row_count, retained, lost, format, epochs };
  expect(decodePointer(row)).toEqual(pointer);
  expect(format).toBe(2);
});

test("a row of former times, which says nothing of what is lost, lacks nothing", () => {
  const [name, datasource, horizon, row_count] = encodePointer({ ...version(2), retained: [] });
  const { lost: _, epochs: __, ...before } = version(1);
  const row = {
    version: name,
    datasource,
    horizon,
    row_count,
    retained: JSON.stringify([before]),
    lost: null,
    format: null,
  };
  expect(decodePointer(row)).toEqual({ ...version(2), lost: [], epochs: {}, retained: [{ ...before, lost: [] }] });
});

test("a row that newer code wrote is refused by name, whatever is in it", () => {
  const row = { version: "v", datasource: null, horizon: "?", row_count: null, retained: null, lost: null, format: 3 };
  expect(() => decodePointer(row)).toThrow(
    "a row of the table batch_pointer has format 3; this code knows formats up to 2. It was written by newer code",
  );
  expect(() => decodePointer({ ...row, version: null })).toThrow("format 3");
});

test("a row that was only claimed is no pointer", () => {
  expect(
    decodePointer({
      version: null,
      datasource: null,
      horizon: null,
      row_count: null,
      retained: null,
      lost: null,
      format: null,
    }),
  ).toBeUndefined();
});

test("a row that says nothing of its horizon is an error, not a pointer to nothing", () => {
  expect(() =>
    decodePointer({
      version: "v",
      datasource: "d",
      horizon: null,
      row_count: 1,
      retained: "[]",
      lost: null,
      format: 2,
    }),
  ).toThrow("horizon");
});

test("the two versions before the current one are retained", () => {
  const pointers = [1, 2, 3, 4].reduce<ReturnType<typeof nextPointer> | undefined>(
    (pointer, number) => nextPointer(version(number), pointer),
    undefined,
  );
  expect(pointers).toEqual({ ...version(4), retained: [version(3), version(2)] });
  expect(versionsOf(pointers)).toEqual([version(4), version(3), version(2)]);
  expect(versionsOf(undefined)).toEqual([]);
});
