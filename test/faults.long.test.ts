/*
 * The whole architecture on the local target loses what a machine and its people can take from it, one thing after the
 * other; after each the same question: does every answer still equal one pass in memory?
 * 1. The server of every instance is killed with -9, one after the other, while events come: each comes back by itself.
 * 2. Every process is killed at once, as when the machine reboots: `up` mends it.
 * 3. The keyspace of the speed views is dropped: `refresh` shows it, `up`
 *    mends it, and the speed layer computes anew what it held.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "cassandra-driver";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instances } from "../components/targets/local/index.ts";
import { stackFolder } from "../scripts/environment.ts";
import { pulumiPasses, WholeArchitecture } from "./support/whole-architecture.ts";

const stack = "test-faults";
let whole: WholeArchitecture;

beforeAll(async () => {
  whole = await WholeArchitecture.bringUp(stack);
});

afterAll(() => WholeArchitecture.remove(stack, whole));

test("the server of every instance killed with -9, one after the other: each comes back, answers are exact", async () => {
  const playing = whole.playGenerated(3, 20_000, 200);
  const servers = (await instances(stackFolder(stack))).filter(({ pid }) => pid !== undefined);
  // All systems, the jobs' own servers and the schedule of batch runs.
  expect(servers.length).toBeGreaterThan(16);
  for (const { name, pid, address, ports } of servers) {
    // A Storm supervisor's slots are open only where a worker runs.
    const open = await openPorts(address, Object.values(ports));
    process.kill(pid as number, "SIGKILL");
    const began = performance.now();
    await runsAgain(name, pid as number, open);
    console.log(`${name} takes connections ${((performance.now() - began) / 1_000).toFixed(1)} s after kill -9`);
  }
  await playing;
  await whole.expectExact();
  await pulumiPasses(stack, "up", "--yes", "--skip-preview", "--expect-no-changes");
});

test("all processes killed at once, as when the machine reboots: up mends it, the data is kept, answers are exact", async () => {
  // Again, since a supervisor may start something between the look at it and its end.
  while ((await whole.killProcesses(/./, /./)) > 0) await sleep(100);
  await pulumiPasses(stack, "up", "--yes", "--skip-preview");
  await whole.playGenerated(4, 5_000);
  await whole.expectExact();
  await whole.runBatch("--force");
  await whole.expectExact();
});

test("the keyspace dropped while events come: refresh shows it, up mends it, answers are exact", async () => {
  const { cassandra } = whole.architecture.configuration;
  const client = new Client({ contactPoints: cassandra.contactPoints, localDataCenter: cassandra.localDataCenter });
  await client.execute(`DROP KEYSPACE ${cassandra.keyspace}`);
  await client.shutdown();
  const playing = whole.playGenerated(5, 10_000, 200);
  const refresh = await pulumiPasses(stack, "refresh", "--preview-only", "--diff");
  expect(refresh).toContain(`keyspace ${cassandra.keyspace} is missing`);
  await pulumiPasses(stack, "up", "--yes", "--skip-preview");
  await playing;
  await whole.expectExact();
  await whole.runBatch("--force");
  await whole.expectExact();
  await pulumiPasses(stack, "up", "--yes", "--skip-preview", "--expect-no-changes");
});

/** Resolves when another process than before is an instance's server and listens on these ports. */
async function runsAgain(name: string, before: number, ports: readonly number[]): Promise<void> {
  for (const deadline = performance.now() + 120_000; ; await sleep(200)) {
    const { pid, address } = (await instances(stackFolder(stack))).find((each) => each.name === name) ?? {};
    const isBack = pid !== undefined && pid !== before;
    if (isBack && (await openPorts(address, ports)).length === ports.length) return;
    if (performance.now() > deadline) throw new Error(`${name} was killed and is not back after two minutes`);
  }
}

/** Those of an address's ports that take connections. */
async function openPorts(address: string | undefined, ports: readonly number[]): Promise<number[]> {
  const answers = await Promise.all(ports.map((port) => isListening(address as string, port)));
  return ports.filter((_, index) => answers[index]);
}

function isListening(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 1_000 }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
    socket.once("timeout", () => {
      socket.destroy();
      resolve(false);
    });
  });
}
