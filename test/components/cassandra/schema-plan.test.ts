import { expect, test } from "vitest";
import { keyspaceStatement, schemaProblems } from "../../../components/cassandra/schema-plan.ts";

const keyspace = { name: "views", replicationFactor: 3, tables: [] };
const replication = "WITH replication = {'class': 'NetworkTopologyStrategy', 'north': 3}";
const strategy = "org.apache.cassandra.locator.NetworkTopologyStrategy";

test("a missing keyspace is created", () => {
  expect(keyspaceStatement(keyspace, "north", undefined)).toBe(`CREATE KEYSPACE IF NOT EXISTS views ${replication}`);
});

test("a keyspace that is as it shall be stays so", () => {
  expect(keyspaceStatement(keyspace, "north", { class: strategy, north: "3" })).toBeUndefined();
});

test.each([
  ["the number of copies", { class: strategy, north: "1" }],
  ["the data center", { class: strategy, south: "3" }],
  ["a further data center", { class: strategy, north: "3", south: "3" }],
  ["the strategy", { class: "org.apache.cassandra.locator.SimpleStrategy", replication_factor: "3" }],
])("a keyspace that differs in %s is altered", (_, found) => {
  expect(keyspaceStatement(keyspace, "north", found)).toBe(`ALTER KEYSPACE views ${replication}`);
});

test("what is not as it shall be is said in words", () => {
  const tables = [
    "CREATE TABLE IF NOT EXISTS totals (key text PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS Rows (a int)",
  ];
  const found = (replications: Record<string, Record<string, string>>, names: string[]) => ({
    replications: new Map(Object.entries(replications)),
    tables: new Map([["views", new Set(names)]]),
  });
  const complete = { class: strategy, north: "3" };
  const problems = (...args: Parameters<typeof found>) =>
    schemaProblems([{ ...keyspace, tables }], "north", found(...args));
  expect(problems({ views: complete }, ["totals", "rows"])).toEqual([]);
  expect(problems({}, [])).toEqual(["keyspace views is missing"]);
  expect(problems({ views: complete }, ["rows"])).toEqual(["table views.totals is missing"]);
  expect(problems({ views: { class: strategy, north: "1" } }, ["totals", "rows"])).toEqual([
    "keyspace views has not 3 copies in north",
  ]);
});
