import * as z from "zod";

/** The keyspaces that a cluster shall have, as the deployment hands them to the schema task. */
export const wantedKeyspacesSchema = z.array(
  z.strictObject({
    name: z.string(),
    /** How many nodes of the data center keep a copy of each row. */
    replicationFactor: z.int().positive(),
    /** CQL statements, each `CREATE … IF NOT EXISTS …` without a keyspace. */
    tables: z.array(z.string()),
  }),
);

/** A keyspace that a cluster shall have. */
export type WantedKeyspace = z.infer<typeof wantedKeyspacesSchema>[number];

/** A keyspace's replication as in `system_schema.keyspaces`: its class, and copies by data center. */
export type Replication = Readonly<Record<string, string>>;

/**
 * The CQL that makes a keyspace what it shall be, or undefined if it is so.
 *
 * @param found its replication; undefined if there is no such keyspace
 */
export function keyspaceStatement(
  { name, replicationFactor }: WantedKeyspace,
  dataCenter: string,
  found: Replication | undefined,
): string | undefined {
  const replication = `{'class': 'NetworkTopologyStrategy', '${dataCenter}': ${replicationFactor}}`;
  if (found === undefined) return `CREATE KEYSPACE IF NOT EXISTS ${name} WITH replication = ${replication}`;
  if (isReplication(found, dataCenter, replicationFactor)) return undefined;
  return `ALTER KEYSPACE ${name} WITH replication = ${replication}`;
}

function isReplication({ class: strategy, ...copies }: Replication, dataCenter: string, factor: number): boolean {
  return (
    strategy?.endsWith("NetworkTopologyStrategy") === true &&
    Object.keys(copies).length === 1 &&
    copies[dataCenter] === String(factor)
  );
}
