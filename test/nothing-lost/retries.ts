import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import { Client } from "cassandra-driver";
import { expect, test } from "vitest";
import { loadApplication } from "../../components/application.ts";
import { instances } from "../../components/targets/local/index.ts";
import type { Offsets } from "../../jobs/chunks.ts";
import { checkAnswers } from "../../jobs/oracle/check.ts";
import type { Hole } from "../../jobs/serving/coverage.ts";
import { progressTable } from "../../jobs/speed/tables.ts";
import { stackFolder } from "../../scripts/environment.ts";
import type { WholeArchitecture } from "../support/whole-architecture.ts";

/**
 * Steps and expected results:
 * 1. Cassandra is away while events come: the speed layer's chunks are given out and fail. Meanwhile they are archived,
 *    and somebody deletes them from Kafka: the log begins behind them.
 * 2. Cassandra is back: the chunks that cannot be read any more are dropped, and everything behind them is worked off;
 *    answers name the hole and are not complete.
 * 3. A batch run covers the hole: answers are exact again, over every event there ever was.
 *
 * It is the last of its stack: afterwards Kafka does not hold every event.
 *
 * @param whole the running stack
 */
export function registerRetries(whole: () => WholeArchitecture): void {
  test("chunks that failed and that the log then lost do not stop what comes behind them", async () => {
    await whole().expectExact();
    const cassandra = (await instances(stackFolder(whole().stack))).filter(({ name }) => /cassandra-node/.test(name));
    const pids = cassandra.flatMap(({ pids }) => pids);
    expect(pids.length).toBeGreaterThan(0);
    let events: Awaited<ReturnType<WholeArchitecture["events"]>> = [];
    let deleted: Offsets = {};
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    try {
      await whole().playGenerated(201, 30_000);
      await until(
        "the archiver to archive every whole chunk",
        async () => !isBefore(await archived(whole()), await wholeChunks(whole())),
      );
      // Longer than a bolt tries to write.
      await sleep(30_000);
      events = await whole().events();
      deleted = await wholeChunks(whole());
      await deleteRecords(whole(), deleted);
    } finally {
      for (const pid of pids) process.kill(pid, "SIGCONT");
    }

    const end = await whole().logEnd();
    await until("the speed layer to work off what comes behind", async () => !isBefore(await written(whole()), end));
    const { contains } = await whole().ask("/views/edits-by-channel/top?measure=edits&limit=1");
    expect(contains.complete).toBe(false);
    // Of what was under way something may have been read before it was deleted: the hole begins behind it.
    for (const [partition, to] of Object.entries(deleted)) {
      const hole = contains.holes.find((each: Hole) => each.partition === Number(partition));
      expect(hole).toMatchObject({ to, accepted: false });
      expect(hole.from).toBeGreaterThanOrEqual(contains.speed[partition]);
    }

    await whole().runBatch();
    const { application } = await loadApplication(whole().architecture.application);
    const { queryUrl } = whole().architecture;
    const result = await checkAnswers({ queryUrl, application, events, queries: 200, settled: true });
    expect(result).toMatchObject({ differing: 0, differ: [], answers: 200 });
  });
}

/** Where the whole chunks of the log end. */
async function wholeChunks(whole: WholeArchitecture): Promise<Offsets> {
  const { chunkSize } = whole.architecture.configuration;
  const ends = Object.entries(await whole.logEnd());
  return Object.fromEntries(ends.map(([partition, end]) => [partition, end - (end % chunkSize)]));
}

/** Up to where the master dataset holds every partition, as the serving layer sees it. */
async function archived({ architecture }: WholeArchitecture): Promise<Offsets> {
  const text = await (await fetch(`${architecture.queryUrl}/metrics`)).text();
  const found = text.matchAll(/^lambda_archived_offset\{partition="(\d+)"\} (\d+)$/gm);
  return Object.fromEntries([...found].map(([, partition, offset]) => [partition, Number(offset)]));
}

/** Up to where the last chunk of each partition is written, in the view that is furthest behind. */
async function written({ architecture }: WholeArchitecture): Promise<Offsets> {
  const { cassandra, generations, partitions } = architecture.configuration;
  const client = new Client({ ...cassandra });
  const ends: Record<string, number> = {};
  for (const [view, generation] of Object.entries(generations))
    for (let partition = 0; partition < partitions; partition++) {
      const query = `SELECT MAX(end_offset) AS last FROM ${progressTable(view, generation)} WHERE partition = ${partition}`;
      const last = Number((await client.execute(query)).first().last ?? 0);
      ends[partition] = Math.min(ends[partition] ?? last, last);
    }
  await client.shutdown();
  return ends;
}

/** Deletes what Kafka holds before the offsets, as anybody may who reaches it. */
async function deleteRecords({ architecture }: WholeArchitecture, before: Offsets): Promise<void> {
  const { kafka, topic } = architecture.configuration;
  const admin = new Admin({ clientId: "somebody", bootstrapBrokers: [...kafka.bootstrapServers] });
  const partitions = Object.entries(before).map(([partition, offset]) => ({
    partition: Number(partition),
    offset: BigInt(offset),
  }));
  await admin.deleteRecords({ topics: [{ name: topic, partitions }] });
  await admin.close();
}

function isBefore(reached: Offsets, goal: Offsets): boolean {
  return Object.entries(goal).some(([partition, offset]) => (reached[partition] ?? 0) < offset);
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 180_000; !(await condition()); await sleep(500))
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
}
