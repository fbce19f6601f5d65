import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withLock } from "../../../scripts/setup/lock.mjs";

describe("withLock", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lambda-architecture-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("lets one work at a time, and releases the lock even when the work fails", async () => {
    const file = join(folder, "made", "lock");
    const order: string[] = [];
    const first = withLock(file, async () => {
      order.push("first begins");
      await wait(300);
      order.push("first ends");
      throw new Error("failed");
    });
    const second = withLock(file, async () => order.push("second"));
    await expect(first).rejects.toThrow("failed");
    await second;
    expect(order).toEqual(["first begins", "first ends", "second"]);
    expect(existsSync(file)).toBe(false);
  });

  test("takes over the lock of a process that died", async () => {
    const file = join(folder, "lock");
    const dead = spawnSync(process.execPath, ["--version"]).pid;
    writeFileSync(file, `${dead}\n`);
    expect(await withLock(file, async () => "done")).toBe("done");
  });
});
