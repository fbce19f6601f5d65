import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder } from "../../components/cache-folder.mjs";

test("is where the XDG specification says", () => {
  expect(cacheFolder({ XDG_CACHE_HOME: "/var/cache" })).toBe("/var/cache/lambda-architecture");
  const byDefault = join(homedir(), ".cache", "lambda-architecture");
  expect(cacheFolder({})).toBe(byDefault);
  expect(cacheFolder({ XDG_CACHE_HOME: "" })).toBe(byDefault);
  expect(cacheFolder({ XDG_CACHE_HOME: "relative" })).toBe(byDefault);
});
