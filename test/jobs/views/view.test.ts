import { describe, expect, it } from "vitest";
import { count, distinct, mean, sum } from "../../../jobs/measures/index.ts";
import type { ViewArgs } from "../../../jobs/views/view.ts";
import { view } from "../../../jobs/views/view.ts";

interface Sale {
  readonly at: string | number | Date;
  readonly shop: string;
  readonly item: string;
  readonly price: number;
}

const args: ViewArgs<Sale> = {
  name: "sales-by-shop",
  time: (sale) => sale.at,
  granularity: "hour",
  key: { shop: (sale) => sale.shop, item: (sale) => sale.item },
  measures: {
    sales: count(),
    price: mean((sale) => sale.price, { scale: 2 }),
    total: sum((sale) => sale.price, { scale: 2 }),
    items: distinct((sale) => sale.item),
  },
};
const sales = view(args);
const sale: Sale = { at: "2026-03-01T10:59:59.999Z", shop: "north", item: "tea", price: 2.5 };

describe("a view", () => {
  it("places an event by its key and time step", () => {
    expect(sales.place(sale)).toEqual({ key: ["north", "tea"], bucket: Date.UTC(2026, 2, 1, 10) });
    expect(sales.key(sale)).toEqual(["north", "tea"]);
    expect(sales.bucket(sale)).toBe(Date.UTC(2026, 2, 1, 10));
    expect(sales.problem(sale)).toBeUndefined();
  });

  it.each([
    ["2026-03-01T11:30:00+01:00", 10],
    ["2026-03-01T10:00Z", 10],
    ["2026-03-01", 0],
    [Date.UTC(2026, 2, 1, 10, 59), 10],
    [Date.UTC(2026, 2, 1, 10) + 0.5, 10],
    [new Date(Date.UTC(2026, 2, 1, 23)), 23],
  ])("understands %s", (at, hour) => {
    expect(sales.bucket({ ...sale, at })).toBe(Date.UTC(2026, 2, 1, hour));
  });

  it("cuts time before 1970 downwards too", () => {
    expect(sales.bucket({ ...sale, at: "1969-12-31T23:59:59Z" })).toBe(-3_600_000);
  });

  it.each([
    "2026-03-01T10:00:00",
    "2026-02-30T10:00:00Z ",
    "March 1, 2026 10:00 UTC",
    "0000-12-31T23:59:59Z",
    "+010000-01-01T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2016-12-31T23:59:60Z",
    "",
    Number.NaN,
    8.64e15,
    undefined as never,
  ])("takes no time that machines may understand differently: %s", (at) => {
    const shown = typeof at === "string" ? JSON.stringify(at) : String(at);
    expect(sales.problem({ ...sale, at })).toBe(
      `time ${shown} is no ISO 8601 with a time zone in the years 1 to 9999 (an existing day, at most 64 characters)`,
    );
  });

  it("says which key field or measure an event has a problem with", () => {
    expect(sales.problem({ ...sale, shop: null as never })).toBe("key field shop is no text: null");
    expect(sales.problem({ ...sale, shop: "\ud800" })).toBe("key field shop is no well-formed Unicode");
    expect(sales.problem({ ...sale, price: 1e20 })).toBe(
      "measure price: 100000000000000000000 is no number within ±10995116277.76",
    );
    expect(sales.problem(null as never)).toMatch(/Cannot read properties of null/);
  });

  it("encodes its states as one flat row, and back", () => {
    expect(sales.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      "sales long",
      "price_total long",
      "price_count long",
      "total long",
      "items string",
    ]);
    const states = sales.zero();
    sales.add(states, sale);
    sales.add(states, { ...sale, price: 3.5 });
    const row = sales.encode(states);
    expect(row.slice(0, 4)).toEqual([2, 600, 2, 600]);
    expect(sales.extract(sales.decode(row))).toEqual({ sales: 2, price: 3, total: 6, items: 1 });
    const other = sales.zero();
    sales.merge(other, states);
    sales.merge(other, sales.decode(row));
    expect(sales.extract(other)).toEqual({ sales: 4, price: 3, total: 12, items: 1 });
  });

  it.each([
    [{ name: "Sales" }, "name must be lower-case words joined by -"],
    [{ granularity: "week" as never }, "granularity must be one of minute, hour, day"],
    [{ key: {} }, "key needs at least one field"],
    [{ measures: {} }, "measures needs at least one measure"],
    [{ key: { "a-b": () => "" } }, "a-b must be letters and digits"],
    [{ key: { time: () => "" } }, "time is a reserved name"],
    [{ measures: { from: count() } }, "from is a reserved name"],
    [{ measures: { shop: count() } }, "a key field and a measure have the same name"],
  ])("refuses %o", (change: Partial<ViewArgs<Sale>>, problem) => {
    expect(() => view({ ...args, ...change })).toThrow(problem);
  });

  it("names everything that is wrong at once", () => {
    expect(() => view({ ...args, name: "A", key: {}, measures: {} })).toThrow(
      'view "A": name must be lower-case words joined by -; key needs at least one field; measures needs at least one measure',
    );
  });
});
