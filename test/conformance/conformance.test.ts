/*
 * The same component, created on every target under Pulumi's mocks, comes to the same servers, tasks and schedules with
 * the same commands and files: roles, configuration, topics, tables, datasources. What is each target's own (addresses,
 * folders) is put in words first; what may differ beyond that is written down here.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { loadApplication } from "../../components/application.ts";
import { RecordedResources } from "../support/recorded-resources.ts";
import { components } from "./components.ts";
import { conformanceTable, deployed, type SubjectName, subjects } from "./conformance.ts";
import type { DeployedInstance } from "./deployed.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-conformance-"));
afterAll(() => rmSync(folder, { recursive: true }));
const application = await loadApplication(join(checkout, "jobs/wikipedia/index.ts"));
const resources = new RecordedResources();
const others = (Object.keys(subjects) as SubjectName[]).filter((subject) => subject !== "local");
const counts = new Map(Object.keys(components).map((component) => [component, new Map<SubjectName, number>()]));

const on = (component: string, subject: SubjectName) => deployed(component, subject, application, resources, folder);

/**
 * What is compared: everything but what a target adds because it is not one machine. Kafka's clients outside of Docker's
 * network come by a listener of their own; Druid's servers keep segments in HDFS where they share no folder.
 */
function comparable({ files, command, ...rest }: DeployedInstance, local: DeployedInstance): DeployedInstance {
  const isDruid = files["runtime.properties"] !== undefined && local.files["core-site.xml"] === undefined;
  const added = isDruid ? ["core-site.xml", "hdfs-site.xml"] : [];
  return {
    ...rest,
    command: command.map((word) => word.replace(":<configuration>:<distribution druid-hdfs>/lib/*", "")),
    files: Object.fromEntries(
      Object.entries(files)
        .filter(([path]) => !added.includes(path))
        .map(([path, content]) => [
          path,
          content
            .replaceAll(/,EXTERNAL:(\/\/[^,\n]*|PLAINTEXT)/g, "")
            .replaceAll(isDruid ? /^druid\.(storage|indexer\.logs)\..*\n/gm : /$^/g, ""),
        ]),
    ),
  };
}

for (const component of Object.keys(components)) {
  test(`${component} is the same on every target`, { timeout: 300_000 }, async () => {
    const local = await on(component, "local");
    expect(local.size).toBeGreaterThan(0);
    counts.get(component)?.set("local", local.size);
    for (const subject of others) {
      const found = await on(component, subject);
      expect([...found.keys()].sort(), subject).toEqual([...local.keys()].sort());
      for (const [name, instance] of local) {
        const other = found.get(name) as DeployedInstance;
        expect([subject, name, comparable(other, instance)]).toEqual([subject, name, comparable(instance, instance)]);
      }
      counts.get(component)?.set(subject, found.size);
    }
  });
}

test("the README's table is the one that this suite makes; with UPDATE_README=1 it writes it", () => {
  const file = join(checkout, "README.md");
  const readme = readFileSync(file, "utf8");
  const from = readme.indexOf("| component |");
  const table = readme.slice(from, readme.indexOf("\n\n", from));
  if (process.env.UPDATE_README === "1")
    writeFileSync(
      file,
      readme.replace(table, () => conformanceTable(counts)),
    );
  else expect(table).toBe(conformanceTable(counts));
});
