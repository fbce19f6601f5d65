import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hasStacks } from "../../scripts/take-down.ts";

test("a backend has stacks while there is one of any project", () => {
  const folder = mkdtempSync(join(tmpdir(), "state-"));
  try {
    expect(hasStacks(folder)).toBe(false);
    const stacks = join(folder, "state", ".pulumi", "stacks");
    mkdirSync(join(stacks, "kafka"), { recursive: true });
    writeFileSync(join(stacks, "kafka", "dev.json.bak"), "{}");
    expect(hasStacks(folder)).toBe(false);
    writeFileSync(join(stacks, "kafka", "dev.json"), "{}");
    expect(hasStacks(folder)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
