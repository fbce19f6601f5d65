import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeArguments } from "../../jobs/node-arguments.ts";
import { stateFolder } from "../environment.ts";
import type { Results } from "./results.ts";
import { runProgram } from "./run-program.ts";
import { logEnd, type Session } from "./session.ts";

const passes = fileURLToPath(new URL("./stage-passes.ts", import.meta.url));

/** The stages of a bolt's work, in order. */
const stages = ["fetch", "parse", "validate", "aggregate", "encode", "upsert"] as const;

/** What stage-passes.ts prints. */
interface Passes {
  readonly events: number;
  readonly took: Readonly<Record<string, number>>;
}

/** The largest JavaScript heap of a bolt, in MiB: see jobs/speed/topology.ts. */
const boltHeap = 192;

/** The most events of a run: a later run takes later ones. */
const mostEvents = 200_000;

/**
 * What a bolt does with an event, stage by stage, in a process of its own with the same heap as a bolt: see
 * stage-passes.ts. The log must hold events.
 */
export async function measureStages(
  session: Session,
  results: Results,
  { of, runs }: { of: string; runs: number },
): Promise<void> {
  const { architecture } = session;
  const folder = join(stateFolder, "bench");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "configuration.json");
  writeFileSync(file, JSON.stringify(architecture.configuration));
  const { partitions, chunkSize } = architecture.configuration;
  const held = Math.min(...Object.values(await logEnd(session))) * partitions;
  const events = Math.min(mostEvents, held);
  for (let run = 0; run < runs; run++) {
    const last = Math.max(1, Math.floor((held - events) / events) + 1);
    const from = Math.floor(((run % last) * events) / partitions / chunkSize) * chunkSize;
    const { events: counted, took } = await runProgram<Passes>(passes, nodeArguments(boltHeap), [
      `--configuration=${file}`,
      `--module=${architecture.application}`,
      `--from=${from}`,
      `--events=${events}`,
    ]);
    let before = 0;
    for (const stage of stages) {
      const now = took[stage] ?? 0;
      const subject = { part: "stages", of, what: `CPU, Node, ${stage}`, unit: "µs/event" } as const;
      results.add(subject, ((now - before) / counted) * 1e6);
      before = now;
    }
    results.add({ part: "stages", of, what: "CPU, Node, all", unit: "µs/event" }, (before / counted) * 1e6);
  }
}
