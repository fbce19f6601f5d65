import { once } from "node:events";
import { createServer } from "node:net";
import { runtime } from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { LocalProvider } from "../../../../components/targets/local/provider.ts";
import type { TaskInputs } from "../../../../components/targets/local/state.ts";

const provider = new LocalProvider();
const urn = (type: string) => `urn:pulumi:s::p::lambda-architecture:index:X$local:index:${type}::name`;
const task: TaskInputs = {
  stackFolder: "/stack",
  instance: "a",
  address: "127.22.0.30",
  configuration: "/stack/a/configuration",
  data: "/stack/data/a",
  logs: "/stack/a/logs",
  command: ["true"],
  environment: {},
  files: {},
  checkCommand: [],
  deleteCommand: [],
  triggers: [],
  timeout: 1,
  retries: 0,
};

test("a task changes with its inputs and is replaced with its identity", async () => {
  const state = { ...task, log: "/stack/a/logs/a.log" };
  expect(await provider.diff("a", urn("Task"), state, { ...task })).toEqual({ changes: false });
  expect(await provider.diff("a", urn("Task"), state, { ...task, triggers: ["1"] })).toEqual({ changes: true });
  // As in a preview, of something that is yet to be made.
  const unknown = { ...task, triggers: runtime.unknownValue };
  expect(await provider.diff("a", urn("Task"), state, unknown)).toEqual({ changes: true });
  expect(await provider.diff("a", urn("Task"), state, { ...task, stackFolder: "/moved" })).toEqual({
    changes: true,
    replaces: ["stackFolder"],
    deleteBeforeReplace: true,
  });
});

test("a service whose port is taken, and files outside their folder, fail the check of the preview", async () => {
  const stranger = createServer().listen(0, task.address);
  await once(stranger, "listening");
  const { port } = stranger.address() as { port: number };
  try {
    const news = { ...task, ports: { client: port }, files: { "../x": { content: "", secret: false } } };
    const { failures } = await provider.check(urn("Service"), {}, news);
    expect(failures.map(({ property }) => property)).toEqual(["files", "ports.client"]);
    expect(failures[1]?.reason).toContain(`${task.address}:${port} (client) is taken by`);
    expect((await provider.check(urn("Service"), news, { ...news, files: {} })).failures).toEqual([]);
  } finally {
    stranger.close();
  }
});

test("nothing can be imported, and what is unknown is said so", async () => {
  expect(await provider.read("x", urn("Service"), {})).toEqual({ id: "", props: {} });
  await expect(provider.create(urn("Robot"), {})).rejects.toThrow(
    "The local target has no resource local:index:Robot.",
  );
});
