import { describe, expect, test } from "vitest";
import {
  keyspacesInTheWay,
  membershipProblems,
  replicationSteps,
  type Step,
} from "../../../components/cassandra/membership-plan.ts";

import type { Replication } from "../../../components/cassandra/schema-plan.ts";

const strategy = "org.apache.cassandra.locator.NetworkTopologyStrategy";
const copies = (count: number) => ({ class: strategy, north: String(count) });

describe("the steps to a keyspace's number of copies", () => {
  const steps = (found: Readonly<Record<string, string>>, wanted: number, repairDue = false) =>
    replicationSteps({ name: "views", replicationFactor: wanted }, "north", found, repairDue).map(inShort);
  const inShort = (step: Step) =>
    "repair" in step
      ? `repair ${step.repair}`
      : step.statement.replace(
          /^ALTER KEYSPACE views WITH replication = \{'class': 'NetworkTopologyStrategy', 'north': (\d+)\}$/,
          "$1",
        );

  test("none if it has it", () => {
    expect(steps(copies(3), 3)).toEqual([]);
  });

  test("one copy at a time, with a repair after each that was added", () => {
    expect(steps(copies(1), 3)).toEqual(["2", "repair views", "3", "repair views"]);
  });

  test("one copy at a time, with a repair before each that is taken away", () => {
    expect(steps(copies(3), 1)).toEqual(["repair views", "2", "repair views", "1"]);
  });

  test("first the repair that an interrupted run owes, of what has more than one copy", () => {
    expect(steps(copies(2), 3, true)).toEqual(["repair views", "3", "repair views"]);
    expect(steps(copies(3), 3, true)).toEqual(["repair views"]);
    expect(steps(copies(3), 2, true)).toEqual(["repair views", "2"]);
    expect(steps(copies(1), 1, true)).toEqual([]);
  });

  test.each([
    ["a further data center", { ...copies(3), south: "3" }],
    ["another strategy", { class: "org.apache.cassandra.locator.SimpleStrategy", replication_factor: "3" }],
  ])("%s is altered away", (_, found) => {
    expect(steps(found, 3)).toEqual(["3", "repair views"]);
    expect(steps(found, 2)).toEqual(["3", "repair views", "2"]);
  });

  test("a data center without copies gets the first", () => {
    expect(steps({ class: strategy, south: "3" }, 2)).toEqual(["1", "repair views", "2", "repair views"]);
  });
});

const wanted = {
  members: ["127.0.0.1", "127.0.0.2"],
  dataCenter: "north",
  keyspaces: [
    { name: "views", replicationFactor: 2 },
    { name: "missing", replicationFactor: 2 },
  ],
};

test("what is not as it shall be is said in words", () => {
  const problems = (members: string[], count: number) =>
    membershipProblems(wanted, { members, replications: new Map([["views", copies(count)]]) });
  expect(problems(["127.0.0.2", "127.0.0.1"], 2)).toEqual([]);
  expect(problems(["127.0.0.1", "127.0.0.3"], 1)).toEqual([
    "node 127.0.0.2 is not in the ring",
    "node 127.0.0.3 is in the ring, but not wanted",
    "keyspace views has not 2 copies in north",
  ]);
});

test("nodes stay for keyspaces of others that want as many copies, but not for Cassandra's own", () => {
  const replications = new Map<string, Replication>([
    ["views", copies(3)],
    ["mine", copies(3)],
    ["small", copies(2)],
    ["system", { class: "org.apache.cassandra.locator.LocalStrategy" }],
    ["system_distributed", { class: "org.apache.cassandra.locator.SimpleStrategy", replication_factor: "3" }],
  ]);
  expect(keyspacesInTheWay(wanted, { members: [], replications })).toEqual([
    "keyspace mine, which is not among those of the deployment, has 3 copies, and 2 nodes are wanted: " +
      "give it fewer (ALTER KEYSPACE mine WITH replication = …) or drop it",
  ]);
});
