import { expect, test } from "vitest";
import {
  defaultRules,
  leavingHistoricals,
  membershipProblems,
  segmentsToMove,
} from "../../../components/druid/membership-plan.ts";

test("a segment is on two historicals where there are as many", () => {
  expect(defaultRules(1)).toEqual([{ type: "loadForever", tieredReplicants: { _default_tier: 1 } }]);
  expect(defaultRules(5)).toEqual([{ type: "loadForever", tieredReplicants: { _default_tier: 2 } }]);
});

test("those that are not wanted leave, one that comes back does no more, and what others have put there stays", () => {
  const found = { seen: ["a", "b", "c"], leaving: ["b", "elsewhere"], defaultRules: [] };
  expect(leavingHistoricals(["a", "b"], found)).toEqual(["c", "elsewhere"]);
});

test("what is not as it shall be is said in words", () => {
  expect(membershipProblems(["a", "b"], { seen: ["b", "a"], leaving: ["c"], defaultRules: defaultRules(2) })).toEqual(
    [],
  );
  expect(membershipProblems(["a", "b"], { seen: ["b", "c"], leaving: ["b"], defaultRules: defaultRules(1) })).toEqual([
    "historical a is not in touch with the coordinator",
    "historical c is in the cluster, but not wanted",
    "historical b gets no segments: it is among the decommissioning nodes",
    "the default rule does not ask for 2 copies of a segment",
  ]);
});

test("who is to go holds nothing in the end, and every segment is on as many of the others as it shall", () => {
  const held = (segments: Record<string, string[]>) =>
    new Map(
      Object.entries(segments).map(([host, ids]) => [
        host,
        new Map(ids.map((id): [string, string] => [id, id.replace(/\d+$/, "")])),
      ]),
    );
  const left = (wanted: string[], segments: Record<string, string[]>, ruled: string[] = []) =>
    segmentsToMove(wanted, held(segments), new Set(ruled));
  expect(left(["a"], { a: ["events1"], b: [] })).toEqual([]);
  expect(left(["a"], { a: ["events1"], b: ["events1", "events2"] })).toEqual([
    "1 segments are to be on 1 historicals",
    "historical b still holds 2 segments",
  ]);
  expect(left(["a", "b"], { a: ["events1"], b: ["events2"] })).toEqual(["2 segments are to be on 2 historicals"]);
  expect(left(["a", "b", "c"], { a: ["events1", "events2"], b: ["events2", "events1"], c: ["events1"] })).toEqual([]);
  expect(left(["a", "b"], { a: ["events1"], b: [] }, ["events"])).toEqual([]);
  expect(left(["a"], { a: [], b: ["events1"] }, ["events"])).toEqual(["historical b still holds 1 segments"]);
});
