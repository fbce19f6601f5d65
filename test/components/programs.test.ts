import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { bundleProgram, viewGeneration } from "../../components/programs.ts";
import { type ViewLayout, viewFormats } from "../../jobs/formats.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "programs-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a module of the test; `~` stands for the checkout. */
function module(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text.replaceAll("~", checkout));
  return file;
}

test("a program runs from its bundle alone, with its application and its packages", () => {
  const application = module("application.ts", 'export default { views: [{ name: "toy" }] };');
  const entry = module(
    "hello.ts",
    `import application from "#application";
     import "~/node_modules/@platformatic/kafka/dist/index.js";
     import { parse } from "~/node_modules/yaml/dist/index.js";
     console.log(application.views[0].name, parse("a: 1").a satisfies number);`,
  );
  const bundle = bundleProgram({ entry, application, folder: join(folder, "bundles") });
  expect(bundle).toMatch(/\/bundles\/hello-[0-9a-f]{12}\.mjs$/);
  const elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
  try {
    cpSync(bundle, join(elsewhere, "moved.mjs"));
    const output = execFileSync(process.execPath, [join(elsewhere, "moved.mjs")], { encoding: "utf8" });
    expect(output).toBe("toy 1\n");
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test("new code has a new path; the same code, and a comment more, the old one", () => {
  const program = (text: string) =>
    bundleProgram({ entry: module("program.ts", text), folder: join(folder, "bundles") });
  const first = program("console.log(1 as number);");
  expect(program("console.log(1 as number);")).toBe(first);
  expect(program("// why\nconsole.log(1 as number);")).toBe(first);
  const second = program("console.log(2 as number);");
  expect(second).not.toBe(first);
  expect(readFileSync(first, "utf8")).toContain("console.log(1)");
  rmSync(second);
  expect(program("console.log(2 as number);")).toBe(second);
  expect(readFileSync(second, "utf8")).toContain("console.log(2)");
});

test("a program that cannot be bundled is an error that says where", () => {
  expect(() => bundleProgram({ entry: module("broken.ts", 'import "./nowhere.ts";'), folder })).toThrow(
    /broken\.ts:1:7: ERROR: Could not resolve "\.\/nowhere\.ts"/,
  );
});

const layout: ViewLayout = {
  ...{ topic: "edits", chunkSize: 1_000, shards: 8, chunksPerEra: 4, incarnation: 1 },
  formats: viewFormats,
};

test("a view's generation is that of its own code, and of where and how its rows are stored", () => {
  mkdirSync(join(folder, "views"));
  const define = (name: string, value: string) => `
    import { count, sum } from "~/jobs/measures/index.ts";
    import { view } from "~/jobs/views/view.ts";
    import { value } from "./helper-${name}.ts";
    export const own = view<any>({ name: "${name}", time: (e) => e.time, granularity: "hour",
      key: { k: (e) => e.k }, measures: { n: count(), s: sum((e) => value(e) + ${value}) } });`;
  const helper = (name: string, text: string) => module(`views/helper-${name}.ts`, text);
  helper("one", "export const value = (e: any) => e.value;");
  helper("two", "export const value = (e: any) => e.value;");
  module("views/one.ts", define("one", "1"));
  module("views/two.ts", define("two", "1"));
  const application = module(
    "views/application.ts",
    `import * as z from "~/node_modules/zod/index.js";
     import { application } from "~/jobs/application.ts";
     import { own as one } from "./one.ts";
     import { own as two } from "./two.ts";
     export default application({ event: z.any(), views: [one, two] });`,
  );
  const generation = (view: string, other: Partial<ViewLayout> = {}) =>
    viewGeneration(application, view, { ...layout, ...other });
  const generations = () => [generation("one"), generation("two")];
  const [one, two] = generations();
  expect([one, two]).toEqual([expect.stringMatching(/^[0-9a-f]{8}$/), expect.stringMatching(/^[0-9a-f]{8}$/)]);
  module("views/one.ts", `// A comment.\n${define("one", "1")}`);
  expect(generations()).toEqual([one, two]);
  module(
    "views/one.ts",
    `${define("one", "1")}\nexport interface Quizzes { readonly jjjzzzqqqkkkwwwxxxyyyvvv: unknown }`,
  );
  expect(generations()).toEqual([one, two]);
  module("views/two.ts", define("two", "2"));
  const [, changed] = generations();
  expect(generations()).toEqual([one, changed]);
  expect(changed).not.toBe(two);
  helper("one", "export const value = (e: any) => e.value * 2;");
  expect(generation("one")).not.toBe(one);
  expect(generation("two")).toBe(changed);
  expect(() => generation("three")).toThrow('has no view "three"');
  // All that the place or the meaning of stored rows depends on is part of it, in whatever order it is named.
  const layouts: Partial<ViewLayout>[] = [
    { topic: "other" },
    { chunkSize: 2_000 },
    { shards: 4 },
    { chunksPerEra: 16 },
    { incarnation: 2 },
    ...Object.entries(layout.formats).map(([name, version]) => ({
      formats: { ...layout.formats, [name]: version + 1 },
    })),
  ];
  const others = layouts.map((other) => generation("two", other));
  expect(new Set([changed, ...others]).size).toBe(1 + layouts.length);
  expect(generation("two", Object.fromEntries(Object.entries(layout).reverse()))).toBe(changed);
}, 60_000);

/** The README's own layout: everything in one module. */
const shared = {
  imports: `import * as z from "zod";
    import { application } from "~/jobs/application.ts";
    import { count, max, mean, sum } from "~/jobs/measures/index.ts";
    import { view } from "~/jobs/views/view.ts";`,
  schema: "const reading = z.object({ time: z.string(), site: z.string().min(1), celsius: z.number() });",
  helpers: `const kelvin = (celsius) => celsius + offset;
    const offset = 273;
    function label(site) { return site.toUpperCase(); }`,
  measures: "const common = { readings: count(), mean: mean((reading) => reading.celsius, { scale: 2 }) };",
  bySite: `const bySite = view({ name: "by-site", time: (reading) => reading.time, granularity: "hour",
      key: { site: (reading) => label(reading.site) }, measures: { ...common } });`,
  byDay: `export const byDay = view({ name: "by-day", time: (reading) => reading.time, granularity: "day",
      key: { site: (reading) => reading.site },
      measures: { ...common, warmest: max((reading) => kelvin(reading.celsius)) } });`,
  application: "export default application({ event: reading, views: [bySite, byDay] });",
};

/** The generations of both views of the one module, in which parts are other ones. */
function ofOneModule(changed: Partial<typeof shared> = {}): { bySite: string; byDay: string } {
  const file = module("shared/index.ts", Object.values({ ...shared, ...changed }).join("\n"));
  return { bySite: viewGeneration(file, "by-site", layout), byDay: viewGeneration(file, "by-day", layout) };
}

test("views in one module are recomputed by what decides on their own rows, and by nothing else", () => {
  mkdirSync(join(folder, "shared"));
  symlinkSync(join(checkout, "node_modules"), join(folder, "shared", "node_modules"));
  const before = ofOneModule();
  expect(before.bySite).not.toBe(before.byDay);
  const differs = (changed: Partial<typeof shared>) => {
    const after = ofOneModule(changed);
    return { bySite: after.bySite !== before.bySite, byDay: after.byDay !== before.byDay };
  };
  const [neither, both] = [
    { bySite: false, byDay: false },
    { bySite: true, byDay: true },
  ];
  // A measure of one view, which it has alone, is renamed.
  expect(differs({ byDay: shared.byDay.replace("warmest", "hottest") })).toEqual({ bySite: false, byDay: true });
  // What a helper of a helper of one view says.
  expect(differs({ helpers: shared.helpers.replace("273", "273.15") })).toEqual({ bySite: false, byDay: true });
  expect(differs({ helpers: shared.helpers.replace("toUpperCase", "toLowerCase") })).toEqual({
    bySite: true,
    byDay: false,
  });
  // What both have.
  expect(differs({ measures: shared.measures.replace("scale: 2", "scale: 3") })).toEqual(both);
  // Which events there are.
  expect(differs({ schema: shared.schema.replace("min(1)", "min(2)") })).toEqual(both);
  // Comments, names, and a view that comes or goes.
  expect(
    differs({ schema: `// Why.\n${shared.schema}`, helpers: shared.helpers.replaceAll("offset", "zero") }),
  ).toEqual(neither);
  const third = `${shared.byDay}
    const celsius = 1, third = view({ name: "third", time: (e) => e.time, granularity: "day",
      key: { site: (e) => e.site }, measures: { sum: sum((e) => e.celsius + celsius) } });`;
  expect(
    differs({ byDay: third, application: shared.application.replace("bySite, byDay", "third, bySite, byDay") }),
  ).toEqual(neither);
}, 120_000);

test("whatever may change another view's rows while the module is loaded counts for all of them", () => {
  const effects = (text: string) => ofOneModule({ helpers: `${shared.helpers}\n${text}` });
  const differs = (one: string, other: string) => {
    const [before, after] = [effects(one), effects(other)];
    return { bySite: before.bySite !== after.bySite, byDay: before.byDay !== after.byDay };
  };
  const both = { bySite: true, byDay: true };
  expect(differs("z.config({ jitless: true });", "z.config({ jitless: false });")).toEqual(both);
  expect(differs("Array.prototype.own = 1;", "Array.prototype.own = 2;")).toEqual(both);
  expect(
    differs("const made = Object.assign(label, { a: 1 });", "const made = Object.assign(label, { a: 2 });"),
  ).toEqual(both);
  expect(differs("if (label.length > 1) globalThis.x = 1;", "if (label.length > 2) globalThis.x = 1;")).toEqual(both);
  // Nobody uses it, and it does nothing but be there.
  expect(differs("const unused = new Set([1]);", "const unused = new Set([2]);")).toEqual({
    bySite: false,
    byDay: false,
  });
}, 120_000);

test("an application whose list of views cannot be read is a part of each of its views", () => {
  const whole = {
    ...shared,
    application: "export default application({ event: reading, views: [bySite, byDay].slice() });",
  };
  const before = ofOneModule(whole);
  const after = ofOneModule({ ...whole, byDay: shared.byDay.replace("warmest", "hottest") });
  expect(after.bySite).not.toBe(before.bySite);
  expect(after.byDay).not.toBe(before.byDay);
}, 60_000);
