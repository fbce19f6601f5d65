import { expect, test } from "vitest";
import { format, table } from "../../components/table.ts";

test("columns are as wide as their widest cell, numbers stand to the right", () => {
  expect(
    table(
      ["server", "address", "MiB"],
      [
        ["lambda-kafka-broker-0", "127.1.2.3:9092", 1234],
        ["all", "", 5],
      ],
    ),
  ).toEqual([
    "server                 address           MiB",
    "lambda-kafka-broker-0  127.1.2.3:9092  1,234",
    "all                                        5",
  ]);
});

test("a number that is not known stands to the right with the others", () => {
  expect(
    table(
      ["server", "MiB"],
      [
        ["a", "?"],
        ["b", 12],
      ],
    ),
  ).toEqual(["server  MiB", "a         ?", "b        12"]);
});

test("without rows there is the header", () => {
  expect(table(["server", "MiB"], [])).toEqual(["server  MiB"]);
});

test("thousands are separated by commas, wherever the person is", () => {
  expect([0, 999, 39_244, 1_234_567].map(format)).toEqual(["0", "999", "39,244", "1,234,567"]);
});
