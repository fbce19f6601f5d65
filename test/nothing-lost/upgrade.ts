import { Client } from "cassandra-driver";
import { expect, test } from "vitest";
import { parseManifest, partitionFolder, topicFolder } from "../../jobs/archive/layout.ts";
import { readPointer } from "../../jobs/batch/pointer.ts";
import type { Pointer } from "../../jobs/batch/versions.ts";
import { answeringGenerations, retireGeneration } from "../../jobs/generations/generations.ts";
import { progressTable, speedTable } from "../../jobs/speed/tables.ts";
import { openStorage } from "../../jobs/storage/open-storage.ts";
import type { WholeArchitecture } from "../support/whole-architecture.ts";
import { formerTables, formerViewTables, writeFormerPointer, writeFormerSpeedView } from "./former-data.ts";

/** A generation that former code wrote. */
const former = "f0f0f0f0";

/**
 * Steps and expected results:
 * 1. A stack's data is made what it was before formats had versions: a pointer without a format, speed views in which all
 *    partitions share an era, progress without epochs, a master dataset without manifests or a note of its format.
 * 2. `up`: answers are exact, and come from the version that the former pointer names; nothing of the former speed views is
 *    read as one of now.
 * 3. The former generations are given up. A batch run over the files is exact, and writes a pointer of the format of now;
 *    the files have manifests again, and the former generations' tables and pointers are gone.
 *
 * @param whole the running stack
 */
export function registerUpgrade(whole: () => WholeArchitecture): void {
  test("data of the former formats goes through an upgrade: every answer is exact", async () => {
    await whole().expectExact();
    const { cassandra, generations, chunkSize } = whole().architecture.configuration;
    const { contactPoints, localDataCenter, keyspace } = cassandra;
    const views = Object.entries(generations).map(([view, generation]) => ({ view, generation }));
    const client = new Client({ contactPoints, localDataCenter, keyspace, socketOptions: { readTimeout: 60_000 } });
    const pointers = await Promise.all(views.map((key) => readPointer(client, key)));

    await client.execute(`DROP KEYSPACE ${keyspace}`);
    await client.execute(
      `CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${localDataCenter}': 1}`,
    );
    for (const table of formerTables) await client.execute(table);
    for (const [index, key] of views.entries()) {
      const pointer = pointers[index] as Pointer;
      await writeFormerPointer(client, key.view, key.generation, pointer);
      for (const table of formerViewTables(key.view, former)) await client.execute(table);
      const events = Array.from({ length: 500 }, (_, offset) => ({
        ...{ partition: offset % 2, offset: offset * 20, bucket: 0 },
        key: JSON.stringify([`key ${offset % 7}`]),
      }));
      await writeFormerSpeedView(client, key.view, former, events, chunkSize);
      const version = "20250101T000000000";
      const datasource = `${key.view.replaceAll("-", "_")}_${former}_${version}`;
      await writeFormerPointer(client, key.view, former, { version, datasource, horizon: { 0: chunkSize }, rows: 1 });
    }
    await withoutNotes(whole());
    expect(await whole().killProcesses(/archiver/, /main/)).toBeGreaterThan(0);

    await whole().up();
    await whole().playGenerated(302, 1_500);
    await whole().expectExact();
    for (const [index, { view }] of views.entries()) {
      const { contains } = await whole().ask(`/views/${view}/top?measure=edits&limit=1`);
      expect(contains).toMatchObject({ version: pointers[index]?.version, complete: true, holes: [], problems: [] });
    }
    expect(await answeringGenerations(client, keyspace)).toEqual(
      expect.arrayContaining(views.map(({ view }) => ({ view, generation: former }))),
    );

    for (const { view } of views) await retireGeneration(client, { view, generation: former });
    await whole().runBatch("--force");
    await whole().expectExact();
    for (const { view, generation } of views) {
      const query = 'SELECT version, format FROM batch_pointer WHERE "view" = ? AND generation = ?';
      const row = (await client.execute(query, [view, generation], { prepare: true })).first();
      expect(row.format).toBe(2);
    }
    const { files, manifests, format } = await notes(whole());
    expect({ manifests, format }).toEqual({ manifests: files, format: true });
    for (const { view } of views) {
      expect(await readPointer(client, { view, generation: former })).toBeUndefined();
      for (const table of [speedTable(view, former), progressTable(view, former)])
        await expect(client.execute(`SELECT * FROM ${table}`)).rejects.toThrow(/does not exist|unconfigured table/);
    }
    await client.shutdown();
  });
}

/** Removes from the master dataset all that the former format had not. */
async function withoutNotes({ architecture }: WholeArchitecture): Promise<void> {
  const { storage: options, masterDataset, topic, partitions } = architecture.configuration;
  using storage = openStorage(options);
  const top = topicFolder(masterDataset, topic);
  for (const name of await storage.list(top)) if (name.startsWith("_format-")) await storage.delete(`${top}/${name}`);
  for (let partition = 0; partition < partitions; partition++) {
    const folder = partitionFolder(masterDataset, { topic, partition, incarnation: 1 });
    for (const name of await storage.list(folder))
      if (parseManifest(name) !== undefined) await storage.delete(`${folder}/${name}`);
  }
}

/** How many whole chunks the master dataset has, how many have a manifest, and whether its format is noted. */
async function notes({ architecture }: WholeArchitecture) {
  const { storage: options, masterDataset, topic, partitions } = architecture.configuration;
  using storage = openStorage(options);
  const names: string[] = [];
  for (let partition = 0; partition < partitions; partition++)
    names.push(...(await storage.list(partitionFolder(masterDataset, { topic, partition, incarnation: 1 }))));
  const manifests = names.filter((name) => parseManifest(name) !== undefined).length;
  const format = (await storage.list(topicFolder(masterDataset, topic))).includes("_format-2");
  return { files: names.filter((name) => name.endsWith(".jsonl")).length, manifests, format };
}
