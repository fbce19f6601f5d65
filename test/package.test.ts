import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import description from "../package.json" with { type: "json" };

const checkout = join(import.meta.dirname, "..");
const modules = Object.entries(description.exports).filter(([name]) => name !== "./package.json");

test.each(modules)("%s of the package is compiled from a module of the sources", (_, path) => {
  expect(existsSync(join(checkout, path.replace("./dist/", "").replace(/\.js$/, ".ts")))).toBe(true);
});

test("each target but the local one, which needs no package of a cloud's, is a module of its own", () => {
  expect(modules.map(([name]) => name)).toEqual([".", "./jobs", "./docker", "./kubernetes", "./aws"]);
});
