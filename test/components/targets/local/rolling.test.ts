import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instances, stopStack } from "../../../../components/targets/local/instances.ts";
import { LocalProvider } from "../../../../components/targets/local/provider.ts";
import type { ServiceInputs, ServiceState } from "../../../../components/targets/local/state.ts";
import { kill } from "../../../support/kill.ts";

// Three replicas of a role, each a shell; the provider as Pulumi calls it: all updates at once.
const stackFolder = mkdtempSync(join(tmpdir(), "rolling "));
const provider = new LocalProvider();
const urn = (index: number) => `urn:pulumi:s::p::local:index:Service::log-broker-${index}`;
const replicas = [0, 1, 2];
let states: ServiceState[];

function broker(index: number, script = "touch ready; exec sleep 600", changes: Partial<ServiceInputs> = {}) {
  const name = `log-broker-${index}`;
  const data = join(stackFolder, "data", name);
  return {
    stackFolder,
    instance: name,
    group: "log-broker",
    address: `127.22.0.${90 + index}`,
    configuration: join(stackFolder, name, "configuration"),
    data,
    logs: join(stackFolder, name, "logs"),
    command: ["/bin/sh", "-c", script],
    environment: {},
    files: {},
    prepare: ["rm", "-f", "ready"],
    ports: {},
    readiness: { kind: "command", command: ["test", "-e", join(data, "ready")] },
    readinessTimeout: 20,
    memory: 1,
    stateful: true,
    deleteData: false,
    permanent: {},
    stopSignal: "SIGTERM",
    stopGrace: 2,
    ...changes,
  } satisfies ServiceInputs;
}

const update = async (index: number, inputs: ServiceInputs) => {
  const { outs } = await provider.update("", urn(index), states[index] as object, inputs);
  states[index] = outs as ServiceState;
};
const pids = async () =>
  Object.fromEntries((await instances(stackFolder)).map(({ name, pid }) => [name.slice(-1), pid]));

beforeAll(async () => {
  const created = await Promise.all(replicas.map((index) => provider.create(urn(index), broker(index))));
  states = created.map(({ outs }) => outs as ServiceState);
});

afterAll(async () => {
  await stopStack(stackFolder, 1);
  rmSync(stackFolder, { recursive: true, force: true });
});

test("a change restarts all replicas, never two at once, and each only while the others are ready", async () => {
  const before = await pids();
  let rolling = true;
  const fewest = (async () => {
    let fewest = 3;
    for (; rolling; await sleep(20)) {
      const ready = replicas.filter((index) => readdirSync(broker(index).data).includes("ready"));
      fewest = Math.min(fewest, ready.length);
    }
    return fewest;
  })();
  await Promise.all(replicas.map((index) => update(index, broker(index, "sleep 0.7; touch ready; exec sleep 600"))));
  rolling = false;
  expect(await fewest).toBe(2);
  const after = await pids();
  for (const index of replicas) expect(after[index]).not.toBe(before[index]);
});

test("a setting that no server starts with costs one replica; what was mended starts, and the roll goes on", async () => {
  const before = await pids();
  const bad = replicas.map((index) => update(index, broker(index, "echo no such setting; exit 3")));
  const results = await Promise.allSettled(bad);
  const reasons = results.map((result) => (result.status === "rejected" ? String(result.reason.message) : ""));
  const failed = /^log-broker-\d ended 2 times before it was ready, with status 3\./;
  const still =
    /^log-broker-\d still runs as it did before: log-broker-\d, which was restarted first, did not get ready/;
  expect(reasons.filter((reason) => failed.test(reason))).toHaveLength(1);
  expect(reasons.filter((reason) => still.test(reason))).toHaveLength(2);
  expect(Object.keys(await pids())).toHaveLength(2);

  // Another deployment, which is another process.
  const next = new LocalProvider();
  const mended = (index: number) => broker(index, "touch ready; echo mended; exec sleep 600");
  await Promise.all(replicas.map((index) => next.update("", urn(index), states[index] as object, mended(index))));
  const after = await pids();
  expect(Object.keys(after)).toHaveLength(3);
  for (const index of replicas) expect(after[index]).not.toBe(before[index]);
  for (const index of replicas)
    expect(readFileSync(join(broker(index).logs, `log-broker-${index}.log`), "utf8")).toContain("mended");
  states = replicas.map((index) => ({ ...(states[index] as ServiceState), ...mended(index) }));
});

test("a replica whose neighbour is dead is not restarted, and the error says why", async () => {
  const { 0: first, 1: second } = await pids();
  const { pids: all = [] } = (await instances(stackFolder)).find(({ name }) => name === "log-broker-2") ?? {};
  await kill(...all);
  const changed = { ...broker(0), readinessTimeout: 1 };
  await expect(new LocalProvider().update("", urn(0), states[0] as object, changed)).rejects.toThrow(
    /^log-broker-0 still runs as it did before, since servers of one role .* log-broker-2 is not ready \(it does not run; log: /,
  );
  expect(await pids()).toEqual({ 0: first, 1: second });
});
