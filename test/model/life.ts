/** The life of a topic's partitions: what happens, step by step, and what must hold after each. */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import { type Contains, type Layer, layers, type QueryOptions, queryKey, queryTop } from "../../jobs/serving/query.ts";
import { StoreError } from "../../jobs/serving/stores.ts";
import { type Acknowledged, type Event, readings, regions, rowsOf, sensors, totalsOf } from "./events.ts";
import type { Fate } from "./simulation.ts";
import { type Running, topic, World, type WorldOptions } from "./world.ts";

/** The programs of which there may be any number of lives, one after the other; of most, two at once. */
export const programs = [
  "archiver",
  "archiver 2",
  "speed",
  "speed 2",
  "batch",
  "batch 2",
  "sealer",
  "acceptance",
  "question",
] as const;
export type Program = (typeof programs)[number];

/** What is written to the log. */
export type Written = "event" | "late" | "unfit" | "poison" | "oversized" | "tombstone" | "gap";

/** Something that happens. */
export type Happening =
  | { readonly happens: "produce"; readonly partition: number; readonly written: readonly Written[] }
  | {
      /** A program goes on; it starts first if it does not run. */
      readonly happens: "run";
      readonly program: Program;
      readonly operations: number;
      /** What becomes of one of the operations. */
      readonly fate?: { readonly at: number; readonly fate: Fate };
      /** Which of several operations under way come first. */
      readonly choices: readonly number[];
    }
  | { readonly happens: "kill"; readonly program: Program }
  | { readonly happens: "pass"; readonly minutes: number }
  /** Somebody deletes so many records from the beginning of a partition. */
  | { readonly happens: "delete"; readonly partition: number; readonly records: number }
  /** A partition loses so many records at its end, and gets another leader. */
  | { readonly happens: "cut"; readonly partition: number; readonly records: number }
  /** Partitions get other leaders, with the same records. */
  | { readonly happens: "elect" }
  | { readonly happens: "grow" }
  | { readonly happens: "deploy" };

/** One life, in a world of its own. */
export class Life {
  readonly world: World;
  readonly #running = new Map<Program, Running>();
  #serving: QueryOptions;
  /** Another server, whose questions take their time. */
  #slowServing: QueryOptions | undefined;
  #count = 0;
  #questions = 0;
  /** What a question found to be wrong. */
  #failure: Error | undefined;

  constructor(options: WorldOptions) {
    this.world = new World(options);
    this.#serving = this.world.serving();
  }

  /** Makes something happen, and checks every answer then. */
  async live(happening: Happening): Promise<void> {
    const { world } = this;
    switch (happening.happens) {
      case "produce": {
        const partition = happening.partition % world.kafkaPartitions;
        for (const written of happening.written) world.produce(partition, this.#value(written));
        break;
      }
      case "run": {
        const { operations, fate, choices } = happening;
        let choice = 0;
        await this.#started(happening.program).process.run({
          operations,
          milliseconds: 1_000,
          choose: () => choices[choice++ % choices.length] ?? 0,
          fate: (operation) => (operation === fate?.at ? fate.fate : "fine"),
        });
        break;
      }
      case "kill":
        this.#running.get(happening.program)?.process.kill();
        break;
      case "pass":
        world.simulation.now += happening.minutes * 60_000;
        break;
      case "delete": {
        const partition = happening.partition % world.kafkaPartitions;
        const { earliest = 0 } = world.kafka.watermarks(topic)[partition] ?? {};
        world.deleteRecords(partition, earliest + happening.records);
        break;
      }
      case "cut":
        world.cut(happening.partition % world.kafkaPartitions, happening.records);
        break;
      case "elect":
        world.kafka.changeLeader(topic);
        break;
      case "grow":
        if (world.kafkaPartitions < 4) world.grow(world.kafkaPartitions + 1);
        break;
      case "deploy":
        world.deploy();
        this.#serving = world.serving();
        break;
    }
    await this.check();
  }

  /** Lets everything run undisturbed until nothing is left to do. All that was acknowledged is in the answer then. */
  async settle(): Promise<void> {
    const { world } = this;
    for (const { process } of this.#running.values()) process.kill();
    world.deploy();
    this.#serving = world.serving();
    world.simulation.now += 60 * 60_000;
    const run = async (program: Program) => {
      await this.#started(program).process.run({ operations: 400, milliseconds: 5_000 });
    };
    const goOn = async () => {
      for (let round = 0; round < 20; round++) {
        await run("archiver");
        await run("speed");
        if (await this.#isComplete("merged")) return;
      }
    };
    await goOn();
    if (world.cuts > 0) {
      // Answers are right, or say that they are not: what it takes to go on is for a person to do.
      await this.check();
      return;
    }
    // What somebody deleted is gone until a person has accepted that, and a batch view says so: the chunk's rest is closed for it.
    if (world.wasDeleted) {
      await run("acceptance");
      await goOn();
      await run("batch");
      await goOn();
    }
    await this.check();
    this.#compare(await this.#isComplete("merged"), true, {});
    await run("sealer");
    await goOn();
    await run("batch");
    await this.check();
    this.#compare(await this.#isComplete("merged"), true, {});
    this.#compare(await this.#isWhole(), true, {});
  }

  /** Whether the batch layer alone has everything. */
  #isWhole(): Promise<boolean> {
    return this.#ask(async () => {
      for (const view of readings.views) {
        const request = { measure: "value", limit: 1, layer: "batch" } as const;
        const { contains } = await queryTop(this.#serving, view, request);
        if (this.#missing(contains, this.#contained(this.#serving, contains, "batch")).length > 0) return false;
      }
      return true;
    });
  }

  /** Nothing is lost, and every answer is right. */
  async check(): Promise<void> {
    this.#compare(this.world.unsafeEvents(), [], {});
    if (this.#failure !== undefined) throw this.#failure;
    await this.#ask(async () => {
      for (const view of readings.views)
        for (const layer of layers) {
          for (const key of keysOf(view.name)) await this.#checkKey(this.#serving, view, key, layer);
          await this.#checkTop(this.#serving, view, layer);
        }
    });
  }

  /** One question while other programs go on. */
  async #question(serving: QueryOptions): Promise<void> {
    const number = this.#questions++;
    const view = readings.views[number % 2] as (typeof readings.views)[number];
    const layer = layers[number % 5] ?? "merged";
    const before = this.world.acknowledged.length;
    try {
      if (number % 3 === 0) await this.#checkTop(serving, view, layer, before);
      else await this.#checkKey(serving, view, keysOf(view.name)[number % 2] as string, layer, before);
    } catch (error) {
      // A store that is away, or does not answer in time, is no answer.
      if (!(error instanceof StoreError)) this.#failure = error as Error;
    }
  }

  /** @param before how many events were acknowledged before the question. Default: all */
  async #checkKey(
    serving: QueryOptions,
    view: (typeof readings.views)[number],
    key: string,
    layer: Layer,
    before?: number,
  ): Promise<void> {
    const request = { key: [key], granularity: view.granularity, layer };
    const { cuts } = this.world;
    const { rows, total, contains } = await queryKey(serving, view, request);
    if (this.#saysThatItIsOff(contains) || this.world.cuts > cuts) return;
    const expected = rowsOf(view.name, key, this.#contained(serving, contains, layer, before));
    this.#compare(rows, expected, { view: view.name, layer, key, contains });
    this.#compare(
      total.events,
      expected.reduce((sum, { events }) => sum + events, 0),
      { contains },
    );
  }

  async #checkTop(
    serving: QueryOptions,
    view: (typeof readings.views)[number],
    layer: Layer,
    before?: number,
  ): Promise<void> {
    const { cuts } = this.world;
    const { rows, contains } = await queryTop(serving, view, { measure: "value", limit: 10, layer });
    // What was cut meanwhile was there when it was asked for.
    if (this.#saysThatItIsOff(contains) || this.world.cuts > cuts) return;
    const expected = totalsOf(view.name, this.#contained(serving, contains, layer, before));
    const found = rows.map(({ key, value }) => ({ key: key[0], value }));
    this.#compare(found, expected, { view: view.name, layer, contains });
  }

  /** Asks in a process of its own, at once. */
  #ask<Result>(question: () => Promise<Result>): Promise<Result> {
    const asker = this.world.simulation.process("asker");
    asker.isImmediate = true;
    return asker.start(question);
  }

  #compare(found: unknown, expected: unknown, context: object): void {
    // The story is long, and mostly nobody reads it.
    if (!isDeepStrictEqual(found, expected)) expect(found, this.#story(context)).toEqual(expected);
  }

  #isComplete(layer: Layer): Promise<boolean> {
    return this.#ask(async () => {
      for (const view of readings.views)
        if (!(await queryTop(this.#serving, view, { measure: "value", limit: 1, layer })).contains.complete)
          return false;
      return true;
    });
  }

  /** The events that an answer says it contains: complete, it has all that were acknowledged and not lost. */
  #contained(
    { partitions }: QueryOptions,
    contains: Contains,
    layer: Layer,
    before = this.world.acknowledged.length,
  ): Acknowledged[] {
    const { acknowledged, losable, wasDeleted } = this.world;
    const contained = acknowledged.filter((one) => {
      const { partition, offset } = one;
      const from = layer === "speed" ? (contains.horizon[partition] ?? 0) : 0;
      return offset >= from && offset < (contains.speed[partition] ?? 0) && !this.#isGivenUp(contains, one);
    });
    for (const one of acknowledged)
      if (this.#isGivenUp(contains, one) && !losable.has(one))
        this.#compare("named as lost", "not lost", { ...one, contains });
    if (contains.complete && layer === "merged")
      this.#compare(this.#missing(contains, contained, before), [], { contains });
    // Nothing is made up either.
    if (!wasDeleted && this.world.cuts === 0) this.#compare(contains.holes, [], { contains });
    if (this.world.kafkaPartitions === partitions && this.world.cuts === 0)
      this.#compare(contains.problems, [], { contains });
    return contained;
  }

  /** Whether an answer says that events may be missing or misplaced: the log is another one than its rows are of. */
  #saysThatItIsOff(contains: Contains): boolean {
    if (this.world.cuts === 0 || contains.problems.length === 0) return false;
    this.#compare(contains.complete, false, { contains });
    return true;
  }

  /** The events, of the first so many, that are neither contained nor accepted as lost. */
  #missing(contains: Contains, contained: readonly Acknowledged[], before?: number): Acknowledged[] {
    const held = new Set(contained);
    return this.world.acknowledged.slice(0, before).filter((one) => !held.has(one) && !this.#isGivenUp(contains, one));
  }

  /**
   * Whether an answer says that a person has accepted the event's loss, and it is lost: an archiver that had read it may
   * have written it all the same, so that the answer has more than it says.
   */
  #isGivenUp({ holes }: Contains, one: Acknowledged): boolean {
    const { partition, offset } = one;
    return (
      holes.some((hole) => hole.accepted && hole.partition === partition && hole.from <= offset && offset < hole.to) &&
      !this.world.isArchived(one)
    );
  }

  #started(program: Program): Running {
    const before = this.#running.get(program);
    if (before !== undefined && !before.process.isDead && before.outcome === undefined) return before;
    const running = this.#start(program.split(" ")[0] as string);
    this.#running.set(program, running);
    return running;
  }

  #start(kind: string): Running {
    const { world } = this;
    if (kind === "archiver") return world.startArchiver();
    if (kind === "speed") return world.startSpeedLayer();
    if (kind === "sealer") return world.startSealer();
    if (kind === "acceptance") return world.startAcceptance();
    if (kind === "batch") return world.startBatch();
    // What a killed one was reading nobody else gets.
    if (this.#slowServing === undefined || this.#running.get("question")?.process.isDead === true)
      this.#slowServing = world.serving();
    const serving = this.#slowServing;
    return world.startQuestion(() => this.#question(serving));
  }

  #value(written: Written): Event | string | null | "gap" {
    const number = ++this.#count;
    const day = written === "late" ? "2025-12-01" : "2026-01-01";
    const event: Event = {
      time: `${day}T0${number % 3}:30:00Z`,
      sensor: sensors[number % sensors.length] as string,
      value: number,
      ...(written === "unfit" ? {} : { region: regions[Math.floor(number / 2) % regions.length] as string }),
    };
    if (written === "poison") return '{"time":';
    if (written === "oversized") return JSON.stringify({ ...event, sensor: "x".repeat(300) });
    if (written === "tombstone") return null;
    return written === "gap" ? "gap" : event;
  }

  /** What a failed expectation shows beside the values. */
  #story(more: object = {}): string {
    const logs = JSON.stringify(this.world.kafka.watermarks(topic));
    return [
      JSON.stringify(more),
      `log: ${logs}`,
      ...this.world.storage.files.keys(),
      ...this.world.lines.slice(-12),
    ].join("\n");
  }
}

function keysOf(view: string): readonly string[] {
  return view === "by-sensor" ? sensors : regions;
}
