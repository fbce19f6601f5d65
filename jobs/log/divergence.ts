/**
 * Whether a log is still the one that was read: pure functions from what is known of it, and what Kafka says of it now, to
 * reasons in words.
 *
 * A log only grows. It is another one where the topic was deleted and made again, or where it lost its tail (a power
 * failure, an election of a replica that lagged): then offsets are given out again, and what was made of the former events
 * must not be taken for the new ones.
 */
import type { Offsets } from "../chunks.ts";
import type { EpochEnd } from "../kafka/partition-leaders.ts";
import type { LogEnd } from "../kafka/range-reader.ts";

/** Up to where a partition was read. */
export interface KnownEnd {
  readonly partition: number;
  /** The offset after the last one. */
  readonly end: number;
  /** The epoch of the leader that wrote what is before the end; -1 if it is not known. */
  readonly leaderEpoch: number;
}

/**
 * The known ends of offsets by partition.
 *
 * @param epochs by partition the epoch of the leader that wrote what is before the offset. Default: none is known
 */
export function knownEnds(offsets: Offsets, epochs: Offsets = {}): KnownEnd[] {
  return Object.entries(offsets).map(([partition, end]) => {
    return { partition: Number(partition), end, leaderEpoch: epochs[partition] ?? -1 };
  });
}

/** A reason why a log is not what was read, or holds what nobody reads. */
export interface LogProblem {
  /** Undefined if it is about the topic as a whole. */
  readonly partition: number | undefined;
  /** Whether nothing may be read of the partition, or the topic, until a person has decided. */
  readonly isAnotherLog: boolean;
  /** What is wrong, and what to do. */
  readonly reason: string;
}

/** What it takes to go on with another log. */
const accept = "`npm run batch -- --accept-loss` accepts what is lost and goes on with the log as it is now";

/** The problem of a topic whose id is another one than it was; undefined if it is not, or was not known. */
export function topicProblem(topic: string, known: string | undefined, now: string): LogProblem | undefined {
  if (known === undefined || known === now) return undefined;
  return {
    partition: undefined,
    isAnotherLog: true,
    reason:
      `topic ${topic} was deleted and made again: its id was ${known} and is ${now}, so its offsets mean other events ` +
      `than before; ${accept}`,
  };
}

/** Of each partition and epoch the largest end: where that is still in the log, all before it is. */
export function furthest(known: Iterable<KnownEnd>): KnownEnd[] {
  const byEpoch = new Map<number, Map<number, KnownEnd>>();
  for (const one of known) {
    const ofPartition = byEpoch.get(one.partition) ?? new Map<number, KnownEnd>();
    byEpoch.set(one.partition, ofPartition);
    if (one.end > (ofPartition.get(one.leaderEpoch)?.end ?? 0)) ofPartition.set(one.leaderEpoch, one);
  }
  return [...byEpoch.values()].flatMap((ofPartition) => [...ofPartition.values()]);
}

/** The problem of a log that ends before what is known of it; undefined if it reaches there. */
export function lengthProblem(topic: string, known: KnownEnd, now: LogEnd | undefined): LogProblem | undefined {
  const latest = now?.latest ?? 0;
  if (latest >= known.end) return undefined;
  return {
    partition: known.partition,
    isAnotherLog: true,
    reason:
      `partition ${known.partition} of topic ${topic} ends at offset ${latest}, but was read up to ${known.end}: it lost ` +
      `its tail, or was made again; ${accept}`,
  };
}

/**
 * Whether the epochs of a log's leaders must be asked for to know that a known end is still in it: not if the leader
 * itself wrote what is before the end, since under one leader a log only grows.
 */
export function needsEpochs(known: KnownEnd, now: LogEnd): boolean {
  return known.leaderEpoch >= 0 && known.leaderEpoch !== now.leaderEpoch;
}

/**
 * The problem of a log in which the records up to a known end are not the ones that were read; undefined if they are.
 *
 * @param found where the log as it is now ends the epoch of the known end, see `RangeReader.epochEnds`
 */
export function epochProblem(topic: string, known: KnownEnd, found: EpochEnd | undefined): LogProblem | undefined {
  if (found === undefined || found.end >= known.end) return undefined;
  const { partition, end, leaderEpoch } = known;
  const cut =
    found.end < 0
      ? `has nothing of leader epoch ${leaderEpoch}`
      : `has what leaders up to epoch ${leaderEpoch} wrote up to offset ${found.end} only`;
  return {
    partition,
    isAnotherLog: true,
    reason:
      `partition ${partition} of topic ${topic} ${cut}, but was read up to ${end} under it: the log lost its tail, and ` +
      `gave its offsets to other events; ${accept}`,
  };
}

/** A problem for each partition with events that the configuration does not know. */
export function unknownPartitions(
  topic: string,
  partitions: number,
  now: Readonly<Record<number, LogEnd>>,
): LogProblem[] {
  return Object.entries(now).flatMap(([name, { latest }]) => {
    const partition = Number(name);
    if (partition < partitions || latest === 0) return [];
    return [
      {
        partition,
        isAnotherLog: false,
        reason:
          `partition ${partition} of topic ${topic} has ${latest} offsets of which no answer counts more than a batch view covers, since the configuration ` +
          `has partitions=${partitions}: set it to ${Object.keys(now).length}, and run \`npm run pulumi -- up\``,
      },
    ];
  });
}
