import { setTimeout as sleep } from "node:timers/promises";
import { type Client, types } from "cassandra-driver";
import { applyConditionally, type PointerKey } from "../batch/pointer.ts";
import { createViewTables, generationOfTable, progressTable, speedTable } from "../speed/tables.ts";

/** Milliseconds to wait for a batch run that is removing a generation; after that the run counts as killed. */
const removalPatience = 60_000;

/** Milliseconds that a change of the schema may take: it waits for all nodes, which takes seconds on a busy machine. */
const schemaTimeout = 60_000;

/**
 * Puts a generation to use: from now on no batch run removes it, and its tables are there. Done before anything writes
 * or reads them, also when a view's former code comes back.
 *
 * @param client uses the keyspace of the speed views
 * @param patience milliseconds to wait for a batch run that is removing it. Default: 60,000
 */
export async function claimGeneration(client: Client, key: PointerKey, patience = removalPatience): Promise<void> {
  const { view, generation } = key;
  for (const end = performance.now() + patience; ; await sleep(250)) {
    const condition = performance.now() < end ? "IF removing = null" : "IF EXISTS";
    const claimed = await applyConditionally(
      client,
      `DELETE FROM retired_generation WHERE "view" = ? AND generation = ? ${condition}`,
      [view, generation],
    );
    if (claimed || condition === "IF EXISTS") break;
  }
  for (const table of createViewTables(view, generation))
    await client.execute(table, [], { readTimeout: schemaTimeout });
}

/** Gives a generation up: the next batch run of code that has another one removes it. */
export async function retireGeneration(client: Client, { view, generation }: PointerKey): Promise<void> {
  await applyConditionally(client, 'INSERT INTO retired_generation ("view", generation) VALUES (?, ?) IF NOT EXISTS', [
    view,
    generation,
  ]);
}

/** The generations that were given up and not removed yet. */
export async function retiredGenerations(client: Client): Promise<PointerKey[]> {
  const { rows } = await client.execute('SELECT "view", generation FROM retired_generation', [], {
    prepare: true,
    isIdempotent: true,
    consistency: types.consistencies.localQuorum,
  });
  return rows.map((row) => ({ view: row.view, generation: row.generation }));
}

/**
 * Removes what Cassandra holds of a generation that was given up. Interrupted, it is done again by the next call.
 *
 * @param checkClaim fails if the batch run that removes it is no longer the one that may: asked before every deletion.
 *   Default: it always may
 * @returns false if it has been put to use again meanwhile: then nothing has changed
 */
export async function removeGeneration(
  client: Client,
  { view, generation }: PointerKey,
  checkClaim: () => Promise<void> = async () => {},
): Promise<boolean> {
  const where = 'WHERE "view" = ? AND generation = ?';
  const key = [view, generation];
  const change = (cql: string) => applyConditionally(client, cql, key);
  if (!(await change(`UPDATE retired_generation SET removing = true ${where} IF EXISTS`))) return false;
  await checkClaim();
  // First the pointer: what it names is nobody's then, and the batch run removes it.
  await change(`DELETE FROM batch_pointer ${where} IF EXISTS`);
  for (const table of [progressTable, speedTable]) {
    await checkClaim();
    await client.execute(`DROP TABLE IF EXISTS ${table(view, generation)}`, [], { readTimeout: schemaTimeout });
  }
  await change(`DELETE FROM retired_generation ${where} IF EXISTS`);
  return true;
}

/** The generations in use, of any view, that have anything to answer from. */
export async function answeringGenerations(client: Client, keyspace: string): Promise<PointerKey[]> {
  const options = { prepare: true, isIdempotent: true, consistency: types.consistencies.localQuorum };
  const [tables, retired, pointers] = await Promise.all([
    client.execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", [keyspace], options),
    retiredGenerations(client),
    client.execute('SELECT "view", generation, version FROM batch_pointer', [], options),
  ]);
  const text = ({ view, generation }: PointerKey) => `${view} ${generation}`;
  const out = new Set(retired.map(text));
  const withVersion = new Set(
    pointers.rows
      .filter((row) => row.version !== null)
      .map((row) => text({ view: row.view, generation: row.generation })),
  );
  const found = new Map<string, PointerKey>();
  for (const { table_name: name } of tables.rows) {
    const key = generationOfTable(name);
    if (key === undefined || name !== progressTable(key.view, key.generation) || out.has(text(key))) continue;
    const { rows } = await client.execute(`SELECT partition FROM ${name} LIMIT 1`, [], options);
    if (rows.length > 0 || withVersion.has(text(key))) found.set(text(key), key);
  }
  return [...found.values()];
}
