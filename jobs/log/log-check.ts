import type { EpochEnd } from "../kafka/partition-leaders.ts";
import type { LogEnd, RangeReader } from "../kafka/range-reader.ts";
import {
  epochProblem,
  furthest,
  type KnownEnd,
  type LogProblem,
  lengthProblem,
  needsEpochs,
  topicProblem,
  unknownPartitions,
} from "./divergence.ts";

export interface LogCheckOptions {
  readonly topic: string;
  /** The topic's partitions as the configuration has them. */
  readonly partitions: number;
  readonly reader: Pick<RangeReader, "epochEnds" | "latest" | "topicId">;
  /** Kafka's id of the topic whose events are known; undefined as long as it is not noted. */
  readonly topicId: () => Promise<string | undefined>;
  /** Milliseconds after which the topic's id is asked for again. Default: 1,000 */
  readonly moment?: number;
}

/** What a check found. */
export interface CheckedLog {
  /** Where the log ends: looked at after the known ends. */
  readonly ends: Readonly<Record<number, LogEnd>>;
  /** Empty if it is the log that is known, and all of it is read. */
  readonly problems: readonly LogProblem[];
}

/** What the leader of a partition has said of former leaders. */
interface Epochs {
  readonly leaderEpoch: number;
  readonly ends: Map<number, EpochEnd>;
}

/**
 * Checks that a log is still the one that is known. It is made for every answer: as long as a partition has the same
 * leader, nothing is asked of it, and the topic's id once a moment.
 */
export class LogCheck {
  readonly #options: LogCheckOptions;
  readonly #moment: number;
  readonly #epochs = new Map<number, Epochs>();
  #known: string | undefined;
  #topic: { readonly asked: number; readonly problem: Promise<LogProblem | undefined> } | undefined;
  #topicProblem: { readonly found: number; readonly problem: LogProblem | undefined } | undefined;

  constructor(options: LogCheckOptions) {
    this.#options = options;
    this.#moment = options.moment ?? 1_000;
  }

  /**
   * @param known what was read, in any order
   * @param ends where the log ends; may be a little older than what is known
   * @throws {Error} if Kafka does not answer
   */
  async check(known: Iterable<KnownEnd>, ends: Readonly<Record<number, LogEnd>>): Promise<CheckedLog> {
    const all = furthest(known);
    const topic = await this.#topicSeldom();
    let checked = await this.#logs(all, ends);
    // What is known may be younger than the ends: only after another look it is sure.
    if (checked.problems.some(({ isAnotherLog }) => isAnotherLog)) {
      const { reader, topic: name } = this.#options;
      this.#epochs.clear();
      const [again, now] = await Promise.all([this.#topicNow(), reader.latest(name)]);
      if (again !== undefined) return { ends: now, problems: [again] };
      checked = await this.#logs(all, now);
    }
    return topic === undefined ? checked : { ...checked, problems: [topic] };
  }

  async #logs(known: readonly KnownEnd[], ends: Readonly<Record<number, LogEnd>>): Promise<CheckedLog> {
    const { topic, partitions } = this.#options;
    const problems: LogProblem[] = unknownPartitions(topic, partitions, ends);
    const asked: KnownEnd[] = [];
    for (const one of known) {
      const now = ends[one.partition];
      const short = lengthProblem(topic, one, now);
      if (short !== undefined) problems.push(short);
      else if (now !== undefined && needsEpochs(one, now)) asked.push(one);
    }
    const found = await this.#epochEnds(asked, ends);
    for (const [index, one] of asked.entries())
      problems.push(...[epochProblem(topic, one, found[index])].filter(isGiven));
    return { ends, problems: onePerPartition(problems) };
  }

  /** Where the epochs of the known ends end; asked for only if their partition has got another leader since. */
  async #epochEnds(
    known: readonly KnownEnd[],
    ends: Readonly<Record<number, LogEnd>>,
  ): Promise<readonly (EpochEnd | undefined)[]> {
    const { reader, topic } = this.#options;
    const of = ({ partition }: KnownEnd): Epochs => {
      const leaderEpoch = ends[partition]?.leaderEpoch ?? -1;
      let epochs = this.#epochs.get(partition);
      if (epochs === undefined || epochs.leaderEpoch !== leaderEpoch) {
        epochs = { leaderEpoch, ends: new Map() };
        this.#epochs.set(partition, epochs);
      }
      return epochs;
    };
    return Promise.all(
      known.map(async (one) => {
        const epochs = of(one);
        const before = epochs.ends.get(one.leaderEpoch);
        if (before !== undefined) return before;
        const found = (await reader.epochEnds(topic, { [one.partition]: one.leaderEpoch }))[one.partition];
        if (found !== undefined) epochs.ends.set(one.leaderEpoch, found);
        return found;
      }),
    );
  }

  /** The topic's problem as it was a moment ago, at most two. */
  async #topicSeldom(): Promise<LogProblem | undefined> {
    const now = performance.now();
    if (this.#topic === undefined || now - this.#topic.asked >= this.#moment) {
      const asking = this.#topicNow();
      // Somebody waits for it, now or at the next question.
      asking.catch(() => {});
    }
    const last = this.#topicProblem;
    if (last !== undefined && now - last.found < 2 * this.#moment) return last.problem;
    return this.#topic?.problem;
  }

  #topicNow(): Promise<LogProblem | undefined> {
    const asked = performance.now();
    const problem = this.#askTopic().then((problem) => {
      this.#topicProblem = { found: asked, problem };
      return problem;
    });
    this.#topic = { asked, problem };
    return problem;
  }

  async #askTopic(): Promise<LogProblem | undefined> {
    const { reader, topic, topicId } = this.#options;
    const [known, now] = await Promise.all([this.#known ?? topicId(), reader.topicId(topic)]);
    this.#known = known;
    return topicProblem(topic, known, now);
  }
}

function isGiven<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}

/** The first problem of each partition: the others say no more. */
function onePerPartition(problems: readonly LogProblem[]): LogProblem[] {
  return [...new Map(problems.toReversed().map((problem) => [problem.partition, problem])).values()].reverse();
}
