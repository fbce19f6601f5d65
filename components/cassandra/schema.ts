/**
 * Makes a cluster's keyspaces what they shall be and creates the tables that are missing. Running it again changes
 * nothing. Exit code 1 with the reason if it cannot.
 *
 * `schema.ts --contact-points HOST:PORT,… --local-data-center NAME --keyspaces FILE [--check]`, the file being JSON as of
 * `wantedKeyspacesSchema`. With `--check` nothing is changed: exit code 1 with one line for each thing to do.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Client, errors, types } from "cassandra-driver";
import { type ExistingSchema, keyspaceStatement, schemaProblems, wantedKeyspacesSchema } from "./schema-plan.ts";

async function main(): Promise<void> {
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
  const client = new Client({
    contactPoints: contactPoints.split(","),
    localDataCenter,
    // A change of the schema waits for all nodes, which takes seconds on a busy machine.
    socketOptions: { readTimeout: 60_000 },
    queryOptions: { consistency: types.consistencies.localQuorum },
  });
  try {
    await client.connect();
    const existing = await existingSchema(client);
    if (check) {
      const problems = schemaProblems(wanted, localDataCenter, existing);
      for (const problem of problems) console.log(problem);
      if (problems.length > 0) process.exitCode = 1;
      return;
    }
    const nodes = client.hosts.values().filter((host) => host.isUp()).length;
    const nodesWanted = contactPoints.split(",").length;
    if (nodes > nodesWanted)
      throw new Error(
        `the cluster has ${nodes} nodes and ${nodesWanted} are wanted, but rows of those that went would be lost: ` +
          `ask for ${nodes} again, or have the others leave the cluster first (nodetool decommission)`,
      );
    for (const keyspace of wanted) {
      const statement = keyspaceStatement(keyspace, localDataCenter, existing.replications.get(keyspace.name));
      if (statement !== undefined) await run(client, statement);
      await run(client, `USE ${keyspace.name}`);
      for (const table of keyspace.tables) await run(client, table);
      console.log(`keyspace ${keyspace.name}: ${statement ?? "unchanged"}; ${keyspace.tables.length} tables are there`);
    }
  } finally {
    await client.shutdown();
  }
}

async function existingSchema(client: Client): Promise<ExistingSchema> {
  const [keyspaces, tables] = await Promise.all([
    client.execute("SELECT keyspace_name, replication FROM system_schema.keyspaces"),
    client.execute("SELECT keyspace_name, table_name FROM system_schema.tables"),
  ]);
  const byKeyspace = Map.groupBy(tables.rows, (row) => row.keyspace_name as string);
  return {
    replications: new Map(keyspaces.rows.map((row) => [row.keyspace_name, row.replication])),
    tables: new Map([...byKeyspace].map(([name, rows]) => [name, new Set(rows.map((row) => row.table_name))])),
  };
}

async function run(client: Client, statement: string): Promise<void> {
  try {
    await client.execute(statement);
  } catch (error) {
    throw new Error(`${(error as Error).message}\nin: ${statement}`, { cause: error });
  }
}

/** What an error says; of nodes that cannot be reached, what each of them said: the driver's own summary is a stack. */
function messages(error: unknown): string[] {
  if (!(error instanceof errors.NoHostAvailableError)) return [error instanceof Error ? error.message : String(error)];
  const reasons = Object.entries(error.innerErrors ?? {});
  return ["No node can be used:", ...reasons.map(([host, reason]) => `${host}: ${(reason as Error).message}`)];
}

try {
  await main();
} catch (error) {
  console.error(messages(error).join("\n"));
  // Not exitCode: a client that failed to connect leaves a socket that keeps the process.
  process.exit(1);
}
