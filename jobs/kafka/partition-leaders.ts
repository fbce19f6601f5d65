import { setTimeout as sleep } from "node:timers/promises";
import {
  type Connection,
  ConnectionPool,
  type Consumer,
  FetchIsolationLevels,
  listOffsetsV7,
  offsetForLeaderEpochV4,
} from "@platformatic/kafka";
import { connectionOptions, type KafkaConnection } from "./connection.ts";

/** An offset that a partition's leader names. */
export interface ListedOffset {
  /** -1 if no record is at or after the time that was asked for. */
  readonly offset: number;
  /** The epoch of the leader that the offset is of; of the latest offset: the epoch of the leader that answers. */
  readonly leaderEpoch: number;
}

/** Where a leader's part of a log ends. */
export interface EpochEnd {
  /** The largest epoch that the log has, at or below the one asked for; -1 if it has none. */
  readonly leaderEpoch: number;
  /** The offset after that epoch's last record; -1 if the log has no such epoch. */
  readonly end: number;
}

/** How often a question is asked again, of the leaders that a fresh look at the cluster names. */
const retries = 2;

/**
 * Asks the leaders of a topic's partitions what their logs hold, where the library's own client leaves out the leaders'
 * epochs. Version 7 of ListOffsets and 4 of OffsetForLeaderEpoch are known to every broker from 3.0 on, 4.4 among them.
 */
export class PartitionLeaders {
  readonly #cluster: Consumer;
  /** Connections of its own: on those of a long poll a question would wait. */
  readonly #connections: ConnectionPool;

  constructor(clientId: string, cluster: Consumer, options: KafkaConnection) {
    this.#cluster = cluster;
    const timeouts = { connectTimeout: 3_000, requestTimeout: 10_000 };
    this.#connections = new ConnectionPool(clientId, { ...connectionOptions(options), ...timeouts });
  }

  /** By partition, the first offset at or after a time, or what one of the library's `ListOffsetTimestamps` stands for. */
  async offsets(topic: string, timestamp: bigint): Promise<Readonly<Record<number, ListedOffset>>> {
    return this.#ask(topic, undefined, async (connection, partitions) => {
      const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }));
      const { topics } = await listOffsetsV7.api.async(connection, -1, FetchIsolationLevels.READ_COMMITTED, [
        { name: topic, partitions: asked },
      ]);
      return topics.flatMap(({ partitions: answers }) =>
        answers.map(({ partitionIndex, offset, leaderEpoch }): [number, ListedOffset] => [
          partitionIndex,
          { offset: Number(offset), leaderEpoch },
        ]),
      );
    });
  }

  /** By partition, where the given epoch of its leaders ends; of partitions that the topic lacks nothing. */
  async epochEnds(
    topic: string,
    epochs: Readonly<Record<number, number>>,
  ): Promise<Readonly<Record<number, EpochEnd>>> {
    return this.#ask(topic, new Set(Object.keys(epochs).map(Number)), async (connection, partitions) => {
      const asked = partitions.map((partitionIndex) => ({
        partitionIndex,
        currentLeaderEpoch: -1,
        leaderEpoch: epochs[partitionIndex] as number,
      }));
      const { topics } = await offsetForLeaderEpochV4.api.async(connection, -1, [{ name: topic, partitions: asked }]);
      return topics.flatMap(({ partitions: answers }) =>
        answers.map(({ partition, leaderEpoch, endOffset }): [number, EpochEnd] => [
          partition,
          { leaderEpoch, end: Number(endOffset) },
        ]),
      );
    });
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** What the leaders answer of their partitions, together. @throws {Error} if one does not answer */
  async #ask<Answer>(
    topic: string,
    only: ReadonlySet<number> | undefined,
    question: (connection: Connection, partitions: readonly number[]) => Promise<readonly [number, Answer][]>,
  ): Promise<Readonly<Record<number, Answer>>> {
    for (let failures = 0; ; failures++) {
      try {
        const { topics, brokers } = await this.#cluster.metadata({ topics: [topic], forceUpdate: failures > 0 });
        const partitions = topics.get(topic)?.partitions;
        if (partitions === undefined) throw new Error(`there is no topic ${topic}`);
        const byLeader = new Map<number, number[]>();
        for (const [number, { leader }] of Object.entries(partitions).map(([key, one]) => [Number(key), one] as const))
          if (only?.has(number) ?? true) byLeader.set(leader, [...(byLeader.get(leader) ?? []), number]);
        const answers = await Promise.all(
          [...byLeader].map(async ([leader, numbers]) => {
            const broker = brokers.get(leader);
            if (broker === undefined) throw new Error(`partition ${numbers[0]} of topic ${topic} has no leader`);
            return question(await this.#connections.get(broker), numbers);
          }),
        );
        return Object.fromEntries(answers.flat());
      } catch (error) {
        if (failures === retries) throw error;
        await sleep(100);
      }
    }
  }
}
