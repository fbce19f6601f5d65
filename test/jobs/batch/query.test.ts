import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { BatchQueryError, readBatchRows, readBatchTotals, rowsScan, totalsSql } from "../../../jobs/batch/query.ts";
import { TooMuchError } from "../../../jobs/batch/too-much-error.ts";
import { type AnyMeasure, count, distinct, sum } from "../../../jobs/measures/index.ts";
import { view } from "../../../jobs/views/view.ts";

interface Sale {
  time: string;
  shop: string;
  article: string;
  buyer: string;
  price: number;
}

const sales = view<Sale>({
  name: "sales",
  time: (sale) => sale.time,
  granularity: "day",
  key: { shop: (sale) => sale.shop, article: (sale) => sale.article },
  measures: { sales: count(), buyers: distinct((sale) => sale.buyer), turnover: sum((sale) => sale.price) },
});
const version = {
  version: "20261123T170509042",
  datasource: "sales_0123abcd_20261123T170509042",
  horizon: {},
  rows: 3,
  lost: [],
};
const query = { broker: "http://127.0.0.1:1", view: sales, version };

describe("statements", () => {
  test("rows of keys and of a time are asked for in Druid's own language", () => {
    const equals = (column: string, matchValue: string) => ({
      type: "equals",
      column,
      matchValueType: "STRING",
      matchValue,
    });
    const keys = [
      ["x' OR 1=1 --", "a"],
      ["y", "b"],
    ];
    expect(rowsScan({ ...query, keys, from: 1000, to: 2000 })).toEqual({
      queryType: "scan",
      dataSource: "sales_0123abcd_20261123T170509042",
      intervals: ["1970-01-01T00:00:01.000Z/1970-01-01T00:00:02.000Z"],
      filter: {
        type: "or",
        fields: [
          { type: "and", fields: [equals("shop", "x' OR 1=1 --"), equals("article", "a")] },
          { type: "and", fields: [equals("shop", "y"), equals("article", "b")] },
        ],
      },
      columns: ["__time", "shop", "article", "sales", "buyers", "turnover"],
      resultFormat: "compactedList",
    });
  });

  test("times are bounded by those that a view can have", () => {
    const ever = ["0001-01-01T00:00:00.000Z/9999-12-31T23:59:59.999Z"];
    expect(rowsScan(query)).toMatchObject({ intervals: ever });
    expect(rowsScan({ ...query, from: -1e15, to: 1e15 })).toMatchObject({ intervals: ever });
    expect(rowsScan({ ...query, from: 2000, to: 1000 })).toMatchObject({
      intervals: ["1970-01-01T00:00:02.000Z/1970-01-01T00:00:02.000Z"],
    });
  });

  test("Druid adds up what it can", () => {
    expect(totalsSql({ ...query, measure: "turnover" }).query).toBe(
      'SELECT "shop", "article", SUM("turnover"), SUM(ABS(CAST("turnover" AS DOUBLE))) FROM "sales_0123abcd_20261123T170509042" GROUP BY "shop", "article"',
    );
    expect(totalsSql({ ...query, measure: "sales" }).query).toBe(
      'SELECT "shop", "article", SUM("sales") FROM "sales_0123abcd_20261123T170509042" GROUP BY "shop", "article"',
    );
    expect(totalsSql({ ...query, measure: "buyers", from: 5 })).toEqual({
      query:
        'SELECT "shop", "article", "buyers" FROM "sales_0123abcd_20261123T170509042" WHERE __time >= MILLIS_TO_TIMESTAMP(?)',
      parameters: [{ type: "BIGINT", value: 5 }],
    });
  });

  test("unknown measures are errors", () => {
    expect(() => totalsSql({ ...query, measure: "profit" })).toThrow("view sales has no measure profit");
  });
});

describe("answers", () => {
  let server: Server;
  afterEach(() => server?.close());

  /** A broker that always gives one answer, and names these servers of segments. */
  async function broker(status: number, body: string, context = "{}", candidates = '[{"interval":"a/b"}]') {
    server = createServer(({ url }, response) =>
      url?.includes("/candidates")
        ? response.end(candidates)
        : response.writeHead(status, { "x-druid-response-context": context }).end(body),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test("rows become states", async () => {
    const states = sales.zero();
    sales.add(states, { time: "1970-01-01T00:00:00Z", shop: "a", article: "b", buyer: "c", price: 7 });
    const answer = JSON.stringify([{ events: [[86_400_000, "a", "b", ...sales.encode(states)]] }]);
    const [row, ...others] = await readBatchRows({ ...query, broker: await broker(200, answer) });
    expect(others).toEqual([]);
    expect(row).toMatchObject({ bucket: 86_400_000, key: ["a", "b"] });
    expect(sales.extract(row?.states ?? [])).toEqual({ sales: 1, buyers: 1, turnover: 7 });
  });

  test("a measure that Druid cannot add up is merged by key", async () => {
    const measure = sales.measures.buyers as AnyMeasure<Pick<Sale, "buyer">>;
    const sketch = (buyer: string) => measure.encode(measure.add(measure.zero(), { buyer }))[0];
    const lines = [
      ["a", "x", sketch("one")],
      ["a", "x", sketch("two")],
      ["b", "x", sketch("one")],
    ];
    const body = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n\n`;
    const asked = { ...query, measure: "buyers", broker: await broker(200, body) };
    expect([...(await readBatchTotals(asked))].map(({ key, state }) => [key, measure.extract(state)])).toEqual([
      [["a", "x"], 2],
      [["b", "x"], 1],
    ]);
    await expect(readBatchTotals({ ...asked, mostKeys: 1 })).rejects.toThrow("sales has more than 1 keys");
  });

  test("of what Druid adds up no more keys are read than can be ranked, and one more is an error", async () => {
    const asked = { ...query, measure: "turnover", mostKeys: 2 };
    expect(totalsSql(asked).query).toMatch(/ LIMIT 3$/);
    const body = '["a","x",1]\n["b","x",2]\n';
    const two = await readBatchTotals({ ...asked, broker: await broker(200, `${body}\n`) });
    expect([...two]).toEqual([
      { key: ["a", "x"], state: 1 },
      { key: ["b", "x"], state: 2 },
    ]);
    const three = readBatchTotals({ ...asked, broker: await broker(200, `${body}["c","x",3]\n\n`) });
    await expect(three).rejects.toThrow(
      "sales has more than 2 keys in the time asked for, or too long ones, too many to rank them",
    );
  });

  test("sums past 2^53 are read with all their digits, of rows and of totals", async () => {
    const answer = '[{"events":[[86400000,"a","b",8201,"s",9017094859382775]]}]';
    const [row] = await readBatchRows({ ...query, broker: await broker(200, answer) });
    expect(sales.extract(row?.states ?? [])).toMatchObject({ turnover: "9017094859382775" });
    server.close();
    const body = '["a","x",9017094859382775,9.017094859382775E15]\n["b","x",-9223372036854775807,9.2E18]\n\n';
    const totals = await readBatchTotals({ ...query, measure: "turnover", broker: await broker(200, body) });
    const measure = sales.measures.turnover as AnyMeasure<unknown>;
    expect([...totals].map(({ state }) => measure.extract(state))).toEqual([
      "9017094859382775",
      "-9223372036854775807",
    ]);
  });

  test("a sum that may have turned a long integer around is an error, never a number", async () => {
    // What Druid's own sum of 2^62 and 2^62 is.
    const body = '["a","x",-9223372036854775808,9.223372036854775807E18]\n["b","x",7,1.8446744073709552E19]\n\n';
    const totals = await readBatchTotals({ ...query, measure: "turnover", broker: await broker(200, body) });
    const measure = sales.measures.turnover as AnyMeasure<unknown>;
    for (const { state } of totals) expect(() => measure.extract(state)).toThrow("past ±9223372036854775807");
  });

  test("no more rows and bytes are read than a question may have", async () => {
    const rows = [1, 2, 3].map((day) => [day * 86_400_000, "a", "b", 1, "s", 7]);
    const asked = { ...query, broker: await broker(200, JSON.stringify([{ events: rows }])) };
    expect(rowsScan({ ...asked, mostRows: 2 })).toMatchObject({ limit: 3 });
    expect(await readBatchRows({ ...asked, mostRows: 3 })).toHaveLength(3);
    const tooMany = readBatchRows({ ...asked, mostRows: 2 });
    await expect(tooMany).rejects.toBeInstanceOf(TooMuchError);
    await expect(tooMany).rejects.toThrow("more than 2 rows of the key");
    await expect(readBatchRows({ ...asked, mostBytes: 50 })).rejects.toBeInstanceOf(TooMuchError);
  });

  test("no rows are an answer", async () => {
    expect(await readBatchRows({ ...query, broker: await broker(200, "[]") })).toEqual([]);
  });

  test("no rows of a datasource that the broker has not heard of are none", async () => {
    const failing = readBatchRows({ ...query, broker: await broker(200, "[]", "{}", "[]") });
    await expect(failing).rejects.toThrow("serves no segment of sales_0123abcd_20261123T170509042");
  });

  test("a range without any time has no rows, and no server to ask for them", async () => {
    // The broker knows of no segment that has any of it, as of a datasource that it has not heard of.
    const none = { ...query, broker: await broker(200, "[]", "{}", "[]") };
    expect(await readBatchRows({ ...none, from: 5000, to: 5000 })).toEqual([]);
    expect(await readBatchRows({ ...none, from: 5000, to: 4000 })).toEqual([]);
  });

  test("a version without rows has no datasource to ask", async () => {
    const empty = { ...query, version: { ...version, rows: 0 } };
    expect(await readBatchRows(empty)).toEqual([]);
    expect(await readBatchTotals({ ...empty, measure: "sales" })).toEqual([]);
  });

  test.each([
    ["an error", 400, '{"error":"Object not found"}', "{}", "answers 400"],
    ["an answer that was cut off", 200, '[{"events":[[1,"a","b",1', "{}", "broke off"],
    ["an answer without every segment", 200, "[]", '{"uncoveredIntervals":["a/b"]}', "serves not every segment"],
  ])("%s is no answer", async (_, status, body, context, message) => {
    const failing = readBatchRows({ ...query, broker: await broker(status, body, context) });
    await expect(failing).rejects.toThrow(message);
    await expect(failing).rejects.toBeInstanceOf(BatchQueryError);
  });

  test("totals that were cut off are no answer", async () => {
    const failing = readBatchTotals({ ...query, measure: "sales", broker: await broker(200, '["a","b",1]\n') });
    await expect(failing).rejects.toThrow("broke off");
  });

  test("a broker that is not there does not answer", async () => {
    await expect(readBatchRows(query)).rejects.toBeInstanceOf(BatchQueryError);
  });
});
