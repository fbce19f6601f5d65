import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { loadApplication } from "../../components/application.ts";

const folder = mkdtempSync(join(tmpdir(), "application-"));
afterAll(() => rmSync(folder, { recursive: true }));

function module(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

test("an application is the default export of its module", async () => {
  const wikipedia = fileURLToPath(new URL("../../jobs/wikipedia/index.ts", import.meta.url));
  const { module, application } = await loadApplication(wikipedia);
  expect(module).toBe(wikipedia);
  expect(application.views.map(({ name }) => name)).toEqual(["edits-by-channel", "edits-by-page"]);
});

test.each([
  ["nothing.ts", "export {};"],
  ["named.ts", "export const application = { event: {}, views: [] };"],
  ["no-views.ts", "export default { event: {} };"],
  ["no-event.ts", "export default { views: [] };"],
  ["null.ts", "export default null;"],
])("%s exports none, and is told how to", async (name, text) => {
  const file = module(name, text);
  await expect(loadApplication(file)).rejects.toThrow(
    new TypeError(`${file} exports no application; end it with: export default application({ event, views })`),
  );
});

test("what cannot be loaded is an error that names the module and says why", async () => {
  const missing = join(folder, "missing.ts");
  await expect(loadApplication(missing)).rejects.toThrow(TypeError);
  await expect(loadApplication(missing)).rejects.toThrow(`the application ${missing} cannot be loaded: `);
  const failing = module("failing.ts", 'throw new Error("view \\"a\\": key needs at least one field");');
  await expect(loadApplication(failing)).rejects.toThrow(
    `the application ${failing} cannot be loaded: view "a": key needs at least one field`,
  );
});
