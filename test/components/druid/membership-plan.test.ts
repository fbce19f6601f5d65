import { expect, test } from "vitest";
import {
  copiesToLoad,
  defaultRules,
  leavingHistoricals,
  membershipProblems,
  segmentsToMove,
} from "../../../components/druid/membership-plan.ts";

const seen = (...hosts: string[]) => hosts.map((host) => ({ host, currSize: 1000 }));

test("a segment is on two historicals where there are as many", () => {
  expect(defaultRules(1)).toEqual([{ type: "loadForever", tieredReplicants: { _default_tier: 1 } }]);
  expect(defaultRules(5)).toEqual([{ type: "loadForever", tieredReplicants: { _default_tier: 2 } }]);
});

test("those that are not wanted leave, one that comes back does no more, and what others have put there stays", () => {
  const found = { seen: seen("a", "b", "c"), leaving: ["b", "elsewhere"], defaultRules: [] };
  expect(leavingHistoricals(["a", "b"], found)).toEqual(["c", "elsewhere"]);
});

test("what is not as it shall be is said in words", () => {
  expect(
    membershipProblems(["a", "b"], { seen: seen("b", "a"), leaving: ["c"], defaultRules: defaultRules(2) }),
  ).toEqual([]);
  expect(
    membershipProblems(["a", "b"], { seen: seen("b", "c"), leaving: ["b"], defaultRules: defaultRules(1) }),
  ).toEqual([
    "historical a is not in touch with the coordinator",
    "historical c is in the cluster, but not wanted",
    "historical b gets no segments: it is among the decommissioning nodes",
    "the default rule does not ask for 2 copies of a segment",
  ]);
});

test("only historicals that hold nothing can go", () => {
  const found = { seen: [...seen("a", "b"), { host: "c", currSize: 0 }], leaving: [], defaultRules: [] };
  expect(segmentsToMove(["a"], found)).toEqual(["historical b still holds 1000 bytes of segments"]);
});

test("copies to load are counted over all tiers and datasources", () => {
  expect(copiesToLoad({})).toBe(0);
  expect(copiesToLoad({ _default_tier: { events: 2, others: 3 }, cold: { events: 1 } })).toBe(6);
});
