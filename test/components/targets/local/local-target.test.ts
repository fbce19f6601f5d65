import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { DataSafetyArgs } from "../../../../components/target.ts";
import { createLocalTarget } from "../../../../components/targets/local/index.ts";
import { unwrapSecrets } from "../../../../components/targets/local/state.ts";
import { type RecordedResource, RecordedResources } from "../../../support/recorded-resources.ts";

const folder = mkdtempSync(join(tmpdir(), "local-target-"));
afterAll(() => rmSync(folder, { recursive: true }));
const part = join(folder, "part");
mkdirSync(part);
writeFileSync(join(part, "pom.xml"), "<project/>");
const distribution = { name: "toy", parts: { lib: part } };

const resources = new RecordedResources();
beforeEach(() => resources.start());

const createTarget = (args: DataSafetyArgs = {}) =>
  createLocalTarget({ project: "p", stack: "s", folder: join(folder, "stack"), ...args });
const identity = { component: "kafka", role: "broker", index: 0 };

test("a service carries its placement, its defaults and what it was given", async () => {
  const target = createTarget();
  target.services(
    {
      replicas: [
        {
          identity,
          command: ["java", "Kafka"],
          files: { "server.properties": { content: "a=1" }, jaas: { content: "password", secret: true } },
          ports: { client: 9092 },
          readiness: { kind: "tcp", port: 9092 },
          memory: 400,
          cpu: 0.25,
        },
      ],
    },
    {},
  );
  const { name: instance, temporary, ...placement } = target.placement(identity);
  expect(temporary).toBe(join(folder, "stack", "kafka-broker-0", "temporary"));
  const [service] = await resources.list();
  expect(JSON.stringify(service?.inputs.files)).toContain("1b47061264138c4ac30d75fd1eb44270");
  expect(unwrapSecrets(service)).toEqual({
    parent: "",
    dependsOn: [],
    type: "local:index:Service",
    name: "kafka-broker-0",
    inputs: {
      stackFolder: join(folder, "stack"),
      instance,
      ...placement,
      command: ["java", "Kafka"],
      environment: {},
      files: {
        "server.properties": { content: "a=1", secret: false },
        jaas: { content: "password", secret: true },
      },
      group: "kafka-broker",
      prepare: [],
      ports: { client: 9092 },
      readiness: { kind: "tcp", port: 9092 },
      readinessTimeout: 120,
      memory: 400,
      stateful: false,
      deleteData: false,
      permanent: {},
      stopSignal: "SIGTERM",
      stopGrace: 10,
    },
  });
});

test("what keeps data is protected, and its data deleted with it, if the target is told so", async () => {
  const create = (component: string, args?: DataSafetyArgs) =>
    createTarget(args).services(
      {
        replicas: [false, true].map((stateful, index) => ({
          identity: { component, role: "server", index },
          command: ["true"],
          ports: {},
          readiness: { kind: "command", command: ["true"] },
          memory: 1,
          cpu: 0.25,
          stateful,
        })),
      },
      {},
    );
  create("kept", { protect: true });
  create("ephemeral", { deleteData: true });
  const list = await resources.list();
  const told = list.map(({ name, options, inputs }) => [name, options?.protect, inputs.stateful, inputs.deleteData]);
  expect(told.sort()).toEqual([
    ["ephemeral-server-0", undefined, false, true],
    ["ephemeral-server-1", undefined, true, true],
    ["kept-server-0", undefined, false, false],
    ["kept-server-1", true, true, false],
  ]);
});

test("a distribution is one resource, however many need it, and is there before they are", async () => {
  const target = createTarget();
  const before = new pulumi.ComponentResource("test:index:Before", "before");
  const task = (role: string) => ({
    identity: { component: "toy", role },
    command: ["true"],
    distributions: [distribution],
  });
  target.task(task("first"), { dependsOn: before });
  target.task(task("second"), { dependsOn: [before] });
  target.task(task("third"), { dependsOn: pulumi.output([before]) });
  const list = await resources.list();
  expect(list.filter(({ type }) => type === "local:index:Distribution")).toEqual([
    {
      parent: "",
      dependsOn: [],
      type: "local:index:Distribution",
      name: "toy-distribution",
      inputs: { ...distribution, directory: target.directory(distribution) },
    },
  ]);
  for (const name of ["toy-first", "toy-second", "toy-third"])
    expect(list.find((each) => each.name === name)?.dependsOn).toContain("toy-distribution");
});

test("a schedule is a service without ports that runs the command at its times", async () => {
  const target = createTarget();
  target.schedule({ identity, cron: "0 * * * *", command: ["run", "--all"], memory: 100, cpu: 0.1 }, {});
  const [schedule] = await resources.list();
  expect(schedule?.type).toBe("local:index:Service");
  expect(schedule?.inputs).toMatchObject({ ports: {}, memory: 160 });
  const [node, runner, ...args] = (schedule as RecordedResource).inputs.command as string[];
  expect(node).toBe(target.node);
  expect(runner).toMatch(/\/programs\/schedule-runner-[0-9a-f]{12}\.mjs$/);
  expect(args.slice(0, 2)).toEqual(["--cron", "0 * * * *"]);
  expect(args.slice(-3)).toEqual(["--", "run", "--all"]);
});

test("programs are named by absolute paths", () => {
  expect(isAbsolute(createTarget().java)).toBe(true);
  expect(isAbsolute(createTarget().node)).toBe(true);
});
