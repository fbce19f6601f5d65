import { expect, test } from "vitest";
import { instanceOfLog, logsOf } from "../../scripts/log-files.ts";

test("the logs of the instances whose name has the system in it", () => {
  const files = [
    "data/kafka-broker-0/00000.log",
    "kafka-broker-1/logs/kafka-broker-1.log",
    "kafka-broker-0/logs/kafka-broker-0.log",
    "kafka-broker-0/configuration/server.properties",
    "storm-supervisor-0/logs/workers/worker.log",
  ];
  expect(logsOf(files, "kafka")).toEqual([
    "kafka-broker-0/logs/kafka-broker-0.log",
    "kafka-broker-1/logs/kafka-broker-1.log",
  ]);
  expect(logsOf(files, "").map(instanceOfLog)).toEqual(["kafka-broker-0", "kafka-broker-1", "storm-supervisor-0"]);
});
