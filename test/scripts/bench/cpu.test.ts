import { expect, test } from "vitest";
import { childrenCpu, cpuBetween, cpuOf, cpuSeconds, groupOf } from "../../../scripts/bench/cpu.ts";

const stat = "4242 (java (VM) x) S 1 4242 4242 0 -1 4194560 99 88 0 0 1250 250 40 10 20 0 61 0 12345 99 88";

test("a process's CPU time includes its children's, whatever its name", () => {
  expect(cpuSeconds(stat)).toBe(15.5);
});

test("this machine's kernel tells CPU times in that form", async () => {
  expect(await childrenCpu()).toBeGreaterThanOrEqual(0);
});

test("what Storm's workers run is told apart", () => {
  expect(groupOf("lambda-kafka-broker-0", "java …")).toBe("kafka");
  expect(groupOf("lambda-archiver", "node …")).toBe("archiver");
  expect(groupOf("lambda-storm-supervisor-0", "java …")).toBe("storm");
  expect(groupOf("lambda-storm-supervisor-0", "node --max-old-space-size=192 speed-bolt.mjs …")).toBe("bolt");
  expect(groupOf("lambda-storm-supervisor-0", "node --max-old-space-size=64 speed-spout.mjs …")).toBe("spout");
});

test("a difference of times by group, and its sums", () => {
  const used = cpuBetween(
    new Map([
      ["kafka", 10],
      ["gone", 3],
    ]),
    new Map([
      ["kafka", 12],
      ["new", 4],
    ]),
  );
  expect(Object.fromEntries(used)).toEqual({ kafka: 2, new: 4 });
  expect(cpuOf(used)).toBe(6);
  expect(cpuOf(used, ["new", "other"])).toBe(4);
});
