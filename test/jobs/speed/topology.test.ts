import { expect, test } from "vitest";
import { speedTopology } from "../../../jobs/speed/topology.ts";

test("one worker opens no port", () => {
  const topology = speedTopology({ node: "/node" });
  expect(topology.config).toMatchObject({
    "topology.workers": 1,
    "storm.messaging.transport": "org.apache.storm.messaging.local.Context",
    "topology.max.spout.pending": 32,
  });
  expect(topology.spouts[0]?.constructorArgs).toEqual([
    [
      "/node",
      "--max-old-space-size=64",
      "--single-threaded-gc",
      "speed-spout.mjs",
      "--configuration=configuration.json",
      "--most-under-way=16",
    ],
    ["partition", "chunk", "end", "views", "tables"],
  ]);
});

test("a partition's descriptors always go to the same of several bolts", () => {
  const topology = speedTopology({ node: "/node", bolts: 4, workers: 2, boltHeap: 300 });
  expect(topology.config).not.toHaveProperty("storm.messaging.transport");
  expect(topology.bolts).toMatchObject([
    {
      parallelism: 4,
      constructorArgs: [
        [
          "/node",
          "--max-old-space-size=300",
          "--single-threaded-gc",
          "speed-bolt.mjs",
          "--configuration=configuration.json",
        ],
      ],
    },
  ]);
  // What the spout may have under way grows with the bolts, and not with the partitions.
  expect(topology.spouts[0]?.constructorArgs).toContainEqual(expect.arrayContaining(["--most-under-way=64"]));
  expect(topology.streams).toEqual([
    { from: "descriptors", to: "views", grouping: { type: "FIELDS", args: ["partition"] } },
  ]);
});
