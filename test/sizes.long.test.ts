/*
 * The whole architecture changes its size while events come, as a person does it: set `size`, `up`. On the local target,
 * from one server of each kind to several and back; after each step no answer differs from one pass in memory.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { instances } from "../components/targets/local/index.ts";
import { stackFolder } from "../scripts/environment.ts";
import { configure, pulumiPasses, WholeArchitecture } from "./support/whole-architecture.ts";

const stack = "test-sizes";
/** The kinds of servers of which `ha` has three, or two. */
const peers = {
  three: ["zookeeper-server", "kafka-broker", "hdfs-datanode", "cassandra-node"],
  two: ["storm-nimbus", "storm-supervisor", "yarn-nodemanager", "druid-historical", "druid-indexer"],
};
let whole: WholeArchitecture;

/** How many servers there are of a kind. */
async function count(kind: string): Promise<number> {
  const all = await instances(stackFolder(stack));
  return all.filter(({ name }) => name.replace(/-\d+$/, "").endsWith(kind)).length;
}

async function counts(kinds: readonly string[]): Promise<Record<string, number>> {
  return Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, await count(kind)])));
}

beforeAll(async () => {
  whole = await WholeArchitecture.bringUp(stack, { kafkaControllers: "1" });
});

afterAll(() => WholeArchitecture.remove(stack, whole));

/** Changes the size while events come. */
async function become(size: string, seed: number): Promise<void> {
  await configure(stack, { size });
  const playing = whole.playGenerated(seed, 6_000, 100);
  const began = performance.now();
  await pulumiPasses(stack, "up", "--yes", "--skip-preview");
  console.log(`to ${size}: ${((performance.now() - began) / 1_000).toFixed(0)} s`);
  await playing;
  await whole.close();
  whole = await WholeArchitecture.of(stack);
  await whole.expectExact();
  await pulumiPasses(stack, "up", "--yes", "--skip-preview", "--expect-no-changes");
  await whole.runBatch("--force");
  await whole.expectExact();
}

test("from tiny to ha: further servers take their part, answers are exact", async () => {
  await become("ha", 3);
  expect(await counts(peers.three)).toEqual(Object.fromEntries(peers.three.map((kind) => [kind, 3])));
  expect(await counts(peers.two)).toEqual(Object.fromEntries(peers.two.map((kind) => [kind, 2])));
});

test("in ha one of each that has peers is killed with its supervisor: answers are exact before up brings it back", async () => {
  const killed = [...peers.three, ...peers.two].map((kind) => `${kind}-1`);
  expect(await whole.killProcesses(new RegExp(`-(${killed.join("|")})$`), /./)).toBeGreaterThan(killed.length);
  await whole.playGenerated(4, 2_500);
  await whole.expectExact();
  await whole.runBatch("--force");
  await whole.expectExact();
  await pulumiPasses(stack, "up", "--yes", "--skip-preview");
  await whole.expectExact();
});

test("from ha to small: what leaves gives its data to what stays, answers are exact", async () => {
  await become("small", 5);
  const all = [...peers.three, ...peers.two];
  expect(await counts(all)).toEqual(Object.fromEntries(all.map((kind) => [kind, 1])));
});
