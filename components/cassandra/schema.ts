/**
 * Creates the keyspaces and tables of a cluster that are missing. What is there stays as it is: how many copies a
 * keyspace has is membership.ts's to change. Exit code 1 with the reason if it cannot.
 *
 * `schema.ts --contact-points HOST:PORT,… --local-data-center NAME --keyspaces FILE [--check]`, the file being JSON as of
 * `wantedKeyspacesSchema`. With `--check` nothing is changed: exit code 1 with one line for each thing to do.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Client } from "cassandra-driver";
import { runTaskProgram } from "../task-program.ts";
import { execute, messages, replicationsOf, withCluster } from "./cql.ts";
import { type ExistingSchema, keyspaceStatement, schemaProblems, wantedKeyspacesSchema } from "./schema-plan.ts";

async function main(): Promise<readonly string[]> {
  const { values } = parseArgs({
    options: {
      "contact-points": { type: "string" },
      "local-data-center": { type: "string" },
      keyspaces: { type: "string" },
      check: { type: "boolean", default: false },
    },
  });
  const { "contact-points": contactPoints, "local-data-center": localDataCenter, keyspaces: file, check } = values;
  if (!contactPoints || !localDataCenter || !file) {
    throw new Error("--contact-points HOST:PORT,…, --local-data-center NAME and --keyspaces FILE are needed");
  }
  const wanted = wantedKeyspacesSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  return withCluster(contactPoints.split(","), localDataCenter, async (client) => {
    const existing = await existingSchema(client);
    if (check) return schemaProblems(wanted, existing);
    for (const keyspace of wanted) {
      const exists = existing.keyspaces.has(keyspace.name);
      if (!exists) await execute(client, keyspaceStatement("CREATE", keyspace, localDataCenter));
      await execute(client, `USE ${keyspace.name}`);
      for (const table of keyspace.tables) await execute(client, table);
      console.log(
        `keyspace ${keyspace.name}: ${exists ? "was there" : "created"}; ${keyspace.tables.length} tables are there`,
      );
    }
    return [];
  });
}

async function existingSchema(client: Client): Promise<ExistingSchema> {
  const [replications, tables] = await Promise.all([
    replicationsOf(client),
    client.execute("SELECT keyspace_name, table_name FROM system_schema.tables"),
  ]);
  const byKeyspace = Map.groupBy(tables.rows, (row) => row.keyspace_name as string);
  return {
    keyspaces: new Set(replications.keys()),
    tables: new Map([...byKeyspace].map(([name, rows]) => [name, new Set(rows.map((row) => row.table_name))])),
  };
}

await runTaskProgram(main, messages);
