import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { Admission } from "../../../../components/targets/local/admission.ts";
import type { Demand, Free } from "../../../../components/targets/local/budget.ts";
import type { PermanentValues } from "../../../../components/targets/local/permanent.ts";

const server = (index: number): Demand => ({
  identity: { component: "kafka", role: "broker", index },
  memory: 400,
  cpu: 0.5,
  disk: 200,
  ports: [9092],
  permanent: { controllers: 1 },
});

/** An admission to a machine that is made up, with what it says and how often it looks. */
function admissionTo(free: Free, given: Readonly<Record<string, number>> = {}, madeFor: PermanentValues = {}) {
  const said: string[] = [];
  const looked: string[] = [];
  const admission = new Admission("/stack", {
    free: async (folder) => {
      looked.push(folder);
      return free;
    },
    given: async () => new Map(Object.entries(given)),
    permanent: async (_, instance) => (instance === "kafka-broker-0" ? madeFor : {}),
    say: (message) => said.push(message),
  });
  return { admission, said, looked };
}

test("all servers of a program are checked together, and the budget is told once", async () => {
  const { admission, said, looked } = admissionTo({ cores: 2, memory: 720, disk: 600 });
  await Promise.all([0, 1, 2].map((index) => admission.admit(server(index))));
  expect(looked).toEqual(["/stack"]);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/kafka +broker +3 +0 +1.5 +1,200 +1,200 +600 +9092/);
});

test("too few cores are told beside the budget, and let everything start", async () => {
  const { admission, said } = admissionTo({ cores: 1, memory: 720, disk: 600 });
  await Promise.all([0, 1, 2].map((index) => admission.admit(server(index))));
  expect(said[0]).toMatch(/\nThey are expected to need 1.5 cores, and this machine has 1: they start all the same/);
});

test("if there is no room for all, all get the same error", async () => {
  const { admission, said } = admissionTo({ cores: 2, memory: 719, disk: 600 });
  const results = await Promise.allSettled([0, 1, 2].map((index) => admission.admit(server(index))));
  const errors = results.map((result) => result.status === "rejected" && result.reason);
  expect(pulumi.RunError.isInstance(errors[0])).toBe(true);
  expect(errors[0].message).toContain("720 MiB of memory are needed, 719 MiB are free");
  expect(new Set(errors).size).toBe(1);
  expect(said).toEqual([]);
});

test("what the data is made for cannot change: no server is started, with the mend", async () => {
  const { admission } = admissionTo({ cores: 2, memory: 9_000, disk: 9_000 }, {}, { controllers: 3 });
  const results = await Promise.allSettled([0, 1].map((index) => admission.admit(server(index))));
  for (const result of results)
    expect(result.status === "rejected" && result.reason.message).toBe(
      "controllers cannot change from 3 to 1, since the data of kafka-broker-0 is made for it: leave it at 3",
    );
  const { admission: same } = admissionTo({ cores: 2, memory: 9_000, disk: 9_000 }, {}, { controllers: 1 });
  await same.admit(server(0));
});

test("a stack that runs as it should is neither measured nor told", async () => {
  const { admission, said, looked } = admissionTo({ cores: 2, memory: 0, disk: 0 }, { "kafka-broker-0": 400 });
  await admission.admit(server(0));
  expect([looked, said]).toEqual([[], []]);
});

test("a server that comes after the program awaited something is checked with those before it", async () => {
  const { admission } = admissionTo({ cores: 2, memory: 400, disk: 600 });
  await admission.admit(server(0));
  await expect(admission.admit(server(1))).rejects.toThrow("480 MiB of memory are needed");
});
