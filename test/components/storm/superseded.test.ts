import { expect, test } from "vitest";
import { supersededTopologies } from "../../../components/storm/superseded.ts";

const listing = `Topology_name        Status     Num_tasks  Num_workers  Uptime_secs  Topology_Id          Owner
----------------------------------------------------------------------------------------
speed-bbbbbbbb       ACTIVE     4          1            120          speed-bbbbbbbb-2-1   root
speed-aaaaaaaa       ACTIVE     4          1            5000         speed-aaaaaaaa-1-1   root
speed-cccccccc       ACTIVE     4          0            60           speed-cccccccc-3-1   root
speed-dddddddd       KILLED     4          1            9000         speed-dddddddd-4-1   root
speedy-eeeeeeee      ACTIVE     4          1            10           speedy-eeeeeeee-5-1  root
`;

test("all of the family are superseded but the one that has run the longest, and the new one itself", () => {
  expect(supersededTopologies(listing, "speed", "speed-ffffffff")).toEqual(["speed-bbbbbbbb", "speed-cccccccc"]);
  expect(supersededTopologies(listing, "speed", "speed-bbbbbbbb")).toEqual(["speed-cccccccc"]);
});

test("of a first and a second topology none is superseded", () => {
  expect(supersededTopologies("No topologies running.\n", "speed", "speed-ffffffff")).toEqual([]);
  expect(supersededTopologies(listing, "speedy", "speedy-ffffffff")).toEqual([]);
});

test("a topology that somebody else has submitted is never superseded", () => {
  const theirs = listing.replaceAll("speed-bbbbbbbb", "speed-of-their").replaceAll("speed-cccccccc", "speed-test");
  expect(supersededTopologies(theirs, "speed", "speed-ffffffff")).toEqual([]);
});
