import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { archive } from "../../../jobs/archive/archiver.ts";
import { decodeEvent } from "../../../jobs/events/decode.ts";
import { deadLetterTopic, SimulatedWorld, sizes, topic } from "./simulated-world.ts";

const time = "2026-01-01T00:00:00Z";
const good = (size: number) => JSON.stringify({ time, size });
const badForView = JSON.stringify({ time, size: 0.5 });
const tooLarge = JSON.stringify({ time, size: 1, text: "x".repeat(200) });

const value = fc.oneof(
  { weight: 6, arbitrary: fc.nat(1_000).map(good) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<string | null>(null, "{", '{"time":1}', "", badForView, tooLarge, '{\n"x":1}'),
  },
);

/** The files and dead letters that there must be, by a plain pass over the log. */
function expected(world: SimulatedWorld, partition: number) {
  const files: Record<string, string> = {};
  const letters: number[] = [];
  const log = world.log(topic, partition);
  for (const { offset, value } of log) {
    const { event } = decodeEvent(sizes, value, 200);
    if (event === undefined || sizes.views.some((view) => view.problem(event) !== undefined)) letters.push(offset);
  }
  for (let start = 0; start + world.chunkSize <= log.length; start += world.chunkSize) {
    const name = [start, start + world.chunkSize].map((offset) => String(offset).padStart(19, "0")).join("-");
    files[`/master/${topic}/${partition}/${name}.jsonl`] = log
      .slice(start, start + world.chunkSize)
      .filter(({ value }) => decodeEvent(sizes, value, 200).event !== undefined)
      .map(({ value }) => `${value}\n`)
      .join("");
  }
  return { files, letters };
}

function found(world: SimulatedWorld, partition: number) {
  const folder = `/master/${topic}/${partition}/`;
  const files = [...world.files].filter(([path]) => path.startsWith(folder) && !path.includes("/_writing/"));
  const letters = world.log(deadLetterTopic, partition).map(({ value }) => JSON.parse(String(value)).offset as number);
  return { files: Object.fromEntries(files.map(([path, content]) => [path, content.toString()])), letters };
}

/** Runs an archiver until it dies, or until everything is as expected. */
async function run(world: SimulatedWorld): Promise<"died" | "done"> {
  const stop = new AbortController();
  const dead = new Promise<"died">((resolve) => {
    const services = world.services(() => resolve("died"));
    archive(services, stop.signal).catch(() => {});
  });
  const partitions = Array.from({ length: world.logs.size / 2 }, (_, partition) => partition);
  const done = (async () => {
    const complete = (partition: number) =>
      JSON.stringify(found(world, partition)).length >= JSON.stringify(expected(world, partition)).length;
    while (!stop.signal.aborted && !partitions.every(complete)) await new Promise((resolve) => setTimeout(resolve, 2));
    return "done" as const;
  })();
  const outcome = await Promise.race([dead, done]);
  stop.abort(new Error("the test is over"));
  return outcome;
}

describe("the archiver", () => {
  it("loses nothing and writes nothing twice, however often systems fail and it is killed", {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.array(value, { maxLength: 40 }), { minLength: 1, maxLength: 2 }),
        fc.infiniteStream(fc.nat(99)),
        fc.constantFrom(0, 100, 1_000_000),
        fc.constantFrom("HDFS", "S3"),
        async (chunkSize, logs, chances, memoryBytes, system) => {
          const world = new SimulatedWorld(chunkSize, logs.length);
          world.system = system;
          world.memoryBytes = memoryBytes;
          for (const [partition, values] of logs.entries()) for (const one of values) world.append(partition, one);
          let deaths = 0;
          world.fate = () => {
            const chance = chances.next().value as number;
            if (chance < 2) return "fails before";
            if (chance < 4) return "fails after";
            if (chance < 6 && deaths < 5) return chance === 4 ? "dies before" : "dies after";
            return "fine";
          };
          while ((await run(world)) === "died") deaths++;
          for (const partition of logs.keys()) expect(found(world, partition)).toEqual(expected(world, partition));
        },
      ),
      { numRuns: 30 },
    );
  });

  it("goes on with letters without their values where the topic refuses them", async () => {
    const world = new SimulatedWorld(2, 1);
    for (const one of [good(1), "{"]) world.append(0, one);
    const services = world.services(() => {});
    const { deadLetters } = services;
    const refusing = {
      send: async (events: Parameters<typeof deadLetters.send>[0]) => {
        if (events.some(({ value }) => JSON.parse(String(value)).value !== ""))
          throw new Error("Kafka: message too large");
        await deadLetters.send(events);
      },
    };
    const stop = new AbortController();
    const archiving = archive({ ...services, deadLetters: refusing }, stop.signal).catch((error) => error);
    while (![...world.files.keys()].some((path) => path.endsWith(".jsonl")) && !stop.signal.aborted)
      await new Promise((resolve) => setTimeout(resolve, 2));
    stop.abort(new Error("the test is over"));
    await archiving;
    const letters = world.log(deadLetterTopic, 0).map(({ value }) => JSON.parse(String(value)));
    expect(letters).toMatchObject([{ offset: 1, value: "", bytes: 1, reason: expect.stringContaining("not JSON") }]);
  });

  it("sends to the dead letters what no view and what not every view can take, and why", async () => {
    const world = new SimulatedWorld(10, 1);
    for (const one of [good(1), "{", null, badForView]) world.append(0, one);
    await run(world);
    expect(world.log(deadLetterTopic, 0).map(({ key, value }) => [String(key), JSON.parse(String(value))])).toEqual([
      [
        "sizes-0-1",
        {
          topic,
          partition: 0,
          offset: 1,
          reason: expect.stringMatching(/^not JSON/),
          value: "{",
          encoding: "utf8",
          bytes: 1,
        },
      ],
      [
        "sizes-0-2",
        { topic, partition: 0, offset: 2, reason: "there is no value", value: null, encoding: "utf8", bytes: 0 },
      ],
      [
        "sizes-0-3",
        expect.objectContaining({
          offset: 3,
          reason: "view sizes: measure size: 0.5 is no whole number within ±1099511627776",
        }),
      ],
    ]);
  });

  it("refuses the folder of a topic that was made again", async () => {
    const world = new SimulatedWorld(2, 1);
    for (let size = 0; size < 4; size++) world.append(0, good(size));
    await run(world);
    world.topicId = "second";
    await expect(
      archive(
        world.services(() => {}),
        new AbortController().signal,
      ),
    ).rejects.toThrow("topic sizes was deleted and made again: its id was first and is second");
  });

  it("refuses a folder with chunks of another size", async () => {
    const world = new SimulatedWorld(4, 1);
    for (let size = 0; size < 8; size++) world.append(0, good(size));
    await run(world);
    const other = new SimulatedWorld(3, 1);
    for (const [path, content] of world.files) other.files.set(path, content);
    await expect(
      archive(
        other.services(() => {}),
        new AbortController().signal,
      ),
    ).rejects.toThrow("/master/sizes/0/0000000000000000000-0000000000000000004.jsonl is no chunk of 3 offsets");
  });

  it("refuses a dead-letter topic with fewer partitions", async () => {
    const world = new SimulatedWorld(4, 2);
    world.logs.delete(`${deadLetterTopic}-1`);
    world.logs.set("unused-0", []);
    await expect(
      archive(
        world.services(() => {}),
        new AbortController().signal,
      ),
    ).rejects.toThrow("topic sizes-dead-letters has no partition 1: it needs as many partitions as sizes");
  });

  it("begins with the first whole chunk, and says so, if retention was faster", async () => {
    const world = new SimulatedWorld(4, 1);
    for (let size = 0; size < 12; size++) world.append(0, good(size));
    world.earliest.set(`${topic}-0`, 5);
    const stop = new AbortController();
    const running = archive(
      world.services(() => {}),
      stop.signal,
    );
    const file = "/master/sizes/0/0000000000000000008-0000000000000000012.jsonl";
    while (!world.files.has(file)) await new Promise((resolve) => setTimeout(resolve, 2));
    stop.abort(new Error("the test is over"));
    await expect(running).resolves.toBeUndefined();
    expect([...world.files.keys()].sort()).toEqual([file, "/master/sizes/_topic-id"]);
    expect(world.lines).toContain(
      "sizes-0: retention deleted the events before 5, and none is archived: begins with 8",
    );
  });
});
