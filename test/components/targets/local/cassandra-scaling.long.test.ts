/*
 * Cassandra's nodes come and go while rows are written and read at LOCAL_QUORUM, on the local target with the real CLI.
 * All the time no row that was acknowledged may be missing in an answer. Steps and expected results:
 * 1. One node, killed with -9 in the middle of writing, several times: it comes back with every row.
 * 2. Then three: each of them alone has every row.
 * 3. Back to one, interrupted while a node leaves, and again: the ring has one member, which has every row.
 * 4. Rows are deleted, and up to three again, over what the nodes left behind: each of them alone has every other row.
 * 5. Back to one, interrupted until a node has left, and three wanted after all: it comes back.
 */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, policies, types } from "cassandra-driver";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stackMarker } from "../../../../components/targets/local/environment.ts";
import { loopbackAddress } from "../../../../components/targets/local/placement.ts";
import { listeningSockets } from "../../../support/listening-sockets.ts";
import { LocalProject } from "../../../support/local-project.ts";
import type { Plan } from "./scaling/program.ts";

const project = new LocalProject<Plan>("scaling", fileURLToPath(new URL("./scaling/program.ts", import.meta.url)));
const table = "CREATE TABLE IF NOT EXISTS total (key int PRIMARY KEY, edits int)";
const address = (index: number) =>
  loopbackAddress(`${project.stackFolder("one")}\0scaling\0one`, `cassandra-node-${index}`);
const nodes = (count: number) => Array.from({ length: count }, (_, index) => `cassandra-node-${index}`);
const planOf = (replicas: number): Plan => ({
  cassandra: { replicas, keyspaces: [{ name: "views", tables: [table] }] },
});
const scale = async (replicas: number) => {
  project.plan(planOf(replicas));
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
};

/** The keys of the rows that were acknowledged and are not deleted. */
const rows = new Set<number>();
const deleted = new Set<number>();
let next = 0;

beforeAll(() => project.succeed("stack", "init", "one"));
afterAll(() => project.remove("one"));

async function withClient<T>(only: number | undefined, use: (client: Client) => Promise<T>): Promise<T> {
  const { AllowListPolicy, RoundRobinPolicy } = policies.loadBalancing;
  const client = new Client({
    contactPoints: [`${address(only ?? 0)}:9042`],
    localDataCenter: "datacenter1",
    keyspace: "views",
    queryOptions: { consistency: types.consistencies.localQuorum, prepare: true, isIdempotent: true },
    ...(only !== undefined && {
      policies: { loadBalancing: new AllowListPolicy(new RoundRobinPolicy(), [`${address(only)}:9042`]) },
    }),
  });
  try {
    return await use(client);
  } finally {
    await client.shutdown();
  }
}

/** Does it until it succeeds: nodes start again meanwhile, and errors are no lost rows. */
async function insistently<T>(attempt: () => Promise<T>, goesOn: () => boolean = () => true): Promise<T | undefined> {
  for (const deadline = Date.now() + 120_000; ; await sleep(200)) {
    try {
      return await attempt();
    } catch (error) {
      if (!goesOn()) return undefined;
      if (Date.now() > deadline) throw error;
    }
  }
}

const insert = async (client: Client) => {
  const key = next++;
  await client.execute("INSERT INTO total (key, edits) VALUES (?, ?)", [key, key]);
  rows.add(key);
};

/** Writes and reads rows until told to stop. Returns how many reads were answered, and the rows that they missed. */
function use(): () => Promise<{ answers: number; missing: number[] }> {
  let goesOn = true;
  const used = withClient(undefined, async (client) => {
    let answers = 0;
    const missing: number[] = [];
    for (; goesOn; await sleep(5)) {
      await insistently(
        () => insert(client),
        () => goesOn,
      );
      const known = [...rows];
      const key = known[Math.floor(Math.random() * known.length)] as number;
      const answer = await insistently(
        () => client.execute("SELECT edits FROM total WHERE key = ?", [key]),
        () => goesOn,
      );
      if (answer === undefined) continue;
      answers++;
      if (answer.first()?.edits !== key) missing.push(key);
    }
    return { answers, missing };
  });
  return () => {
    goesOn = false;
    return used;
  };
}

/** The rows of a node, while all others are halted: none but itself can have answered. */
async function rowsOf(index: number, count: number): Promise<number[]> {
  const running = await project.running("one");
  const others = nodes(count)
    .filter((name) => name !== `cassandra-node-${index}`)
    .map((name) => running.get(name)?.pid as number);
  for (const pid of others) process.kill(pid, "SIGSTOP");
  try {
    const found = await withClient(index, (client) =>
      insistently(() =>
        client.execute("SELECT key, edits FROM total", [], {
          consistency: types.consistencies.localOne,
          fetchSize: 100_000,
        }),
      ),
    );
    return (found?.rows ?? []).filter(({ key, edits }) => key === edits).map(({ key }) => key as number);
  } finally {
    for (const pid of others) process.kill(pid, "SIGCONT");
  }
}

/** Each node by itself has every row, and none that was deleted. */
async function expectRowsOnEach(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const found = await rowsOf(index, count);
    const keys = new Set(found);
    // Those of which no answer came back may be there too.
    expect([...rows].filter((key) => !keys.has(key))).toEqual([]);
    expect(found.filter((key) => deleted.has(key))).toEqual([]);
  }
}

/** Starts to scale to one, and is interrupted when the first node has begun to hand its rows to the others. */
async function interruptedWhileNodesLeave(): Promise<void> {
  const log = join(project.stackFolder("one"), "cassandra-membership/logs/cassandra-membership.log");
  const before = (await readFile(log, "utf8")).length;
  project.plan(planOf(1));
  const run = project.start("up", "-y", "--skip-preview", "-s", "one");
  const ended = once(run, "exit");
  await expect
    .poll(async () => (await readFile(log, "utf8")).slice(before), { timeout: 300_000, interval: 200 })
    .toContain("hands its rows to the others");
  await sleep(2_000);
  run.kill("SIGINT");
  expect((await ended)[0]).not.toBe(0);
  expect([...(await project.running("one")).keys()].sort()).toEqual(nodes(3));
}

/** The addresses of the other nodes in the first one's ring. */
async function peers(): Promise<string[]> {
  const { rows } = await withClient(0, (client) => client.execute("SELECT peer FROM system.peers"));
  return rows.map(({ peer }) => String(peer)).sort();
}

async function expectRing(count: number): Promise<void> {
  expect([...(await project.running("one")).keys()].sort()).toEqual(nodes(count));
  const copies = await withClient(0, (client) =>
    client.execute("SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'views'"),
  );
  expect(await peers()).toEqual(Array.from({ length: count - 1 }, (_, index) => address(index + 1)).sort());
  expect(copies.first()?.replication.datacenter1).toBe(String(count));
}

test("a node killed with -9 in the middle of writing has every acknowledged row when it is back", async () => {
  await scale(1);
  for (let kill = 0; kill < 3; kill++) {
    const stop = use();
    await sleep(1_500);
    process.kill((await project.running("one")).get("cassandra-node-0")?.pid as number, "SIGKILL");
    expect((await stop()).missing).toEqual([]);
    await expectRowsOnEach(1);
  }
  expect(rows.size).toBeGreaterThan(100);
});

test("from one node to three: each of them gets every row", async () => {
  await withClient(0, async (client) => {
    while (rows.size < 2_000) await Promise.all(Array.from({ length: 100 }, () => insert(client)));
  });
  const stop = use();
  await scale(3);
  const { answers, missing } = await stop();
  expect(answers).toBeGreaterThan(100);
  expect(missing).toEqual([]);
  await expectRing(3);
  await expectRowsOnEach(3);
  const sockets = await listeningSockets(new RegExp(`^${stackMarker(project.stackFolder("one"))}`));
  expect(sockets.map(({ address, port }) => `${address}:${port}`).sort()).toEqual(
    [0, 1, 2].flatMap((index) => [7000, 7199, 9042].map((port) => `${address(index)}:${port}`)).sort(),
  );
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("back to one, interrupted while the first node leaves: the next run does the rest, and it has every row", async () => {
  const stop = use();
  await interruptedWhileNodesLeave();
  await scale(1);
  const { answers, missing } = await stop();
  expect(answers).toBeGreaterThan(100);
  expect(missing).toEqual([]);
  await expectRing(1);
  await expectRowsOnEach(1);
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("up to three again, over what the nodes left behind: every row, and none that was deleted meanwhile", async () => {
  await withClient(0, async (client) => {
    for (const key of [...rows].slice(0, 10)) {
      await client.execute("DELETE FROM total WHERE key = ?", [key]);
      rows.delete(key);
      deleted.add(key);
    }
  });
  await scale(3);
  await expectRing(3);
  await expectRowsOnEach(3);
});

test("back to one, interrupted, and three wanted after all: the node that had left comes back", async () => {
  await interruptedWhileNodesLeave();
  await expect.poll(async () => (await peers()).length, { timeout: 120_000 }).toBe(1);
  await scale(3);
  await expectRing(3);
  await expectRowsOnEach(3);
  await project.succeed("destroy", "-y", "--skip-preview", "-s", "one");
});
