import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadApplication } from "../components/application.ts";
import { distinct } from "../jobs/measures/index.ts";
import { Aggregate } from "../jobs/views/aggregate.ts";

const checkout = new URL("../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, checkout), "utf8");
const readme = read("README.md");

test("its examples are the files that they name, which tests run", () => {
  const examples = [...readme.matchAll(/<!-- (\S+) -->\n```ts\n([\s\S]*?)```/g)];
  expect(examples.map(([, path]) => path)).toEqual(["examples/sensors/index.ts", "examples/kafka/index.ts"]);
  for (const [, path, text] of examples) expect(text, `README.md has not the text of ${path}`).toBe(read(`${path}`));
  expect(readme.match(/```ts/g)).toHaveLength(examples.length);
});

test("its numbers of the sensors are those of one pass over the readings", async () => {
  const { application } = await loadApplication(fileURLToPath(new URL("examples/sensors/index.ts", checkout)));
  const lines = read("examples/sensors/readings.jsonl").trimEnd().split("\n");
  const readings = lines.map((line) => application.event.safeParse(JSON.parse(line)));
  const [view] = application.views;
  if (view === undefined) throw new Error("the example has no view");
  const total = view.zero();
  const aggregate = new Aggregate(view);
  for (const { data } of readings.filter(({ success }) => success)) aggregate.add(data);
  for (const { key, states } of aggregate.rows()) if (key[0] === "h-1") view.merge(total, states);

  expect(readme).toContain(`\n${JSON.stringify(view.extract(total))}\n`);
  expect([lines.length, readings.filter(({ success }) => !success).length]).toEqual([7, 1]);
});

test("the error that it states for distinct is the measured one", () => {
  expect(readme).toContain("exact up to 768 different texts, then with a standard error of 1.6 %");
  const texts = distinct<string>((text) => text);
  const estimate = (size: number) => {
    let state = texts.zero();
    for (let index = 0; index < size; index++) state = texts.add(state, `text ${index}`);
    return texts.extract(state);
  };
  expect(estimate(768)).toBe(768);
  // Three standard errors.
  expect(Math.abs(estimate(50_000) / 50_000 - 1)).toBeLessThan(0.048);
});

test("every command and every file of the checkout that it names exists", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const commands = [...readme.matchAll(/npm (?:run (?:--silent )?)?([a-z][a-z:]*)/g)].map(
    ([, command = ""]) => command,
  );
  expect(commands.length).toBeGreaterThan(10);
  const known = [...Object.keys(scripts), "install", "pack"];
  for (const command of new Set(commands)) expect(known).toContain(command);
  const files = [...readme.matchAll(/\b((?:examples|components|jobs|scripts|stacks)\/[\w./-]+\w)/g)];
  for (const [, file = ""] of files)
    if (!file.includes("/.")) expect(existsSync(new URL(file, checkout)), file).toBe(true);
});

test("every measurement that it names is measured", () => {
  const source = read("jobs/serving/metrics.ts");
  const names = [...readme.matchAll(/`(lambda_\w+)`/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(3);
  for (const name of names) expect(source).toContain(`"${name}"`);
});
