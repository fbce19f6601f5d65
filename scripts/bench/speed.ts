import { cpuBetween, cpuTimes } from "./cpu.ts";
import { bytesOf, type DataSet, Feed } from "./feed.ts";
import { whileStopped } from "./processes.ts";
import type { Results } from "./results.ts";
import { archiverDrained, logEnd, type Session, speedDrained, timed } from "./session.ts";

/** Events written while the spout is held: a few seconds of writing, less than Storm waits for it. */
const sliceEvents = 250_000;
/** Events that come before, since what the programs do first they do slowly. */
const warmUpEvents = 100_000;

/** The processes and servers that the speed layer's work takes. */
const groups = ["bolt", "spout", "storm", "kafka", "cassandra"];

/**
 * The speed layer in its topology, working off a back-log: the events are written while the spout is held, slice after
 * slice, and the time from then to the last acknowledged row is taken, together with the CPU time of every process
 * that has a part in it. The archiver is held meanwhile, and measured alone afterwards with the same events.
 */
export async function measureSpeed(
  session: Session,
  results: Results,
  args: {
    readonly of: string;
    readonly dataSet: DataSet;
    readonly events: number;
    readonly runs: number;
    /** Whether to measure the archiver too. */
    readonly archiver: boolean;
  },
): Promise<void> {
  const { of, dataSet, events, runs } = args;
  await using feed = await Feed.open(session.architecture, dataSet);
  await warmUp(session, feed, Math.min(events, warmUpEvents));
  for (let run = 0; run < runs; run++) {
    const { seconds, cpu, archiveAll } = await work(session, feed, events);
    const speed = { part: "speed", of: `${of}, ${dataSet}` } as const;
    results.add({ ...speed, what: "speed layer", unit: "events/s" }, events / seconds);
    for (const group of groups)
      results.add({ ...speed, what: `CPU, ${group}`, unit: "µs/event" }, ((cpu.get(group) ?? 0) / events) * 1e6);
    if (!args.archiver) continue;
    const archived = await archiveAll();
    const archive = { part: "speed", of: `archiver, ${dataSet}` } as const;
    results.add({ ...archive, what: "archived", unit: "MB/s" }, archived.bytes / archived.seconds / 1e6);
    results.add({ ...archive, what: "CPU, archiver", unit: "µs/event" }, (archived.cpu / events) * 1e6);
    results.add({ ...archive, what: "CPU, HDFS", unit: "µs/event" }, (archived.hdfs / events) * 1e6);
  }
}

/** Gives events to a stack, perhaps before its topology runs, and waits until the speed layer has worked them off. */
export async function warmUp(session: Session, feed: Feed, events: number): Promise<void> {
  const from = await logEnd(session);
  await feed.send(feed.prepare(events));
  await speedDrained(session, from);
}

/**
 * Gives so many events to a stack and waits until the speed layer has worked them off.
 *
 * @returns what it took, in seconds, also the CPU times of every group; and a function that waits until the archiver,
 *   held up to now, has archived them
 */
export async function work(session: Session, feed: Feed, events: number) {
  const cpu = new Map<string, number>();
  let seconds = 0;
  let bytes = 0;
  const before = await whileStopped(session.stack, "archiver", async () => {
    for (let done = 0; done < events; done += sliceEvents) {
      const slice = feed.prepare(Math.min(sliceEvents, events - done));
      bytes += bytesOf(slice);
      const from = await logEnd(session);
      const held = await whileStopped(session.stack, "spout", async () => {
        await feed.send(slice);
        return cpuTimes(session.stack);
      });
      seconds += (await timed(() => speedDrained(session, from))).seconds;
      for (const [group, used] of cpuBetween(held, await cpuTimes(session.stack)))
        cpu.set(group, (cpu.get(group) ?? 0) + used);
    }
    return cpuTimes(session.stack);
  });
  const archiveAll = async () => {
    const archived = await timed(() => archiverDrained(session));
    const used = cpuBetween(before, await cpuTimes(session.stack));
    return { bytes, seconds: archived.seconds, cpu: used.get("archiver") ?? 0, hdfs: used.get("hdfs") ?? 0 };
  };
  return { seconds, cpu, archiveAll };
}
