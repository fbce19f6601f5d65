import { expect, test } from "vitest";
import { member } from "../../../components/zookeeper/configuration.ts";
import { membersOf, sameMembers } from "../../../components/zookeeper/membership-plan.ts";

const [one, two] = [member("127.9.0.1", 0), member("127.9.0.2", 1)];

test("members are read from ZooKeeper's answer to conf", () => {
  const answer = `clientPort=2181\ndataDir=/data\nserverId=1\nmembership: \n${one}\n${two}\nversion=100000003`;
  expect(membersOf(answer)).toEqual([one, two]);
});

test("members are the same in any order, but not with another role", () => {
  expect(sameMembers([one, two], [two, one])).toBe(true);
  expect(sameMembers([one, two], [one, two.replace("participant", "observer")])).toBe(false);
  expect(sameMembers([one], [one, two])).toBe(false);
});
