import { expect, test } from "vitest";
import {
  blocksToCopy,
  excludedDataNodes,
  liveDataNodes,
  membershipProblems,
} from "../../../components/hdfs/membership-plan.ts";

const inService = (address: string) => ({ address, state: "In Service" });

test("the NameNode's list is read: JSON in JSON", () => {
  const nodes = { "127.9.0.2:9866": { adminState: "In Service" }, "127.9.0.3:9866": { adminState: "Decommissioned" } };
  expect(liveDataNodes({ beans: [{ LiveNodes: JSON.stringify(nodes) }] })).toEqual([
    inService("127.9.0.2"),
    { address: "127.9.0.3", state: "Decommissioned" },
  ]);
  expect(liveDataNodes({ beans: [] })).toEqual([]);
});

test("blocks to copy are read from the check's report; those without any copy are not waited for", () => {
  const report = (blocks: number) =>
    `Status: HEALTHY\n Missing blocks:\t\t2\n Under-replicated blocks:\t${blocks} (60.0 %)\n Blocks queued for replication:\t0\n`;
  expect(blocksToCopy(report(3))).toBe(3);
  expect(blocksToCopy(report(0))).toBe(0);
  expect(() => blocksToCopy("FSCK ended\nAccess denied for user someone\n")).toThrow("Access denied for user someone");
});

test("excluded is whatever is known and not wanted, also what left before; who comes back is so no more", () => {
  const live = [inService("127.9.0.3"), inService("127.9.0.2")];
  expect(excludedDataNodes(["127.9.0.2"], live, "127.9.0.4\n")).toBe("127.9.0.3\n127.9.0.4\n");
  expect(excludedDataNodes(["127.9.0.2", "127.9.0.4"], live, "127.9.0.3\n127.9.0.4\n")).toBe("127.9.0.3\n");
  expect(excludedDataNodes(["127.9.0.2", "127.9.0.3"], live, "")).toBe("");
});

test("what is not as it shall be is said in words", () => {
  const live = [inService("127.9.0.2"), { address: "127.9.0.3", state: "Decommissioned" }];
  expect(membershipProblems(["127.9.0.2", "127.9.0.3", "127.9.0.4"], live)).toEqual([
    "DataNode 127.9.0.3 is not in service: Decommissioned",
    "DataNode 127.9.0.4 is not in touch with the NameNode",
  ]);
});
