import { expect, test } from "vitest";
import { budgetSummary, type Demand, notingTarget, stackBudget } from "../../stacks/budget.ts";
import { RecordedResources } from "../support/recorded-resources.ts";
import { RecordingTarget } from "../support/recording-target.ts";

const demand = (role: string, memory: number, cpu: number, stateful: boolean, index = 0): Demand => ({
  identity: { component: "kafka", role, index },
  memory,
  cpu,
  stateful,
});

test("a budget is a line a role and the sums", () => {
  const demands = [
    demand("broker", 400, 0.1, true),
    demand("broker", 400, 0.1, true, 1),
    demand("proxy", 1024, 1, false),
  ];
  expect(stackBudget(demands)).toEqual([
    "component  role    servers  CPU    MiB  volumes",
    "kafka      broker        2  0.2    800        2",
    "kafka      proxy         1    1  1,024        0",
    "all                      3  1.2  1,824        2",
  ]);
  expect(budgetSummary(demands)).toBe(
    "3 servers, 1.2 cores expected to be needed, 1.8 GiB of memory at most, 2 volumes",
  );
});

test("what is asked of a target is noted, and asked of it all the same", async () => {
  await new RecordedResources().start();
  const target = new RecordingTarget();
  const noted: Demand[] = [];
  const noting = notingTarget(target, (each) => noted.push(each));
  const server = { command: ["run"], ports: {}, readiness: { kind: "tcp", port: 1 } } as const;
  const identity = { component: "kafka", role: "broker", index: 0 };
  noting.services({ replicas: [{ ...server, identity, memory: 400, cpu: 0.5, stateful: true }] }, {});
  noting.schedule(
    { identity: { component: "batch", role: "run" }, cron: "0 * * * *", command: ["run"], memory: 512, cpu: 0.1 },
    {},
  );
  expect(noted.map(({ memory, cpu, stateful }) => [memory, cpu, stateful])).toEqual([
    [400, 0.5, true],
    [512, 0.1, false],
  ]);
  expect(noting.name).toBe("local");
  expect(noting.placement(identity)).toEqual(target.placement(identity));
  expect([...target.serviceArgs.keys()]).toEqual(["kafka-broker-0"]);
});
