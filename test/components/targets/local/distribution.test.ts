import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { distributionDirectory, mavenErrors } from "../../../../components/targets/local/distribution.ts";

test("a distribution's folder is named by the content of its parts, not by where they lie", () => {
  const folder = mkdtempSync(join(tmpdir(), "distribution-"));
  try {
    const part = join(folder, "part");
    mkdirSync(join(part, "files"), { recursive: true });
    writeFileSync(join(part, "pom.xml"), "<project/>");
    const directory = (lib = part) => distributionDirectory({ name: "toy", parts: { lib } });
    const before = directory();
    expect(before).toMatch(/\/lambda-architecture\/distributions\/toy-[0-9a-f]{12}$/);
    cpSync(part, join(folder, "moved"), { recursive: true });
    expect(directory(join(folder, "moved"))).toBe(before);
    mkdirSync(join(part, "target"));
    writeFileSync(join(part, "target", "toy.jar"), "made by Maven");
    expect(directory()).toBe(before);
    writeFileSync(join(part, "files", "a"), "");
    expect(directory()).not.toBe(before);
    expect(distributionDirectory({ name: "toy", parts: { other: part } })).not.toBe(directory());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("of Maven's output, a person is shown the lines that say what failed", () => {
  const output = `[INFO] Scanning
[ERROR] Failed to execute goal on project toy: Could not find artifact a:b:jar:1 in central -> [Help 1]
[ERROR] 
[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.
[ERROR] [Help 1] http://cwiki.apache.org/`;
  expect(mavenErrors(output)).toBe(
    "  Failed to execute goal on project toy: Could not find artifact a:b:jar:1 in central -> [Help 1]",
  );
  expect(mavenErrors("no such option")).toBe("  no such option");
});
