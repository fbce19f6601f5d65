import { expect, test } from "vitest";
import {
  blocksToCopy,
  excludedDataNodes,
  isToBeCopied,
  type ListedFile,
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
  expect(blocksToCopy(report(3), 3)).toBe(3);
  expect(blocksToCopy(report(0), 3)).toBe(0);
  expect(() => blocksToCopy("FSCK ended\nAccess denied for user someone\n", 3)).toThrow(
    "Access denied for user someone",
  );
});

test("a file that somebody gave more copies than there are DataNodes is not waited for", () => {
  const line = (file: string, wanted: number, found: number) =>
    `/${file}:  Under replicated BP-1:blk_1_1. Target Replicas is ${wanted} but found ${found} live replica(s), 0 decommissioned replica(s), 0 decommissioning replica(s).\n`;
  const report = `${line("job/split", 10, 2)}${line("master/edits", 2, 1)}\n Under-replicated blocks:\t2 (60.0 %)\n`;
  expect(blocksToCopy(report, 2)).toBe(1);
  expect(blocksToCopy(report, 3)).toBe(2);
});

test("files get the number of copies that is wanted, but those whose number somebody else has chosen", () => {
  const file = (replication: number): ListedFile => ({ pathSuffix: "part", type: "FILE", replication });
  expect(isToBeCopied(file(1), 3, 1)).toBe(true);
  expect(isToBeCopied(file(2), 3, 1)).toBe(false);
  expect(isToBeCopied(file(3), 3, 1)).toBe(false);
  expect(isToBeCopied(file(2), 3, undefined)).toBe(true);
  expect(isToBeCopied({ ...file(0), type: "DIRECTORY" }, 3, 0)).toBe(false);
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
