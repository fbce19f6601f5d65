import { describe, expect, it } from "vitest";
import { generate, generatorSource } from "../../../jobs/sources/generator.ts";
import application from "../../../jobs/wikipedia/index.ts";

const edits = Array.from({ length: 20_000 }, (_, index) => generate(42, index));

describe("the generator", () => {
  it("makes edits that fit the application, and its views", () => {
    for (const edit of edits) {
      expect(application.event.safeParse(edit).error).toBeUndefined();
      for (const view of application.views) expect(view.problem(edit)).toBeUndefined();
    }
  });

  it("makes the same edit for the same seed and index, in whatever order, and others else", () => {
    expect(generate(42, 777)).toEqual(edits[777]);
    expect(generate(43, 777)).not.toEqual(edits[777]);
    expect(new Set(edits.map((edit) => JSON.stringify(edit))).size).toBe(edits.length);
  });

  it("never changes: what was played must be replayable", () => {
    expect(generate(1, 0)).toMatchObject({
      time: "2025-12-31T23:59:58.241Z",
      channel: "#ru.wikipedia",
      page: "User:Page 6166",
      user: "User ru 0",
      added: 33,
      deleted: 0,
    });
  });

  it("favours few wikis, pages and users", () => {
    const share = (of: (edit: (typeof edits)[number]) => string) => {
      const counts = Object.values(Object.groupBy(edits, of)).map((group) => (group as unknown[]).length);
      const sorted = counts.sort((a, b) => b - a);
      return { different: sorted.length, first: (sorted[0] as number) / edits.length };
    };
    expect(share(({ channel }) => channel)).toEqual({ different: 36, first: expect.closeTo(0.19, 1) });
    const pages = share(({ channel, page }) => channel + page);
    expect(pages.different).toBeGreaterThan(8_000);
    expect(pages.first).toBeGreaterThan(0.005);
  });

  it("is mostly on time, with some edits an hour and a few up to five days late", () => {
    const late = edits.map(({ time }, index) => Date.UTC(2026, 0, 1) + index * 250 - Date.parse(time));
    const share = (from: number) => late.filter((milliseconds) => milliseconds > from).length / late.length;
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(5 * 86_400_000);
    expect(share(60_000)).toBeCloseTo(0.021, 2);
    expect(share(3_600_000)).toBeGreaterThan(0.0003);
  });

  it("is a source of as many edits as wanted", () => {
    const values = [...generatorSource(42, 2_500)].flat().map(({ value }) => JSON.parse(String(value)));
    expect(values).toEqual(edits.slice(0, 2_500));
    expect([...generatorSource(42, 0)]).toEqual([]);
  });
});
