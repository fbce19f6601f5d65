/*
 * Brokers come and go under a steady stream of events, on the local target with the real CLI. Steps and expected results:
 * 1. One broker, then three: every partition has three copies; with other controllers than at the start it is refused
 *    before anything changes.
 * 2. A setting is rolled over three brokers while events are produced: every acknowledged event is in the log once,
 *    and never are two brokers down.
 * 3. A topic is deleted by hand: a preview says so, the next deployment makes it again.
 * 4. Back to one broker: it has every event.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Admin } from "@platformatic/kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loopbackAddress } from "../../../../components/targets/local/placement.ts";
import { EventProducer } from "../../../../jobs/kafka/event-producer.ts";
import { RangeReader } from "../../../../jobs/kafka/range-reader.ts";
import { LocalProject } from "../../../support/local-project.ts";
import type { Plan } from "./scaling/program.ts";

const project = new LocalProject<Plan>("scaling", fileURLToPath(new URL("./scaling/program.ts", import.meta.url)));
const topics = [{ name: "edits", partitions: 3 }];
const address = (index: number) =>
  loopbackAddress(`${project.stackFolder("one")}\0scaling\0one`, `kafka-broker-${index}`);
const bootstrapServers = (brokers: number) => Array.from({ length: brokers }, (_, index) => `${address(index)}:9092`);
const up = () => project.succeed("up", "-y", "--skip-preview", "-s", "one");
let acknowledged = 0;

beforeAll(() => project.succeed("stack", "init", "one"));
afterAll(() => project.remove("one"));

/** Sends events until told to stop, each batch again until it is acknowledged. */
function produce(brokers: number): () => Promise<void> {
  let goesOn = true;
  const produced = (async () => {
    await using producer = new EventProducer({ bootstrapServers: bootstrapServers(brokers), topic: "edits" });
    while (goesOn) {
      await producer.send(Array.from({ length: 50 }, () => ({ value: String(acknowledged++) })));
      await sleep(20);
    }
  })();
  return () => {
    goesOn = false;
    return produced;
  };
}

/** The numbers of all events in the log, in order. */
async function events(brokers: number): Promise<number[]> {
  await using reader = new RangeReader({ bootstrapServers: bootstrapServers(brokers) });
  const found: number[] = [];
  for (const [partition, { earliest, latest }] of Object.entries(await reader.watermarks("edits")))
    for await (const records of reader.read("edits", Number(partition), earliest, latest))
      for (const { value } of records) found.push(Number(value));
  return found.sort((a, b) => a - b);
}

async function withAdmin<T>(brokers: number, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Admin({ clientId: "test", bootstrapBrokers: bootstrapServers(brokers), retries: 5 });
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}

/** For each partition of every topic, the brokers that have a copy. */
function copies(brokers: number): Promise<number[][]> {
  return withAdmin(brokers, async (admin) => {
    const names = await admin.listTopics({ includeInternals: true });
    const { topics } = await admin.metadata({ topics: names, forceUpdate: true });
    return [...topics.values()].flatMap(({ partitions }) => partitions.map(({ isr }) => [...isr].sort()));
  });
}

const all = () => Array.from({ length: acknowledged }, (_, index) => index);

test("from one broker to three: every partition gets three copies, every event stays", async () => {
  project.plan({ kafka: { replicas: 1, topics } });
  await up();
  const stop = produce(1);
  await sleep(2_000);
  project.plan({ kafka: { replicas: 3, topics } });
  const refused = await project.pulumi("up", "-y", "--skip-preview", "-s", "one");
  expect(refused.exitCode).not.toBe(0);
  expect([...(await project.running("one")).keys()]).toEqual(["kafka-broker-0"]);
  expect(refused.output).toContain(
    "controllers cannot change from 1 to 3, since the data of kafka-broker-0 is made for it: leave it at 1",
  );
  project.plan({ kafka: { replicas: 3, controllers: 1, topics } });
  await up();
  await stop();
  expect(await copies(3)).toEqual(Array(3).fill([0, 1, 2]));
  expect(await events(3)).toEqual(all());
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("a setting rolls over the brokers under steady producing: no event is lost, never are two brokers down", async () => {
  const before = await project.running("one");
  const stop = produce(3);
  let rolling = true;
  const fewest = (async () => {
    let fewest = 3;
    for (; rolling; await sleep(100)) {
      const servers = [...(await project.running("one")).values()].filter(({ pid }) => pid !== undefined);
      fewest = Math.min(fewest, servers.length);
    }
    return fewest;
  })();
  project.plan({ kafka: { replicas: 3, controllers: 1, heap: 272, topics } });
  await up();
  rolling = false;
  await stop();
  expect(await fewest).toBe(2);
  const after = await project.running("one");
  for (const [name, { pid }] of after) expect(pid).not.toBe(before.get(name)?.pid);
  expect(await events(3)).toEqual(all());
});

test("a topic deleted by hand is told by a preview and made again", async () => {
  const letters = { name: "letters", partitions: 1 };
  project.plan({ kafka: { replicas: 3, controllers: 1, heap: 272, topics: [...topics, letters] } });
  await up();
  await withAdmin(3, (admin) => admin.deleteTopics({ topics: ["letters"] }));
  expect(await project.succeed("preview", "-s", "one")).toContain("topic letters is missing");
  expect(await project.succeed("refresh", "-y", "--skip-preview", "--diff", "-s", "one")).toContain(
    "topic letters is missing",
  );
  await up();
  expect(await withAdmin(3, (admin) => admin.listTopics())).toContain("letters");
  expect(await events(3)).toEqual(all());
});

test("back to one broker: it has every event, and the cluster takes more", async () => {
  const stop = produce(3);
  project.plan({ kafka: { replicas: 1, heap: 272, topics } });
  await up();
  await stop();
  expect([...(await project.running("one")).keys()]).toEqual(["kafka-broker-0"]);
  expect(new Set((await copies(1)).flat())).toEqual(new Set([0]));
  expect(await events(1)).toEqual(all());
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
  await project.succeed("destroy", "-y", "--skip-preview", "-s", "one");
});
