import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import { Client } from "cassandra-driver";
import { expect, test } from "vitest";
import { instances } from "../../components/targets/local/index.ts";
import type { Offsets } from "../../jobs/chunks.ts";
import { readIncarnation } from "../../jobs/log/incarnation.ts";
import type { WikipediaEdit } from "../../jobs/wikipedia/event.ts";
import { runCommand } from "../../scripts/demo/architecture.ts";
import { stackFolder } from "../../scripts/environment.ts";
import { kill } from "../support/kill.ts";
import { pulumiPasses, type WholeArchitecture } from "../support/whole-architecture.ts";

const topic = "identity";
const top = "/views/edits-by-channel/top?measure=edits&limit=1";

/**
 * Steps and expected results:
 * 1. Another topic under the same views: a preview says that all of them are recomputed; then answers have the new topic's
 *    events alone.
 * 2. All is archived, and in a batch view. Every process is killed, every partition loses its tail, as where a machine
 *    without a disk's promise lost power. `up`: answers are not complete and say why, and stay so while new events come.
 *    `npm run batch -- --accept-loss`: answers are exact over every event that was archived, and the new ones.
 * 3. The topic is deleted and made again: the same.
 *
 * It changes the stack's topic, and so comes after all that asks for the former one.
 *
 * @param whole the running stack
 */
export function registerLogIdentity(whole: () => WholeArchitecture): void {
  /** What is archived of the former lives of the log. It is before every offset of the one that is. */
  let former: Awaited<ReturnType<WholeArchitecture["events"]>> = [];

  /** Compares with every event that must be in answers: archived ones of former lives, and those of the log from its begin on. */
  async function expectExact(first: Offsets): Promise<void> {
    const now = (await whole().events()).filter(({ partition, offset }) => offset >= (first[partition] ?? 0));
    const expected = new Map<string, { edits: number; added: number }>();
    for (const { event } of [...former, ...now]) {
      if (event === undefined) continue;
      const { channel, added } = event as WikipediaEdit;
      const sums = expected.get(channel) ?? { edits: 0, added: 0 };
      expected.set(channel, { edits: sums.edits + 1, added: sums.added + added });
    }
    for (const measure of ["edits", "added"] as const) {
      const path = `/views/edits-by-channel/top?limit=50&measure=${measure}`;
      let answer = await whole().ask(path);
      for (const end = Date.now() + 120_000; !answer.contains.complete && Date.now() < end; await sleep(500))
        answer = await whole().ask(path);
      expect(answer.contains).toMatchObject({ complete: true, lag: 0, problems: [] });
      const values = [...expected.values()].map((sums) => sums[measure]).sort((one, other) => other - one);
      expect(answer.rows.map(({ value }: { value: number }) => value)).toEqual(values.slice(0, 50));
      for (const { key, value } of answer.rows) expect(value, key.channel).toBe(expected.get(key.channel)?.[measure]);
    }
  }

  async function expectProblem(reason: RegExp): Promise<void> {
    const { contains } = await whole().ask(top);
    expect(contains.complete).toBe(false);
    expect(contains.problems.join("\n")).toMatch(reason);
  }

  /** Accepts what is lost, as a person does. Returns where the incarnation begins. */
  async function acceptLoss(): Promise<Offsets> {
    const lines: string[] = [];
    const command = [process.execPath, "scripts/batch.ts", "--accept-loss", "--stack", whole().stack];
    expect(await runCommand(command, (line) => lines.push(line)), lines.join("\n")).toBe(0);
    const begin = lines.map((line) => /incarnation \d+ of the log begins at (\{.*?\});/.exec(line)?.[1]).find(Boolean);
    expect(begin, lines.join("\n")).toBeDefined();
    await whole().up();
    return JSON.parse(begin ?? "{}");
  }

  test("another topic under the same views is computed beside the former one, and alone answers", async () => {
    const { stack } = whole();
    await pulumiPasses(stack, "config", "set", "topic", topic);
    const preview = await pulumiPasses(stack, "preview", "--diff");
    await whole().up();
    expect(preview).toMatch(/view edits-by-channel is recomputed/);
    expect((await whole().ask(top)).rows).toEqual([]);
    // Many batches in every partition, of which some can be lost.
    for (let seed = 401; seed <= 404; seed++) await whole().playGenerated(seed, 3_000);
    await whole().expectExact();
  });

  test("a log that lost its tail is told in every answer, and once that is accepted answers are exact again", async () => {
    await whole().runBatch("--seal");
    former = await whole().events();
    const folder = stackFolder(whole().stack);
    const ends = await whole().logEnd();
    // Who watches over a server may start it again in between.
    for (let pids = await processes(folder); pids.length > 0; pids = await processes(folder)) await kill(...pids);
    const folders = partitionFolders(folder);
    expect(folders.filter(cutTail), folders.map((log) => `${log}: ${readdirSync(log)}`).join("\n")).toHaveLength(
      folders.length,
    );
    await whole().up();
    const cut = await whole().logEnd();
    for (const [partition, end] of Object.entries(ends)) expect(cut[partition]).toBeLessThan(end);
    await expectProblem(/but was read up to/);
    await whole().playGenerated(411, 12_500);
    await expectProblem(/lost its tail/);
    await expectExact(await acceptLoss());
  });

  test("a topic that was made again is told in every answer, and once that is accepted answers are exact again", async () => {
    await whole().runBatch("--seal");
    const { kafka, partitions } = whole().architecture.configuration;
    const before = former;
    const cut = await logBegin(whole());
    former = [
      ...before,
      ...(await whole().events()).filter(({ partition, offset }) => offset >= (cut[partition] ?? 0)),
    ];
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [...kafka.bootstrapServers] });
    await admin.deleteTopics({ topics: [topic] });
    await sleep(3_000);
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
    await admin.close();
    await whole().playGenerated(412, 2_500);
    await expectProblem(/was deleted and made again/);
    await expectExact(await acceptLoss());
  });
}

/** Where the incarnation of the log that is begins. */
async function logBegin(whole: WholeArchitecture): Promise<Offsets> {
  const { cassandra, incarnation } = whole.architecture.configuration;
  const { contactPoints, localDataCenter, keyspace } = cassandra;
  const client = new Client({ contactPoints, localDataCenter, keyspace });
  const life = await readIncarnation(client, topic, incarnation);
  await client.shutdown();
  return life?.first ?? {};
}

async function processes(folder: string): Promise<number[]> {
  return (await instances(folder)).flatMap(({ pids }) => pids);
}

/** The folders of the topic's partitions, of every broker. */
function partitionFolders(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory() && new RegExp(`^${topic}-\\d+$`).test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Takes the last third of a log's batches away, as if they had never come to the disk.
 *
 * @returns whether it had so many that any is gone
 */
function cutTail(folder: string): boolean {
  const segments = readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .sort();
  const batches = segments.flatMap((segment) => {
    const log = readFileSync(join(folder, segment));
    const ends: number[] = [];
    for (let at = 0; at + 12 <= log.length; ) {
      at += 12 + log.readInt32BE(at + 8);
      ends.push(at);
    }
    return ends.map((end) => ({ segment, end }));
  });
  const last = batches[Math.floor((batches.length * 2) / 3) - 1];
  if (last === undefined) return false;
  for (const segment of segments) if (segment > last.segment) rmSync(join(folder, segment));
  truncateSync(join(folder, last.segment), last.end);
  for (const name of readdirSync(folder))
    if (/\.(index|timeindex|txnindex|snapshot)$/.test(name)) rmSync(join(folder, name));
  return true;
}
