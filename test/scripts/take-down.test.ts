import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hasStacks, removeFiles } from "../../scripts/take-down.ts";

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

test("data stays where it is not to be deleted, and then nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), "stack-"));
  const data = join(folder, "data");
  mkdirSync(join(folder, "kafka-broker-0", "logs"), { recursive: true });
  mkdirSync(join(data, "kafka-broker-0"), { recursive: true });
  expect(removeFiles(folder, false)).toBe(data);
  expect([existsSync(join(folder, "kafka-broker-0")), existsSync(join(data, "kafka-broker-0"))]).toEqual([false, true]);
  expect(removeFiles(folder, true)).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
  mkdirSync(data, { recursive: true });
  expect(removeFiles(folder, false)).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
});
