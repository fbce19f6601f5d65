import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { archivedRange, partitionFolder } from "../../jobs/archive/layout.ts";
import { fetch } from "../../jobs/fetch.ts";
import { openStorage } from "../../jobs/storage/open-storage.ts";
import { runBatch } from "../demo/architecture.ts";
import { childrenCpu, cpuBetween, cpuTimes } from "./cpu.ts";
import type { Results } from "./results.ts";
import { runProgram } from "./run-program.ts";
import type { Session } from "./session.ts";

const yardstick = fileURLToPath(new URL("./yardstick.ts", import.meta.url));

/** What a batch run took, in seconds. */
export interface BatchCost {
  readonly events: number;
  readonly wall: number;
  /** CPU of the MapReduce job: its containers and the client that submits it. */
  readonly cpu: number;
}

/**
 * Batch runs over all that is archived, and beside them the yardstick: one pass in memory over the same files.
 *
 * @returns what the runs took
 */
export async function measureBatch(
  session: Session,
  results: Results,
  { of, runs }: { of: string; runs: number },
): Promise<BatchCost[]> {
  const costs: BatchCost[] = [];
  const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-bench-"));
  try {
    await download(session, folder);
    for (let run = 0; run < runs; run++) {
      const plain = await runProgram<{ events: number; seconds: number; cpu: number }>(
        yardstick,
        ["--max-old-space-size=4096"],
        [`--module=${session.architecture.application}`, folder],
      );
      const cost = await batchRun(session);
      costs.push({ events: plain.events, wall: cost.mapReduce, cpu: cost.cpu });
      const subject = { part: "batch", of } as const;
      const perEvent = (seconds: number) => (seconds / plain.events) * 1e6;
      results.add({ ...subject, what: "run, until it answers", unit: "s" }, cost.wall);
      results.add({ ...subject, what: "of which MapReduce", unit: "s" }, cost.mapReduce);
      results.add({ ...subject, what: "MapReduce, CPU", unit: "µs/event" }, perEvent(cost.cpu));
      results.add({ ...subject, what: "of which loading, CPU of Druid", unit: "µs/event" }, perEvent(cost.druid));
      results.add({ ...subject, what: "yardstick, wall", unit: "s" }, plain.seconds);
      results.add({ ...subject, what: "yardstick, CPU", unit: "µs/event" }, perEvent(plain.cpu));
      results.add({ ...subject, what: "MapReduce's CPU, to the yardstick's", unit: "×" }, cost.cpu / plain.cpu);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return costs;
}

async function batchRun({ stack, architecture }: Session) {
  const [before, clientBefore] = [await cpuTimes(stack), await childrenCpu()];
  const began = performance.now();
  let [submitted, computed] = [began, began];
  await runBatch([...architecture.batchCommand, "--force"], (line) => {
    if (line.includes("SUBMITTING")) submitted = performance.now();
    if (line.includes("computed from")) computed = performance.now();
  });
  const wall = (performance.now() - began) / 1_000;
  const [used, client] = [cpuBetween(before, await cpuTimes(stack)), (await childrenCpu()) - clientBefore];
  return {
    wall,
    mapReduce: (computed - submitted) / 1_000,
    cpu: (used.get("yarn") ?? 0) + client,
    druid: used.get("druid") ?? 0,
  };
}

/** Copies the master dataset's files. */
async function download({ architecture }: Session, folder: string): Promise<void> {
  const { configuration } = architecture;
  const { storage: at, masterDataset, partitions } = configuration;
  using storage = openStorage(at);
  for (let partition = 0; partition < partitions; partition++) {
    const from = partitionFolder(masterDataset, { ...configuration, partition });
    for (const name of (await storage.list(from)).filter((name) => archivedRange(name) !== undefined)) {
      const response = await fetch(await storage.readUrl(`${from}/${name}`));
      if (!response.ok || response.body === null) throw new Error(`${name} cannot be read: ${response.status}`);
      await pipeline(response.body, createWriteStream(join(folder, `${partition}-${name}`)));
    }
  }
}
