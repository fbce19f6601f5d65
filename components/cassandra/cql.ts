import { Client, errors, types } from "cassandra-driver";
import type { Replication } from "./schema-plan.ts";

/**
 * Connects to a cluster for as long as it is used.
 *
 * @param contactPoints `host:port` of nodes
 */
export async function withCluster<T>(
  contactPoints: readonly string[],
  localDataCenter: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    // A change of the schema waits for all nodes, which takes seconds on a busy machine.
    socketOptions: { readTimeout: 60_000 },
    queryOptions: { consistency: types.consistencies.localQuorum },
  });
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.shutdown();
  }
}

/** @throws {Error} that names the statement too */
export async function execute(client: Client, statement: string): Promise<void> {
  try {
    await client.execute(statement);
  } catch (error) {
    throw new Error(`${(error as Error).message}\nin: ${statement}`, { cause: error });
  }
}

/** The replication of every keyspace, Cassandra's own included. */
export async function replicationsOf(client: Client): Promise<Map<string, Replication>> {
  const { rows } = await client.execute("SELECT keyspace_name, replication FROM system_schema.keyspaces");
  return new Map(rows.map((row) => [row.keyspace_name, row.replication]));
}

/** What an error says; of nodes that cannot be reached, what each of them said: the driver's own summary is a stack. */
export function messages(error: unknown): string[] {
  if (!(error instanceof errors.NoHostAvailableError)) return [error instanceof Error ? error.message : String(error)];
  const reasons = Object.entries(error.innerErrors ?? {});
  return ["No node can be used:", ...reasons.map(([host, reason]) => `${host}: ${(reason as Error).message}`)];
}
