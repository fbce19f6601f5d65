import fc from "fast-check";
import { expect, test } from "vitest";
import { type PartitionCopies, planPartitions } from "../../../components/kafka/partition-plan.ts";

function partition(index: number, replicas: number[], leader = replicas[0] ?? -1): PartitionCopies {
  return { topic: "edits", partition: index, replicas, leader };
}

test("what is where it shall be stays there", () => {
  const partitions = [partition(0, [0, 1]), partition(1, [1, 2]), partition(2, [0, 1])];
  expect(planPartitions(partitions, [0, 1, 2], 2)).toEqual({ moves: [], refused: [] });
});

test("partitions get more copies when brokers join, the leader stays", () => {
  const { moves } = planPartitions([partition(0, [0]), partition(1, [0])], [0, 1, 2], 3);
  expect(moves.map(({ to }) => to)).toEqual([
    [0, 1, 2],
    [0, 1, 2],
  ]);
});

test("partitions leave a broker that goes", () => {
  expect(planPartitions([partition(0, [2, 1, 0])], [0], 1).moves).toEqual([
    { topic: "edits", partition: 0, from: [2, 1, 0], to: [0] },
  ]);
  expect(planPartitions([partition(0, [3, 1])], [0, 1, 2], 2).moves.map(({ to }) => to)).toEqual([[1, 0]]);
});

test("a topic that somebody gave more copies keeps them, as far as there are brokers", () => {
  const theirs = partition(0, [0, 1, 2, 3, 4]);
  expect(planPartitions([theirs], [0, 1, 2, 3, 4], 3).moves).toEqual([]);
  expect(planPartitions([theirs], [0, 1, 2, 3], 3).moves.map(({ to }) => to)).toEqual([[0, 1, 2, 3]]);
});

test("a broker without any copy gets its share", () => {
  const partitions = Array.from({ length: 6 }, (_, index) => partition(index, [index % 3]));
  const { moves } = planPartitions(partitions, [0, 1, 2, 3], 1);
  expect(moves).toHaveLength(1);
  expect(moves[0]?.to).toEqual([3]);
});

test("a partition that nobody can read is refused by name", () => {
  expect(planPartitions([partition(4, [2], -1)], [0, 1], 1).refused).toEqual([
    "partition 4 of topic edits cannot be read, since no broker that has all of it runs: start broker 2 again",
  ]);
});

test("whatever the placement: afterwards every partition has its copies on brokers that stay, and again changes nothing", () => {
  const placement = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(placement, { maxLength: 20 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 3 }),
      (placements, count, factor) => {
        const brokers = Array.from({ length: count }, (_, index) => index);
        const copies = Math.min(factor, count);
        const partitions = placements.map((replicas, index) => partition(index, replicas));
        const { moves } = planPartitions(partitions, brokers, copies);
        const after = partitions.map((each) => {
          const to = moves.find((move) => move.partition === each.partition)?.to ?? each.replicas;
          return partition(each.partition, [...to]);
        });
        for (const [index, { replicas }] of after.entries()) {
          const before = partitions[index]?.replicas.length ?? 0;
          expect(new Set(replicas).size).toBe(Math.min(Math.max(copies, before), count));
          expect(replicas.every((broker) => broker < count)).toBe(true);
        }
        expect(planPartitions(after, brokers, copies).moves).toEqual([]);
      },
    ),
  );
});
