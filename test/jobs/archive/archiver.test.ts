import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { archive } from "../../../jobs/archive/archiver.ts";
import { contentOf } from "../../../jobs/archive/content.ts";
import { fileName, lostName, manifestName } from "../../../jobs/archive/layout.ts";
import { missingRanges, partitionFiles, partsOf, wholeRun } from "../../../jobs/archive/partition-files.ts";
import { decodeEvent } from "../../../jobs/events/decode.ts";
import { isSealMarker } from "../../../jobs/kafka/seal-marker.ts";
import { incarnationText } from "../../../jobs/log/incarnation.ts";
import { type Range, within, without } from "../../../jobs/ranges.ts";
import { randomNumbers } from "../../../jobs/sources/random.ts";
import { deadLetterTopic, SimulatedWorld, sizes, times, topic } from "./simulated-world.ts";

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

/** The lines that a file of the offsets must have, without those that are lost. */
function linesOf(world: SimulatedWorld, partition: number, range: Range, lost: readonly Range[] = []): string[] {
  return world
    .log(topic, partition)
    .slice(range.start, range.end)
    .filter(({ offset }) => !lost.some(({ start, end }) => start <= offset && offset < end))
    .filter(({ value }) => decodeEvent(sizes, value, 200).event !== undefined)
    .map(({ value }) => String(value));
}

/** The offsets of what no view, or not every view, can take. */
function lettersOf(world: SimulatedWorld, partition: number): number[] {
  return world
    .log(topic, partition)
    .filter((record) => !isSealMarker(record))
    .filter(({ value }) => {
      const { event } = decodeEvent(sizes, value, 200);
      return event === undefined || sizes.views.some((view) => view.problem(event) !== undefined);
    })
    .map(({ offset }) => offset);
}

/** What there is of a partition. */
function found(world: SimulatedWorld, partition: number) {
  const names = (top: string) =>
    [...world.files.keys()]
      .filter((path) => path.startsWith(`/${top}/${topic}/${partition}/`) && !path.includes("/_writing/"))
      .map((path) => path.split("/").at(-1) as string);
  const text = (top: string, name: string) =>
    (world.files.get(`/${top}/${topic}/${partition}/${name}`) as Buffer).toString().split("\n").slice(0, -1);
  return {
    files: partitionFiles(names("master")),
    parts: partsOf(names("open")),
    lines: (range: Range) => text("master", fileName(range)),
    partLines: (name: string) => text("open", name),
    letters: world.log(deadLetterTopic, partition).map(({ value }) => JSON.parse(String(value)).offset as number),
  };
}

function partitionsOf(world: SimulatedWorld): number[] {
  return Array.from({ length: world.logs.size / 2 }, (_, partition) => partition);
}

/** What of a partition nobody holds any more, and nobody has accepted. */
function missing(world: SimulatedWorld, partition: number): Range[] {
  const { files, parts } = found(world, partition);
  return missingRanges(files, parts, 0, world.begin(topic, partition));
}

/** Why the archivers are not done yet; undefined if they are. */
function unfinished(world: SimulatedWorld, partition: number): string | undefined {
  const { files, parts, letters } = found(world, partition);
  const log = world.log(topic, partition);
  const holes = missing(world, partition);
  const unlettered = lettersOf(world, partition).find(
    (offset) => offset >= world.begin(topic, partition) && !letters.includes(offset),
  );
  if (unlettered !== undefined) return `no letter of ${unlettered}`;
  const useless = parts.find((part) => files.chunks.some((chunk) => within(part, chunk) !== undefined));
  if (useless !== undefined) return `${useless.name} is left`;
  for (let start = 0; start < log.length; start += world.chunkSize) {
    const chunk = { start, end: start + world.chunkSize };
    if (holes.some((hole) => within(hole, chunk) !== undefined)) continue;
    const events = log
      .slice(start, chunk.end)
      .filter(({ offset, value }) => offset >= world.begin(topic, partition) && value !== null)
      .filter(({ value }) => decodeEvent(sizes, value, 200).event !== undefined);
    const oldest = events[0]?.timestamp ?? Number.POSITIVE_INFINITY;
    if (chunk.end > log.length && oldest < world.time - times.seal) return `chunk ${start} is not sealed`;
    const old = events.findLast(({ timestamp }) => timestamp <= world.time - times.archive);
    if (chunk.end > log.length && old !== undefined && !parts.some(({ end }) => end > old.offset))
      return `${old.offset} is in no part`;
    const isLost = without(chunk, files.lost).length === 0;
    if (chunk.end <= log.length && !isLost && !files.manifests.has(fileName(chunk)))
      return `chunk ${start} has no file`;
  }
  return undefined;
}

/**
 * Runs archivers until one of them dies, or until everything is as expected.
 *
 * @param count how many at once
 */
async function run(world: SimulatedWorld, count = 1, milliseconds = 8_000): Promise<"died" | "done"> {
  const stop = new AbortController();
  const ended: unknown[] = [];
  let died = false;
  const services = Array.from({ length: count }, () =>
    world.services(() => {
      died = true;
    }),
  );
  for (const one of services) archive(one, stop.signal).catch((error: unknown) => ended.push(error));
  const reasons = () => partitionsOf(world).flatMap((partition) => unfinished(world, partition) ?? []);
  for (const deadline = Date.now() + milliseconds; !died && reasons().length > 0; ) {
    if (ended.length > 0) throw ended[0];
    if (Date.now() > deadline)
      throw new Error(
        `not done: ${reasons().join("; ")}\n${world.lines
          .filter((line) => !line.includes("tries again"))
          .slice(-20)
          .join("\n")}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  for (const one of services) one.kill();
  stop.abort(new Error("the test is over"));
  return died ? "died" : "done";
}

/** Accepts all losses, as `--accept-loss` does. */
function acceptLoss(world: SimulatedWorld): void {
  for (const partition of partitionsOf(world))
    for (const range of missing(world, partition))
      world.files.set(`/master/${topic}/${partition}/${lostName(range)}`, Buffer.alloc(0));
}

/** What must hold at any time: nothing is gone that nobody deleted, and every file holds what its name says. */
async function check(world: SimulatedWorld, partition: number): Promise<void> {
  const { files, parts, lines, partLines } = found(world, partition);
  for (const part of parts) expect(partLines(part.name)).toEqual(linesOf(world, partition, part));
  for (const range of files.chunks) {
    const all = linesOf(world, partition, range);
    const sure = linesOf(world, partition, range, files.lost);
    // What was read before it was deleted may be there, too.
    expect(lines(range).filter((line) => !all.includes(line))).toEqual([]);
    expect(lines(range).length).toBeGreaterThanOrEqual(sure.length);
    if (!files.lost.some((loss) => within(loss, range))) expect(lines(range)).toEqual(all);
    for (const manifest of files.manifests.get(fileName(range)) ?? []) {
      const path = `/master/${topic}/${partition}/${fileName(range)}`;
      const content = await contentOf(
        (async function* () {
          yield world.files.get(path) as Buffer;
        })(),
      );
      expect(manifest.content).toEqual(content);
      expect(world.files.has(`/master/${topic}/${partition}/${manifestName(manifest)}`)).toBe(true);
    }
  }
}

describe("the archiver", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("append"), partition: fc.nat(1), values: fc.array(value) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait"), time: fc.constantFrom(5, 25, 120, 500) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("covered"), partition: fc.nat(1) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("accept") }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("others delete"), partition: fc.nat(1), part: fc.nat(100) }),
    },
  );

  it("loses nothing and writes nothing twice, whatever fails, dies, waits and is deleted by others", {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.record({ step, archivers: fc.constantFrom(0, 1, 1, 2) }), { minLength: 1, maxLength: 6 }),
        fc.integer(),
        fc.constantFrom(0, 100, 1_000_000),
        fc.constantFrom("HDFS", "S3"),
        async (chunkSize, steps, seed, memoryBytes, system) => {
          const random = randomNumbers(seed, 0);
          const world = new SimulatedWorld(chunkSize, 2);
          world.system = system as "HDFS" | "S3";
          world.memoryBytes = memoryBytes;
          world.horizons = [{}];
          let [deaths, others, isSingle] = [0, false, true];
          const deleteRecords = (partition: number, offset: number) => {
            if (offset <= world.begin(topic, partition)) return;
            world.earliest.set(`${topic}-${partition}`, offset);
            others = true;
          };
          world.fate = () => {
            const chance = Math.floor(random() * 100);
            if (chance < 2) return "fails before";
            if (chance < 4) return "fails after";
            if (chance < 6 && deaths < 10) return chance === 4 ? "dies before" : "dies after";
            return "fine";
          };
          const settle = async (archivers: number) => {
            isSingle &&= archivers === 1;
            while ((await run(world, archivers)) === "died") deaths++;
            for (const partition of partitionsOf(world)) await check(world, partition);
          };
          for (const { step, archivers } of steps) {
            if ("values" in step) for (const one of step.values) world.append(step.partition, one);
            else if ("time" in step) world.time += step.time;
            else if ("part" in step) {
              const { length } = world.log(topic, step.partition);
              deleteRecords(step.partition, Math.floor((length * step.part) / 100));
            } else if (step.kind === "accept") acceptLoss(world);
            else if ("partition" in step)
              world.horizons = [
                Object.fromEntries(
                  partitionsOf(world).map((partition) => [
                    partition,
                    wholeRun(found(world, partition).files, 0, chunkSize).end,
                  ]),
                ),
              ];
            if (archivers > 0) await settle(archivers);
          }
          acceptLoss(world);
          await settle(1);
          for (const partition of partitionsOf(world)) {
            const { files, letters } = found(world, partition);
            const log = world.log(topic, partition);
            expect(missing(world, partition)).toEqual([]);
            // Every event is somewhere, unless others deleted it.
            if (!others) expect(files.lost).toEqual([]);
            const { end } = wholeRun(files, 0, chunkSize);
            expect(end).toBe(Math.floor(log.length / chunkSize) * chunkSize);
            expect([...new Set(letters)].sort((a, b) => a - b)).toEqual(
              isSingle ? letters : [...new Set(letters)].sort((a, b) => a - b),
            );
            if (!others) expect([...new Set(letters)].sort((a, b) => a - b)).toEqual(lettersOf(world, partition));
          }
        },
      ),
      { numRuns: 60, endOnFailure: true },
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
          format: 2,
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
        {
          format: 2,
          topic,
          partition: 0,
          offset: 2,
          reason: "there is no value",
          value: null,
          encoding: "utf8",
          bytes: 0,
        },
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

  describe("of another log archives nothing, waits, and says why:", () => {
    /** Starts an archiver, waits for a line, and for a while more; the files that are new since. */
    const start = async (world: SimulatedWorld, line: RegExp) => {
      const before = [...world.files.keys()];
      const stop = new AbortController();
      const services = world.services(() => {});
      let ended: unknown;
      archive(services, stop.signal).catch((error: unknown) => (ended = error));
      const said = () => world.lines.filter((one) => line.test(one));
      for (const end = Date.now() + 5_000; said().length === 0 && Date.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 2));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(ended).toBeUndefined();
      expect(said()).toHaveLength(1);
      expect(await services.metrics.registry.metrics()).toMatch(/archive_diverged\{partition="0"\} 1/);
      services.kill();
      stop.abort(new Error("the test is over"));
      return [...world.files.keys()].filter((path) => !before.includes(path));
    };
    const archived = async () => {
      const world = new SimulatedWorld(2, 1);
      for (let size = 0; size < 4; size++) world.append(0, good(size));
      await run(world);
      return world;
    };

    it("a topic that was made again; the next life of the log begins where it is described", async () => {
      const world = await archived();
      world.topicId = "second";
      expect(await start(world, /made again: its id was first and is second.*--accept-loss/)).toEqual([]);
      world.incarnation = 2;
      const life = { topicId: "second", first: {}, former: [] };
      world.files.set(`/master/${topic}/incarnation-2.json`, Buffer.from(incarnationText(life)));
      const stop = new AbortController();
      const services = world.services(() => {});
      archive(services, stop.signal).catch(() => {});
      const path = `/master/${topic}/incarnation-2/0/${fileName({ start: 2, end: 4 })}`;
      while (!world.files.has(path)) await new Promise((resolve) => setTimeout(resolve, 2));
      services.kill();
      stop.abort(new Error("the test is over"));
      expect(world.noted.at(-1)).toEqual(life);
    });

    it("a log that ends before what is archived", async () => {
      const world = await archived();
      world.cut(0, 3);
      expect(await start(world, /offset 4 of sizes-0 is not in \[0, 3\).*--accept-loss/)).toEqual([]);
    });

    it("a log that lost its tail and has grown past it since", async () => {
      const world = await archived();
      world.cut(0, 3);
      for (let size = 0; size < 9; size++) world.append(0, good(size));
      expect(await start(world, /read up to offset 4 under leader epoch 0.*--accept-loss/)).toEqual([]);
    });

    it("a log that lost its tail and has grown past it since, while the archiver waited at the edge of a chunk", async () => {
      const world = new SimulatedWorld(2, 1);
      for (let size = 0; size < 4; size++) world.append(0, good(size));
      let files: string[] | undefined;
      await runUntil(world, () => {
        if (files === undefined && found(world, 0).files.manifests.size === 2) {
          files = [...world.files.keys()];
          world.cut(0, 3);
          for (let size = 0; size < 9; size++) world.append(0, good(size));
        }
        return world.lines.some((line) => /read up to offset 4 under leader epoch 0.*--accept-loss/.test(line));
      });
      expect([...world.files.keys()]).toEqual(files);
    });

    it("a life of the log that nobody has begun", async () => {
      const world = await archived();
      world.incarnation = 2;
      const stop = new AbortController();
      archive(
        world.services(() => {}),
        stop.signal,
      ).catch(() => {});
      const isSaid = () => world.lines.some((line) => line.includes("nobody has begun incarnation 2"));
      while (!isSaid()) await new Promise((resolve) => setTimeout(resolve, 2));
      stop.abort(new Error("the test is over"));
    });
  });

  it("begins in the middle of a chunk where this life of the log does", async () => {
    const world = new SimulatedWorld(4, 1);
    for (let size = 0; size < 8; size++) world.append(0, good(size));
    world.incarnation = 2;
    const life = { topicId: "first", first: { 0: 3 }, former: [] };
    world.files.set(`/master/${topic}/incarnation-2.json`, Buffer.from(incarnationText(life)));
    const stop = new AbortController();
    const services = world.services(() => {});
    archive(services, stop.signal).catch(() => {});
    const path = (start: number, end: number) => `/master/${topic}/incarnation-2/0/${fileName({ start, end })}`;
    while (!world.files.has(path(4, 8))) await new Promise((resolve) => setTimeout(resolve, 2));
    services.kill();
    stop.abort(new Error("the test is over"));
    expect(String(world.files.get(path(3, 4)))).toBe(`${good(3)}\n`);
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

  /** Runs an archiver until a condition holds. */
  async function runUntil(world: SimulatedWorld, condition: () => boolean): Promise<void> {
    const stop = new AbortController();
    const services = world.services(() => {});
    archive(services, stop.signal).catch(() => {});
    for (const deadline = Date.now() + 5_000; !condition(); await new Promise((resolve) => setTimeout(resolve, 2)))
      if (Date.now() > deadline) throw new Error(`not within 5 s:\n${world.lines.join("\n")}`);
    services.kill();
    stop.abort(new Error("the test is over"));
  }

  it("names what Kafka lost before any chunk was full, and goes on behind it; no horizon passes it unaccepted", async () => {
    const world = new SimulatedWorld(5, 1);
    for (let size = 0; size < 3; size++) world.append(0, good(size));
    world.earliest.set(`${topic}-0`, 3);
    for (let size = 3; size < 12; size++) world.append(0, good(size));
    await runUntil(world, () => found(world, 0).files.chunks.length === 1 && found(world, 0).parts.length === 1);
    const { files, parts } = found(world, 0);
    expect(files.chunks).toEqual([{ start: 5, end: 10 }]);
    expect(parts.map(({ start, end }) => [start, end])).toEqual([[3, 5]]);
    expect(wholeRun(files, 0, 5).end).toBe(0);
    expect(world.lines.filter((line) => line.includes("are lost"))).toEqual([
      "sizes-0: offsets 0 to 2 are lost: Kafka had deleted them before they were archived; " +
        "batch views end before them until you accept it: npm run batch -- --accept-loss",
    ]);
    acceptLoss(world);
    await runUntil(world, () => wholeRun(found(world, 0).files, 0, 5).end === 10);
    expect(found(world, 0).lines({ start: 0, end: 5 })).toEqual([good(3), good(4)]);
  });

  it("deletes no part once another life of the log has begun, which may count on it", async () => {
    const world = new SimulatedWorld(4, 1);
    world.append(0, good(0));
    world.time += times.archive;
    await runUntil(world, () => found(world, 0).parts.length === 1);
    const life = { topicId: "first", first: { 0: 1 }, former: [] };
    world.files.set(`/master/${topic}/incarnation-2.json`, Buffer.from(incarnationText(life)));
    for (let size = 1; size < 8; size++) world.append(0, good(size));
    await runUntil(world, () => found(world, 0).files.manifests.size === 2);
    expect(found(world, 0).parts.map(({ start, end }) => [start, end])).toEqual([[0, 1]]);
  });

  it("counts nothing as lost that is archived behind a hole, also where Kafka has lost that, too", async () => {
    const world = new SimulatedWorld(5, 1);
    for (let size = 0; size < 17; size++) world.append(0, good(size));
    world.earliest.set(`${topic}-0`, 5);
    await runUntil(world, () => found(world, 0).files.manifests.size === 2);
    world.earliest.set(`${topic}-0`, 16);
    world.lines.length = 0;
    const isLost = (line: string) => line.includes("are lost");
    await runUntil(world, () => world.lines.filter(isLost).length === 2);
    expect(world.lines.filter(isLost).map((line) => /offsets \d+ to \d+/.exec(line)?.[0])).toEqual([
      "offsets 0 to 4",
      "offsets 15 to 15",
    ]);
  });

  it("closes a chunk by its age if it has an event; none that has only markers and dead letters", async () => {
    const world = new SimulatedWorld(10, 2);
    world.append(0, good(1));
    world.append(1, "{");
    world.time += times.seal + 1;
    await runUntil(world, () => found(world, 0).files.manifests.size === 1);
    const log = world.log(topic, 0);
    expect(log.length).toBe(10);
    expect(log.slice(1).every(isSealMarker)).toBe(true);
    // Time goes on, and with it every reason to look again.
    world.time += 10 * times.seal;
    await runUntil(world, () => lettersOf(world, 1).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(log.length).toBe(10);
    expect(world.log(topic, 1).length).toBe(1);
    expect(found(world, 0).letters).toEqual([]);
  });

  it("deletes from Kafka what is archived, in every batch view and old enough, and nothing else", async () => {
    const world = new SimulatedWorld(4, 1);
    for (let size = 0; size < 9; size++) world.append(0, good(size));
    world.time += times.retention + 1;
    await runUntil(world, () => found(world, 0).files.manifests.size === 2);
    world.horizons = [{ 0: 8 }, {}];
    // Its third chunk is closed by its age.
    await runUntil(world, () => found(world, 0).files.manifests.size === 3);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.begin(topic, 0)).toBe(0);
    world.horizons = [{ 0: 8 }, { 0: 4 }];
    await runUntil(world, () => world.begin(topic, 0) === 4);
    world.horizons = [{ 0: 8 }, { 0: 8 }];
    await runUntil(world, () => world.begin(topic, 0) === 8);
    expect(missing(world, 0)).toEqual([]);
  });
});
