/** Where the copies of a partition are, by the brokers' node ids. */
export interface PartitionCopies {
  readonly topic: string;
  readonly partition: number;
  /** The brokers that shall have a copy, the preferred leader first. */
  readonly replicas: readonly number[];
  /** The broker that takes reads and writes, -1 if none can. */
  readonly leader: number;
}

/** A partition whose copies are to be on other brokers. */
export interface Move {
  readonly topic: string;
  readonly partition: number;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** What is to do so that partitions have their copies on the brokers that a cluster shall have. */
export interface PartitionPlan {
  readonly moves: readonly Move[];
  /** What cannot be done, with the mend. No move may be made unless this is empty. */
  readonly refused: readonly string[];
}

/**
 * Gives every partition its number of copies, all on brokers that stay. Copies stay where they are if they can. Only if
 * a broker has none at all, as one that has just joined, others give it its share. A topic that somebody gave more
 * copies keeps them, as far as there are brokers.
 *
 * @param brokers the node ids of the brokers that the cluster shall have
 * @param replicationFactor how many copies a partition shall have at least
 */
export function planPartitions(
  partitions: readonly PartitionCopies[],
  brokers: readonly number[],
  replicationFactor: number,
): PartitionPlan {
  const load = new Map(brokers.map((broker) => [broker, 0]));
  const change = (broker: number, by: number) => load.set(broker, (load.get(broker) ?? 0) + by);
  const wanted = partitions.map(({ replicas }) => {
    const staying = replicas.filter((broker) => load.has(broker));
    for (const broker of staying) change(broker, 1);
    return staying;
  });
  for (const [index, copies] of wanted.entries()) {
    const before = partitions[index]?.replicas.length ?? 0;
    while (copies.length < Math.min(Math.max(replicationFactor, before), brokers.length)) {
      const broker = leastLoaded(brokers, load, copies);
      copies.push(broker);
      change(broker, 1);
    }
  }
  if ([...load.values()].includes(0)) share(wanted, brokers, load);
  return {
    moves: partitions.flatMap(({ topic, partition, replicas }, index) => {
      const to = wanted[index] as number[];
      return sameMembers(replicas, to) ? [] : [{ topic, partition, from: replicas, to }];
    }),
    refused: partitions
      .filter(({ leader }) => leader < 0)
      .map(
        ({ topic, partition, replicas }) =>
          `partition ${partition} of topic ${topic} cannot be read, since no broker that has all of it runs: ` +
          `start broker ${replicas.join(" or ")} again`,
      ),
  };
}

/** Moves single copies from the broker with the most to the one with the fewest while that evens them out. */
function share(wanted: readonly number[][], brokers: readonly number[], load: Map<number, number>): void {
  const of = (broker: number) => load.get(broker) ?? 0;
  for (;;) {
    const most = brokers.reduce((a, b) => (of(b) > of(a) ? b : a));
    const fewest = brokers.reduce((a, b) => (of(b) < of(a) ? b : a));
    if (of(most) - of(fewest) < 2) return;
    const copies = wanted.find((each) => each.includes(most) && !each.includes(fewest));
    if (copies === undefined) return;
    copies[copies.indexOf(most)] = fewest;
    load.set(most, of(most) - 1);
    load.set(fewest, of(fewest) + 1);
  }
}

function leastLoaded(brokers: readonly number[], load: ReadonlyMap<number, number>, without: readonly number[]) {
  const candidates = brokers.filter((broker) => !without.includes(broker));
  return candidates.reduce((a, b) => ((load.get(b) ?? 0) < (load.get(a) ?? 0) ? b : a));
}

function sameMembers(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((broker) => other.includes(broker));
}
