import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { availableMemory, freeOfMachine } from "../../../../components/targets/local/machine.ts";

test("available memory is what the system would give without swapping", () => {
  const meminfo = "MemTotal:       24684456 kB\nMemFree:        14842520 kB\nMemAvailable:   19308544 kB\n";
  expect(availableMemory(meminfo)).toBe(18856);
  expect(availableMemory("MemTotal: 1 kB\n")).toBeUndefined();
});

test("a folder that does not exist yet is on the disk of the one above it", async () => {
  const { disk } = await freeOfMachine(join(tmpdir(), "not", "there", "yet"));
  expect(disk).toBeGreaterThan(0);
});
