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

/** What a cluster has: its keyspaces' replication, and the names of their tables. */
export interface ExistingSchema {
  readonly replications: ReadonlyMap<string, Replication>;
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What is not as it shall be, a sentence each. Of the statements for tables, those that create one are looked at. */
export function schemaProblems(wanted: readonly WantedKeyspace[], dataCenter: string, found: ExistingSchema): string[] {
  return wanted.flatMap(({ name, replicationFactor, tables }) => {
    const replication = found.replications.get(name);
    if (replication === undefined) return [`keyspace ${name} is missing`];
    const missing = tables
      .flatMap((statement) => /^\s*CREATE\s+TABLE\s+IF\s+NOT\s+EXISTS\s+(\w+)/i.exec(statement)?.[1] ?? [])
      .filter((table) => found.tables.get(name)?.has(table.toLowerCase()) !== true)
      .map((table) => `table ${name}.${table} is missing`);
    return isReplication(replication, dataCenter, replicationFactor)
      ? missing
      : [`keyspace ${name} has not ${replicationFactor} copies in ${dataCenter}`, ...missing];
  });
}

function isReplication({ class: strategy, ...copies }: Replication, dataCenter: string, factor: number): boolean {
  return (
    strategy?.endsWith("NetworkTopologyStrategy") === true &&
    Object.keys(copies).length === 1 &&
    copies[dataCenter] === String(factor)
  );
}
