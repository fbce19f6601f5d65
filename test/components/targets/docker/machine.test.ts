import { expect, test } from "vitest";
import { freeOfDaemon, memoryLimits } from "../../../../components/targets/docker/machine.ts";

test("on this machine what programs can have is free, on another its whole memory", () => {
  const told = `here 4 ${8 * 2 ** 30}\n`;
  expect(freeOfDaemon(told, "here", 1000)).toEqual({ cores: 4, memory: 1000, disk: undefined });
  expect(freeOfDaemon(told, "here", undefined).memory).toBe(8192);
  expect(freeOfDaemon(told, "elsewhere", 1000).memory).toBe(8192);
});

test("of a daemon that does not answer nothing is known", () => {
  expect(freeOfDaemon("", "here", 1000)).toEqual({ cores: undefined, memory: undefined, disk: undefined });
});

test("the memory that running containers were given", () => {
  expect([...memoryLimits(`kafka-broker-0 ${416 * 2 ** 20}\nlambda-serving ${320 * 2 ** 20}\n`)]).toEqual([
    ["kafka-broker-0", 416],
    ["lambda-serving", 320],
  ]);
});
