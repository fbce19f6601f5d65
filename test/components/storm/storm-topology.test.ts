import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import type { FluxTopology } from "../../../components/storm/flux.ts";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
let StormTopology: typeof import("../../../components/storm/index.ts").StormTopology;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ StormTopology } = await import("../../../components/storm/index.ts"));
  target = new RecordingTarget();
});

const definition: FluxTopology = { config: { "topology.workers": 1 }, spouts: [], bolts: [], streams: [] };

test("is one task that submits, and kills when it is deleted", async () => {
  const topology = new StormTopology("hello", {
    target,
    nimbusSeeds: pulumi.output(["127.9.0.1"]),
    definition,
    resources: { "bolt.mjs": "/programs/bolt-1234.mjs", "settings.json": { content: pulumi.output("{}") } },
  });

  expect(await outputOf(topology.topologyName)).toBe("hello");
  expect(await resources.list()).toMatchObject([
    { type: "lambda-architecture:index:StormTopology", name: "hello" },
    { type: "test:index:Task", name: "hello-submission" },
  ]);
  const task = target.tasks.get("hello-submission");
  expect(task?.command.slice(2)).toEqual([
    "--name=hello",
    "--java=java",
    "--storm=/recording-target/distributions/storm",
    "--configuration=/recording-target/hello-submission/configuration",
    "--resource=bolt.mjs=/programs/bolt-1234.mjs",
  ]);
  expect(task?.deleteCommand?.at(-1)).toBe("--kill");
  expect(Object.keys(task?.files ?? {})).toEqual(["storm.yaml", "topology.yaml", "resources/settings.json"]);
  expect(parse(await outputOf(pulumi.output(task?.files?.["storm.yaml"]?.content ?? "")))).toMatchObject({
    "nimbus.seeds": ["127.9.0.1"],
  });
  expect(parse(String(task?.files?.["topology.yaml"]?.content))).toEqual({ name: "hello", ...definition });
});

test("all input errors come at once, with the mend", () => {
  const wrong = () =>
    new StormTopology("a.b", { target, nimbusSeeds: ["n"], definition, resources: { "x/y": "/z", z: "relative" } });
  expect(wrong).toThrow(pulumi.InputPropertiesError);
  expect(wrong).toThrow(
    'StormTopology "a.b": name must not contain / . : or \\, which Storm forbids in a topology\'s name; ' +
      'resources["x/y"] must be a name without folders; resources["z"] must be an absolute path, or {content}',
  );
  expect(target.tasks.size).toBe(0);
});
