import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { type Happening, Life, type Program, programs } from "./life.ts";
import { performanceNow, timers } from "./stand-in.ts";
import { topic } from "./world.ts";

// Every program runs as it is, with the simulation's clock and a client of the simulated Cassandra.
vi.mock("node:timers/promises", async () => (await import("./stand-in.ts")).timersPromises);
vi.mock("cassandra-driver", async (original) => ({
  ...((await original()) as object),
  Client: (await import("./stand-in.ts")).SimulatedClient,
}));
vi.mock("@platformatic/kafka", async (original) => ({
  ...((await original()) as object),
  Admin: (await import("./stand-in.ts")).SimulatedAdmin,
}));
for (const [name, timer] of Object.entries(timers)) vi.stubGlobal(name, timer);
vi.spyOn(performance, "now").mockImplementation(performanceNow);
afterAll(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const written = fc.oneof(
  { weight: 6, arbitrary: fc.constant("event" as const) },
  { weight: 3, arbitrary: fc.constantFrom("late", "unfit", "poison", "oversized", "tombstone", "gap") },
);
const partition = fc.nat(3);
const fate = fc.record({
  at: fc.nat(40),
  fate: fc.constantFrom("fails before", "fails after", "dies before", "dies after"),
});
/** A program goes on. */
function goesOn(program: fc.Arbitrary<Program>, operations = fc.integer({ min: 1, max: 60 })): fc.Arbitrary<Happening> {
  const choices = fc.array(fc.nat(5), { minLength: 1, maxLength: 5 });
  return fc.record(
    { happens: fc.constant("run"), program, operations, fate, choices },
    { requiredKeys: ["happens", "program", "operations", "choices"] },
  );
}
const produced: fc.Arbitrary<Happening> = fc.record({
  happens: fc.constant("produce"),
  partition,
  written: fc.array(written, { minLength: 1, maxLength: 8 }),
});
const passed = (...minutes: number[]): fc.Arbitrary<Happening> =>
  fc.record({ happens: fc.constant("pass"), minutes: fc.constantFrom(...minutes) });
const each = (...some: fc.Arbitrary<Happening>[]): fc.Arbitrary<Happening[]> => fc.tuple(...some);
const long = fc.integer({ min: 60, max: 300 });
const anyOf = (...some: Program[]) => fc.constantFrom(...some);

const weeks = 60 * 24 * 8;
const happenings: fc.Arbitrary<Happening[]> = fc.oneof(
  { weight: 6, arbitrary: each(produced) },
  { weight: 14, arbitrary: each(goesOn(anyOf(...programs))) },
  { weight: 1, arbitrary: each(fc.record({ happens: fc.constant("kill"), program: anyOf(...programs) })) },
  { weight: 1, arbitrary: each(passed(1, 15, 60 * 30, weeks)) },
  {
    weight: 1,
    arbitrary: each(fc.record({ happens: fc.constant("delete"), partition, records: fc.integer({ min: 1, max: 9 }) })),
  },
  { weight: 1, arbitrary: each(fc.constant({ happens: "elect" })) },
  {
    weight: 1,
    arbitrary: each(fc.record({ happens: fc.constant("cut"), partition, records: fc.integer({ min: 1, max: 9 }) })),
  },
  { weight: 1, arbitrary: each(fc.constant({ happens: "grow" })) },
  { weight: 2, arbitrary: each(fc.constant({ happens: "deploy" })) },
  // Events go all the way, so that there is something to swap, to expire and to trim.
  {
    weight: 3,
    arbitrary: each(
      produced,
      goesOn(anyOf("archiver", "archiver 2"), long),
      goesOn(anyOf("speed", "speed 2"), long),
      goesOn(anyOf("batch", "batch 2"), long),
    ),
  },
  // A batch run is overtaken: it is paused for longer than its lease, and goes on when its successor has begun.
  {
    weight: 1,
    arbitrary: each(
      produced,
      goesOn(anyOf("archiver"), long),
      goesOn(anyOf("batch")),
      passed(1),
      goesOn(anyOf("batch 2"), fc.integer({ min: 1, max: 120 })),
      goesOn(anyOf("batch")),
      goesOn(anyOf("batch 2"), long),
    ),
  },
  // Somebody is faster than the archiver, and it is accepted.
  {
    weight: 1,
    arbitrary: each(
      produced,
      goesOn(anyOf("archiver")),
      fc.record({ happens: fc.constant("delete"), partition, records: fc.integer({ min: 1, max: 9 }) }),
      goesOn(anyOf("archiver"), long),
      goesOn(anyOf("acceptance")),
      goesOn(anyOf("archiver"), long),
      goesOn(anyOf("batch"), long),
    ),
  },
  // Old events that are everywhere are trimmed.
  { weight: 1, arbitrary: each(passed(weeks), goesOn(anyOf("archiver"), long)) },
);

const runs = Number(process.env.LIFE_RUNS ?? 150);
// The same lives in every unit test, so that a change is judged by itself; others in `npm run test:long`.
const seed = Number(process.env.LIFE_SEED ?? 14);

test(`whatever happens to a topic, every answer is right or says what it lacks (seed ${seed})`, {
  timeout: 60_000 + runs * 2_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        chunkSize: fc.integer({ min: 1, max: 6 }),
        chunksPerEra: fc.integer({ min: 1, max: 3 }),
        partitions: fc.integer({ min: 1, max: 2 }),
        system: fc.constantFrom("HDFS", "S3"),
        memoryBytes: fc.constantFrom(0, 300, 1_000_000),
      }),
      fc.array(happenings, { maxLength: 24, size: "max" }),
      async (options, all) => {
        const life = new Life(options);
        for (const one of all.flat()) await life.live(one);
        await life.settle();
      },
    ),
    // Without LIFE_SHRINK=no a failure takes its minutes until it is small.
    { numRuns: runs, seed, endOnFailure: process.env.LIFE_SHRINK === "no" },
  );
});

test("a smooth life has everything in every layer, and its old events in the batch layer alone", async () => {
  const life = new Life({ chunkSize: 4, chunksPerEra: 2, partitions: 1, system: "HDFS" });
  const go = (program: Program) => life.live({ happens: "run", program, operations: 200, choices: [0] });
  for (let round = 0; round < 6; round++) {
    await life.live({ happens: "produce", partition: 0, written: ["event", "late", "unfit", "poison", "gap"] });
    for (const program of ["archiver", "speed", "batch"] as const) await go(program);
  }
  await life.settle();
  await life.live({ happens: "pass", minutes: weeks });
  await go("archiver");
  const { earliest, latest } = life.world.kafka.watermarks(topic)[0] ?? {};
  expect(earliest).toBeGreaterThan((latest ?? 0) - 4);
  await life.settle();
});
