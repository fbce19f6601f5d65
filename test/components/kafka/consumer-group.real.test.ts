import { fileURLToPath } from "node:url";
import { Admin, Consumer, metadataV12 } from "@platformatic/kafka";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loopbackAddress } from "../../../components/targets/local/placement.ts";
import { EventProducer } from "../../../jobs/kafka/event-producer.ts";
import { LocalProject } from "../../support/local-project.ts";
import type { Plan } from "../targets/local/scaling/program.ts";

/*
 * Somebody reads a topic in a consumer group, as a console consumer does. Steps and expected results, on a Kafka alone:
 * 1. `up` again passes, and a preview sees nothing to do.
 * 2. A second broker: the partitions of the internal topic of offsets get a second copy too, and the group goes on.
 */
const project = new LocalProject<Plan>(
  "groups",
  fileURLToPath(new URL("../targets/local/scaling/program.ts", import.meta.url)),
);
const address = loopbackAddress(`${project.stackFolder("one")}\0groups\0one`, "kafka-broker-0");
const bootstrapServers = [`${address}:9092`];
const up = () => project.succeed("up", "-y", "--skip-preview", "-s", "one");

beforeAll(() => project.succeed("stack", "init", "one"));
afterAll(() => project.remove("one"));

/** Reads one record in the group and commits it. */
async function consume(): Promise<string> {
  const consumer = new Consumer({ clientId: "console", groupId: "people", bootstrapBrokers: bootstrapServers });
  try {
    const stream = await consumer.consume({
      topics: ["edits"],
      mode: "committed",
      fallbackMode: "earliest",
      autocommit: false,
    });
    for await (const message of stream) {
      await message.commit();
      await stream.close();
      return String(message.value);
    }
    throw new Error("the stream ended without a record");
  } finally {
    await consumer.close(true);
  }
}

/** The number of copies of every partition by topic, of internal topics too. */
async function copies(): Promise<Map<string, Set<number>>> {
  const admin = new Admin({ clientId: "test", bootstrapBrokers: bootstrapServers });
  try {
    const [connection] = (await admin.connectToBrokers()).values();
    if (connection === undefined) throw new Error("no broker takes connections");
    const { topics } = await metadataV12.api.async(connection, null, false, false);
    return new Map(
      topics.map(({ name, partitions }) => [String(name), new Set(partitions.map(({ isrNodes }) => isrNodes.length))]),
    );
  } finally {
    await admin.close();
  }
}

test("a consumer group on the cluster does not break the next up", async () => {
  const edits = { name: "edits", partitions: 1 };
  project.plan({ kafka: { replicas: 1, topics: [edits] } });
  await up();
  await using producer = new EventProducer({ bootstrapServers, topic: "edits" });
  await producer.send([{ value: "first" }, { value: "second" }]);
  expect(await consume()).toBe("first");
  expect([...(await copies()).keys()].sort()).toEqual(["__consumer_offsets", "edits"]);

  await project.succeed("preview", "--expect-no-changes", "-s", "one");
  // The task of topics runs again when it has something to do.
  project.plan({ kafka: { replicas: 1, topics: [edits, { name: "letters", partitions: 1 }] } });
  await up();
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("internal topics get their copies on new brokers too, and the group goes on where it was", async () => {
  project.plan({ kafka: { replicas: 2, controllers: 1, topics: [{ name: "edits", partitions: 1 }] } });
  await up();
  expect((await copies()).get("__consumer_offsets")).toEqual(new Set([2]));
  expect((await copies()).get("edits")).toEqual(new Set([2]));
  expect(await consume()).toBe("second");
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
  await project.succeed("destroy", "-y", "--skip-preview", "-s", "one");
});
