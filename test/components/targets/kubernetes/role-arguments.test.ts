import { expect, test } from "vitest";
import { RoleArguments } from "../../../../components/targets/kubernetes/role-arguments.ts";

test("a role has what an argument says of it", () => {
  const roles = new RoleArguments({ cpus: { "kafka-broker": "2" } });
  expect(roles.of("cpus", "kafka-broker")).toBe("2");
  expect(roles.of("cpus", "kafka-topics")).toBeUndefined();
  expect(roles.of("volumeSizes", "kafka-broker")).toBeUndefined();
  expect(roles.problems()).toEqual([]);
});

test("a role that there is not, or not for this argument, is named with those that there are", () => {
  const roles = new RoleArguments({
    volumeSizes: { "kafka-brokers": "1Ti", "lambda-serving": "1Ti" },
    cpus: { kafka: "2" },
    callers: { kafka: [] },
  });
  for (const role of ["lambda-serving", "kafka-broker"]) roles.of("cpus", role);
  roles.of("volumeSizes", "kafka-broker");
  expect(roles.problems()).toEqual([
    "Kubernetes: volumeSizes.kafka-brokers must name a role that keeps data: kafka-broker",
    "Kubernetes: volumeSizes.lambda-serving must name a role that keeps data: kafka-broker",
    "Kubernetes: cpus.kafka must name a role: kafka-broker, lambda-serving",
    "Kubernetes: callers.kafka must name a role that clients may call: there is none",
  ]);
});
