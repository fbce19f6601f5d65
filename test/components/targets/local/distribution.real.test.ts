import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDistribution } from "../../../../components/targets/local/distribution.ts";

const folder = mkdtempSync(join(tmpdir(), "distribution "));
const cache = process.env.XDG_CACHE_HOME;
beforeAll(() => {
  process.env.XDG_CACHE_HOME = join(folder, "cache");
});
afterAll(() => {
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
  rmSync(folder, { recursive: true });
});

/** A part with one dependency, which in turn has one at run time and one that only tests need. */
function part(name: string, version: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, "files", "bin"), { recursive: true });
  writeFileSync(join(path, "files", "bin", "run"), "plain");
  writeFileSync(
    join(path, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>${name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>`,
  );
  return path;
}

test("Maven's jars and the plain files appear once, whoever asks", async () => {
  const distribution = { name: "toy", parts: { lib: part("lib", "2.0.16") } };
  const progress: string[] = [];
  const options = { onProgress: (message: string) => progress.push(message) };
  const [first, second] = await Promise.all([
    ensureDistribution(distribution, options),
    ensureDistribution(distribution, options),
  ]);
  expect(second).toBe(first);
  expect(progress).toEqual(["toy: fetching lib with Maven"]);
  expect(readdirSync(join(first, "lib")).sort()).toEqual(["bin", "slf4j-api-2.0.16.jar", "slf4j-simple-2.0.16.jar"]);
  expect(readFileSync(join(first, "lib", "bin", "run"), "utf8")).toBe("plain");
  expect(readdirSync(dirname(first)).filter((name) => name.startsWith("."))).toEqual([]);
});

test("what Maven cannot find is named, with the system and the mend, and nothing is left", async () => {
  const distribution = { name: "broken", parts: { lib: part("broken", "0.0.0-none") } };
  const failure = await ensureDistribution(distribution).catch((error: Error) => error.message);
  expect(failure).toMatch(/^The jars of broken cannot be fetched; Maven says:\n/);
  expect(failure).toContain("slf4j-simple:jar:0.0.0-none");
  expect(failure).toContain("~/.m2/settings.xml");
  expect(readdirSync(join(folder, "cache", "lambda-architecture", "distributions"))).toEqual([
    expect.stringMatching(/^toy-/),
  ]);
});
