import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { EpochEnd } from "../../../jobs/kafka/partition-leaders.ts";
import type { LogEnd } from "../../../jobs/kafka/range-reader.ts";
import type { KnownEnd } from "../../../jobs/log/divergence.ts";
import { LogCheck } from "../../../jobs/log/log-check.ts";

/** A topic's logs as Kafka keeps them: by partition, the epoch of the leader that wrote each record. */
class SimulatedLogs {
  topicId = "first";
  readonly records: number[][];
  readonly leaders: number[];
  readonly asked = { epochs: 0, topicId: 0, latest: 0 };

  constructor(partitions: number) {
    this.records = Array.from({ length: partitions }, () => []);
    this.leaders = this.records.map(() => 0);
  }

  append(partition: number, count: number): void {
    const leader = this.leaders[partition] as number;
    this.records[partition]?.push(...Array<number>(count).fill(leader));
  }

  elect(partition: number): void {
    this.leaders[partition] = (this.leaders[partition] as number) + 1;
  }

  /** The partition loses all past an offset, and gets another leader, as after a power failure. */
  cut(partition: number, length: number): void {
    this.records[partition]?.splice(length);
    this.elect(partition);
  }

  ends(): Record<number, LogEnd> {
    return Object.fromEntries(
      this.records.map((log, partition) => [
        partition,
        { latest: log.length, leaderEpoch: this.leaders[partition] as number },
      ]),
    );
  }

  /** What is known of a partition that was read up to there. */
  known(partition: number, end = this.records[partition]?.length ?? 0): KnownEnd {
    return { partition, end, leaderEpoch: this.records[partition]?.[end - 1] ?? -1 };
  }

  /** As Kafka's `LeaderEpochFileCache.endOffsetFor` has it. */
  #end(partition: number, epoch: number): EpochEnd {
    const log = this.records[partition] ?? [];
    if (epoch === this.leaders[partition]) return { leaderEpoch: epoch, end: log.length };
    if (epoch > (this.leaders[partition] ?? -1)) return { leaderEpoch: -1, end: -1 };
    const next = log.findIndex((of) => of > epoch);
    const end = next < 0 ? log.length : next;
    return { leaderEpoch: log[end - 1] ?? epoch, end };
  }

  check(moment = 20): LogCheck {
    return new LogCheck({
      topic: "events",
      partitions: this.records.length,
      topicId: async () => "first",
      moment,
      reader: {
        latest: async () => {
          this.asked.latest++;
          return this.ends();
        },
        topicId: async () => {
          this.asked.topicId++;
          return this.topicId;
        },
        epochEnds: async (_topic, epochs) => {
          this.asked.epochs++;
          return Object.fromEntries(
            Object.entries(epochs).map(([name, epoch]) => [name, this.#end(Number(name), epoch)]),
          );
        },
      },
    });
  }
}

describe("LogCheck", () => {
  let logs: SimulatedLogs;
  beforeEach(() => {
    logs = new SimulatedLogs(2);
    logs.append(0, 100);
  });

  const reasons = async (check: LogCheck, known: KnownEnd[], ends = logs.ends()) =>
    (await check.check(known, ends)).problems.map(({ reason }) => reason);

  test("asks nothing as long as the leader is the same, and once after it has changed", async () => {
    const check = logs.check(60_000);
    const known = [logs.known(0)];
    for (let time = 0; time < 9; time++) expect(await reasons(check, known)).toEqual([]);
    expect(logs.asked).toEqual({ epochs: 0, topicId: 1, latest: 0 });
    logs.elect(0);
    logs.append(0, 10);
    for (let time = 0; time < 9; time++) expect(await reasons(check, [...known, logs.known(0)])).toEqual([]);
    expect(logs.asked).toEqual({ epochs: 1, topicId: 1, latest: 0 });
  });

  test("a log that ends before what was read of it is another one", async () => {
    const known = [logs.known(0)];
    logs.cut(0, 90);
    expect(await reasons(logs.check(), known)).toEqual([
      expect.stringContaining("partition 0 of topic events ends at offset 90, but was read up to 100"),
    ]);
  });

  test("so is one that lost its tail and has grown past it since", async () => {
    const known = [logs.known(0)];
    logs.cut(0, 90);
    logs.append(0, 500);
    expect(await reasons(logs.check(), [...known, logs.known(0)])).toEqual([
      expect.stringContaining("wrote up to offset 90 only, but was read up to 100 under it"),
    ]);
  });

  test("so is one that was made again, at once where it is shorter, else within two moments", async () => {
    const known = [logs.known(0)];
    const check = logs.check();
    expect(await reasons(check, known)).toEqual([]);
    logs.topicId = "second";
    expect(await reasons(check, known, { ...logs.ends(), 0: { latest: 99, leaderEpoch: 0 } })).toEqual([
      expect.stringContaining("its id was first and is second"),
    ]);
    const other = logs.check();
    logs.topicId = "first";
    expect(await reasons(other, known)).toEqual([]);
    logs.topicId = "second";
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await reasons(other, known)).toEqual([expect.stringContaining("its id was first and is second")]);
  });

  test("what was read a moment after the log's end was is no problem", async () => {
    const before = logs.ends();
    logs.elect(0);
    logs.append(0, 20);
    const { ends, problems } = await logs.check().check([logs.known(0)], before);
    expect(problems).toEqual([]);
    expect(ends[0]).toEqual({ latest: 120, leaderEpoch: 1 });
  });

  test("names the events of a partition that the configuration does not know", async () => {
    const check = logs.check();
    const ends = { ...logs.ends(), 2: { latest: 777, leaderEpoch: 0 }, 3: { latest: 0, leaderEpoch: 0 } };
    expect(await reasons(check, [logs.known(0)], ends)).toEqual([
      expect.stringMatching(/partition 2 of topic events has 777 offsets .* partitions=2: set it to 4/),
    ]);
  });

  test("sees every cut below what was read, and nothing else, whatever became of the log", async () => {
    const step = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ kind: fc.constant("append" as const), count: fc.integer({ min: 1, max: 5 }) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("read" as const), back: fc.nat(4) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("elect" as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), count: fc.integer({ min: 1, max: 6 }) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, checksOften) => {
        const log = new SimulatedLogs(1);
        const check = log.check();
        const known: KnownEnd[] = [];
        let isCut = false;
        for (const one of steps) {
          const length = log.records[0]?.length ?? 0;
          if (one.kind === "append") log.append(0, one.count);
          else if (one.kind === "elect") log.elect(0);
          // Whoever reads the former log, and the new one without noticing.
          else if (one.kind === "read" && length > one.back) known.push(log.known(0, length - one.back));
          else if (one.kind === "cut" && length > 0) {
            const left = Math.max(0, length - one.count);
            log.cut(0, left);
            isCut ||= known.some(({ end }) => end > left);
          }
          if (checksOften) await check.check(known, log.ends());
        }
        const { problems } = await check.check(known, log.ends());
        expect(problems.length > 0).toBe(isCut);
      }),
    );
  });
});
