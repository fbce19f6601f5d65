import { expect, test } from "vitest";
import { outcomeLines, progressText, tooLargeText } from "../../../scripts/play/report.ts";

test("nothing is said of dead letters where there are none, and nothing is left open where that is not known", () => {
  expect(outcomeLines(undefined, "line")).toEqual([]);
  expect(outcomeLines({ letters: 0, first: [] }, "line")).toEqual([]);
  expect(outcomeLines({ letters: 0, first: [], unknown: "no answer" }, "line")).toEqual([
    "how many became dead letters is not known for all of them: no answer",
  ]);
});

test("dead letters are told by their number and the first ones by their lines, however long a reason is", () => {
  const first = [
    { place: 2, reason: "not JSON:\n  of many lines" },
    { place: 5, reason: "x".repeat(10_000) },
  ];
  expect(outcomeLines({ letters: 1_234, first }, "line")).toEqual([
    "1,234 of them became dead letters:",
    "  line 2: not JSON: of many lines",
    `  line 5: ${"x".repeat(200)}…`,
    "  and 1,232 more",
  ]);
});

test("what is played and what is too large is said in words", () => {
  expect(progressText({ events: 1_000, seconds: 2, tooLarge: 0 })).toBe("1,000 events in 2.0 s, 500 a second");
  expect(tooLargeText("line 3", 1_100_054, 1_000_000)).toBe(
    "line 3 is not played: it has 1,100,054 bytes, and an event has 1,000,000 at most",
  );
});
