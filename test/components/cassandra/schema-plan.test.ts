import { expect, test } from "vitest";
import { keyspaceStatement, schemaProblems } from "../../../components/cassandra/schema-plan.ts";

const keyspace = { name: "views", replicationFactor: 3 };
const replication = "WITH replication = {'class': 'NetworkTopologyStrategy', 'north': 3}";

test("a keyspace is created unless another has created it meanwhile", () => {
  expect(keyspaceStatement("CREATE", keyspace, "north")).toBe(`CREATE KEYSPACE IF NOT EXISTS views ${replication}`);
  expect(keyspaceStatement("ALTER", keyspace, "north")).toBe(`ALTER KEYSPACE views ${replication}`);
});

test("what is missing is said in words", () => {
  const tables = [
    "CREATE TABLE IF NOT EXISTS totals (key text PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS Rows (a int)",
  ];
  const problems = (keyspaces: string[], names: string[]) =>
    schemaProblems([{ ...keyspace, tables }], {
      keyspaces: new Set(keyspaces),
      tables: new Map([["views", new Set(names)]]),
    });
  expect(problems(["views"], ["totals", "rows"])).toEqual([]);
  expect(problems([], [])).toEqual(["keyspace views is missing"]);
  expect(problems(["views"], ["rows"])).toEqual(["table views.totals is missing"]);
});
