import * as z from "zod";

const wantedCopies = z.strictObject({
  name: z.string(),
  /** How many nodes of the data center keep a copy of each row. */
  replicationFactor: z.int().positive(),
});

/** How many copies keyspaces shall have, as the deployment hands it to the membership task. */
export const wantedCopiesSchema = z.array(wantedCopies);

/** A keyspace with its number of copies. */
export type WantedCopies = z.infer<typeof wantedCopies>;

/** The keyspaces that a cluster shall have, as the deployment hands them to the schema task. */
export const wantedKeyspacesSchema = z.array(
  wantedCopies.extend({
    /** CQL statements, each `CREATE … IF NOT EXISTS …`, or `ALTER TABLE … ADD IF NOT EXISTS …`, without a keyspace. */
    tables: z.array(z.string()),
  }),
);

/** A keyspace that a cluster shall have. */
export type WantedKeyspace = z.infer<typeof wantedKeyspacesSchema>[number];

/** A keyspace's replication as in `system_schema.keyspaces`: its class, and copies by data center. */
export type Replication = Readonly<Record<string, string>>;

/** The CQL that creates a keyspace with its number of copies, or gives it another one. */
export function keyspaceStatement(
  verb: "CREATE" | "ALTER",
  { name, replicationFactor }: WantedCopies,
  dataCenter: string,
): string {
  const keyspace = verb === "CREATE" ? `IF NOT EXISTS ${name}` : name;
  const replication = `{'class': 'NetworkTopologyStrategy', '${dataCenter}': ${replicationFactor}}`;
  return `${verb} KEYSPACE ${keyspace} WITH replication = ${replication}`;
}

/** What a cluster has: the names of its keyspaces, and of their tables. */
export interface ExistingSchema {
  readonly keyspaces: ReadonlySet<string>;
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What is missing, a sentence each. Of the statements for tables, those that create one are looked at. */
export function schemaProblems(wanted: readonly WantedKeyspace[], found: ExistingSchema): string[] {
  return wanted.flatMap(({ name, tables }) => {
    if (!found.keyspaces.has(name)) return [`keyspace ${name} is missing`];
    return tables
      .flatMap((statement) => /^\s*CREATE\s+TABLE\s+IF\s+NOT\s+EXISTS\s+(\w+)/i.exec(statement)?.[1] ?? [])
      .filter((table) => found.tables.get(name)?.has(table.toLowerCase()) !== true)
      .map((table) => `table ${name}.${table} is missing`);
  });
}
