import { describe, expect, test } from "vitest";
import {
  defaultNamespace,
  nameProblem,
  podAddress,
  podName,
  workloadName,
  workloadsIn,
} from "../../../../components/targets/kubernetes/names.ts";

const network = { namespace: "architecture-dev", clusterDomain: "cluster.local" };

test("a replica's address is its pod's under the Service of its role", () => {
  const broker = { component: "kafka", role: "broker", index: 2 };
  expect(workloadName(broker)).toBe("kafka-broker");
  expect(podAddress(broker, network)).toBe("kafka-broker-2.kafka-broker.architecture-dev.svc.cluster.local");
});

test("a role without replicas has the pod of index 0", () => {
  const serving = { component: "lambda", role: "serving" };
  expect(podName(serving)).toBe("lambda-serving-0");
  expect(podAddress(serving, network)).toBe("lambda-serving-0.lambda-serving.architecture-dev.svc.cluster.local");
});

test("the workloads whose addresses stand in a text are found, those of other namespaces and domains are not", () => {
  const address = (role: string, index: number, other = {}) =>
    podAddress({ component: "lambda-kafka", role, index }, { ...network, ...other });
  const text = JSON.stringify({
    servers: `${address("broker", 0)}:9092,${address("broker", 1)}:9092`,
    url: `hdfs://${address("namenode", 0)}:8020/x`,
    others: [address("strange", 0, { namespace: "other" }), address("strange", 0, { clusterDomain: "example.org" })],
    word: "lambda-kafka-broker",
  });
  expect([...workloadsIn(text, network)]).toEqual(["lambda-kafka-broker", "lambda-kafka-namenode"]);
});

describe("the namespace of a stack", () => {
  test("is project and stack", () => {
    expect(defaultNamespace("lambda-architecture", "staging")).toBe("lambda-architecture-staging");
  });

  test("is one that Kubernetes takes, and each stack's own, whatever they are called", () => {
    const names = [
      ["My_Project", "Dev.1"],
      ["my_project", "dev.1"],
      ["my-project", "dev-1"],
      ["p".repeat(80), "dev"],
      ["p".repeat(80), "production"],
    ].map(([project = "", stack = ""]) => defaultNamespace(project, stack));
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("names that Kubernetes cannot take are told with their mend", () => {
  expect(nameProblem({ component: "lambda-kafka", role: "broker" })).toBeUndefined();
  expect(nameProblem({ component: "Kafka", role: "broker" })).toMatch(/^must be lower-case .* it is "Kafka-broker"$/);
  expect(nameProblem({ component: "k".repeat(46), role: "broker" })).toBe(
    `must be at most 45 characters; it is "${"k".repeat(46)}"`,
  );
  expect(nameProblem({ component: "k".repeat(45), role: "broker" })).toBeUndefined();
});
