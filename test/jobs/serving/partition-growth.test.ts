import fc from "fast-check";
import { expect, test } from "vitest";
import { isBeyond, smallestHorizon } from "../../../jobs/batch/horizon.ts";
import { nextPointer, versionsOf } from "../../../jobs/batch/pointer.ts";
import type { Pointer } from "../../../jobs/batch/versions.ts";
import { chunkEnd, chunkOf, chunkStart, type Offsets } from "../../../jobs/chunks.ts";
import { count, sum } from "../../../jobs/measures/index.ts";
import { queryKey } from "../../../jobs/serving/query.ts";
import { view } from "../../../jobs/views/view.ts";
import { SimulatedStores } from "./simulated-stores.ts";

interface Reading {
  readonly time: number;
  readonly place: string;
  readonly value: number;
}

const readings = view<Reading>({
  name: "readings",
  time: (reading) => reading.time,
  granularity: "hour",
  key: { place: (reading) => reading.place },
  measures: { readings: count(), total: sum((reading) => reading.value) },
});

const mostPartitions = 4;
const chunkSize = 3;

/** What may happen, in any order. Shares are of what there is to do. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("play" as const), events: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("speed" as const), share: fc.constantFrom(0, 0.5, 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("batch" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("grow" as const) }) },
  /** A worker that was believed dead writes a chunk once more. */
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("zombie" as const), partition: fc.nat(3), chunk: fc.nat(6) }),
  },
);

/** A topic of growing partitions, a speed layer and batch runs over it, and what the layers hold. */
class Growing {
  readonly logs: Reading[][] = Array.from({ length: mostPartitions }, () => []);
  readonly stores: SimulatedStores<Reading>;
  readonly #written = Array.from({ length: mostPartitions }, () => 0);
  readonly #chunksPerEra: number;
  partitions: number;
  #versions = 0;
  #events = 0;

  constructor(partitions: number, chunksPerEra: number) {
    this.partitions = partitions;
    this.#chunksPerEra = chunksPerEra;
    this.stores = new SimulatedStores(this.logs, [readings], chunkSize, chunksPerEra);
  }

  get #view() {
    return this.stores.views.get("readings");
  }

  play(events: number): void {
    for (let event = 0; event < events; event++) {
      const number = this.#events++;
      this.logs[number % this.partitions]?.push({ time: 0, place: "here", value: 2 ** (number % 40) });
    }
    this.stores.latest = Object.fromEntries(
      this.logs.slice(0, this.partitions).map((log, index) => [index, log.length]),
    );
  }

  /** The speed layer comes as far as this share of what it has not written yet, beginning at the horizon. */
  speed(share: number): void {
    for (let partition = 0; partition < this.partitions; partition++) {
      const length = this.logs[partition]?.length ?? 0;
      const horizon = this.stores.pointers.get("readings")?.horizon[partition] ?? 0;
      const from = Math.max(this.#written[partition] ?? 0, horizon);
      const end = from + Math.floor((length - from) * share);
      for (let chunk = chunkOf(from, chunkSize); chunkStart(chunk, chunkSize) < end; chunk++)
        this.#view?.write(partition, chunk, [Math.min(end, chunkEnd(chunk, chunkSize))]);
      this.#written[partition] = Math.max(this.#written[partition] ?? 0, end);
    }
  }

  /** A batch run as jobs/batch makes it, over all whole chunks of the partitions that there are now. */
  batch(): void {
    const horizon = Object.fromEntries(
      this.logs.slice(0, this.partitions).map((log, partition) => [partition, log.length - (log.length % chunkSize)]),
    );
    const before = this.stores.pointers.get("readings");
    // A run begins with what the ones before left.
    if (before !== undefined) this.#expire(before);
    if (!isBeyond(horizon, before?.horizon ?? {})) return;
    const version = `v${++this.#versions}`;
    this.stores.publish(readings, version, horizon);
    const { retained: _, ...made } = this.stores.pointers.get("readings") as Pointer;
    const pointer = nextPointer(made, before);
    this.stores.pointers.set("readings", pointer);
    this.#expire(pointer);
  }

  #expire(pointer: Pointer): void {
    this.#view?.expire(smallestHorizon(versionsOf(pointer).map((each) => each.horizon)));
  }

  zombie(partition: number, chunk: number): void {
    const end = Math.min(this.#written[partition] ?? 0, chunkEnd(chunk, chunkSize));
    if (end > chunkStart(chunk, chunkSize)) this.#view?.write(partition, chunk, [end]);
  }

  /** Every version that is kept answers exactly what it says, and the current one lacks nothing that was written. */
  async check(): Promise<void> {
    const pointer = this.stores.pointers.get("readings");
    const options = { stores: this.stores, partitions: this.partitions, chunkSize, chunksPerEra: this.#chunksPerEra };
    for (const version of pointer === undefined ? [undefined] : versionsOf(pointer)) {
      // Who read the pointer before it moved still answers by it.
      if (version !== undefined && pointer !== undefined)
        this.stores.pointers.set("readings", { ...version, retained: pointer.retained });
      const { contains, total } = await queryKey(options, readings, {
        ...{ key: ["here"], layer: "merged", granularity: "all" },
      });
      if (pointer !== undefined) this.stores.pointers.set("readings", pointer);
      expect({ ...total }).toEqual(this.#onePass(contains.speed));
      // What a batch covers the speed layer need not write: an older version may lack it, and then says so.
      if (version?.version !== pointer?.version) continue;
      expect(contains.holes).toEqual([]);
      for (let partition = 0; partition < this.partitions; partition++)
        expect(contains.speed[partition], `${version?.version} ${partition}`).toBeGreaterThanOrEqual(
          Math.max(this.#written[partition] ?? 0, version?.horizon[partition] ?? 0),
        );
    }
  }

  #onePass(end: Offsets) {
    const events = this.logs.flatMap((log, partition) => log.slice(0, end[partition] ?? 0));
    return { readings: events.length, total: events.reduce((all, { value }) => all + value, 0) };
  }
}

test("no event goes missing while partitions grow from 1 to 4, with batches before, between and after", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40, size: "max" }),
      fc.integer({ min: 1, max: 3 }),
      async (steps, chunksPerEra) => {
        const growing = new Growing(1, chunksPerEra);
        for (const each of steps) {
          if (each.kind === "play") growing.play(each.events);
          else if (each.kind === "speed") growing.speed(each.share);
          else if (each.kind === "batch") growing.batch();
          else if (each.kind === "grow") growing.partitions = Math.min(mostPartitions, growing.partitions + 1);
          else growing.zombie(each.partition, each.chunk);
          await growing.check();
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("a partition that comes after a batch is answered before, during and after the next ones", async () => {
  const growing = new Growing(2, 4);
  growing.play(60);
  growing.speed(1);
  growing.batch();
  await growing.check();
  growing.partitions = 4;
  for (let round = 0; round < 5; round++) {
    growing.play(40);
    growing.speed(1);
    await growing.check();
    growing.batch();
    await growing.check();
  }
});
