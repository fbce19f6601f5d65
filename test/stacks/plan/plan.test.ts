import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { planOf, planText, secretMark, unknownMark } from "../../../stacks/plan/plan.ts";
import { ProgramRecording } from "../../../stacks/plan/program-recording.ts";

class Thing extends pulumi.CustomResource {
  declare readonly address: pulumi.Output<string>;
  constructor(name: string, inputs: pulumi.Inputs, opts?: pulumi.CustomResourceOptions) {
    super("test:index:Thing", name, { address: undefined, ...inputs }, opts);
  }
}

const recording = new ProgramRecording();
beforeEach(() => recording.start({ project: "p", stack: "s", preview: true }));

test("a plan holds no secret, however deep it lies and whatever it was made into, and no machine's paths", async () => {
  const password = pulumi.secret("open sesame");
  const first = new Thing("b", { password, files: { jaas: { content: pulumi.interpolate`password=${password}` } } });
  new Thing("a", {
    path: "/home/me/project/a and /home/me/.cache/b",
    list: ["/home/me/project", 1, true, null],
    address: first.address.apply((address) => `http://${address}`),
  });
  const plan = planOf("s", await recording.list(), { "/home/me": "{home}", "/home/me/project": "{checkout}" });

  expect(planText(plan)).not.toContain("sesame");
  expect(plan.resources.map(({ name, inputs }) => [name, inputs])).toEqual([
    ["a", { path: "{checkout}/a and {home}/.cache/b", list: ["{checkout}", 1, true, null], address: unknownMark }],
    ["b", { password: secretMark, files: { jaas: { content: secretMark } } }],
  ]);
});

test("what the program tells the engine is a part of the plan", async () => {
  const group = new pulumi.ComponentResource("test:index:Group", "group", {}, { aliases: [{ name: "old" }] });
  new Thing(
    "group-store",
    {},
    {
      parent: group,
      protect: true,
      retainOnDelete: true,
      replaceOnChanges: ["size"],
      aliases: [{ parent: pulumi.rootStackResource }],
    },
  );
  const { resources } = planOf("s", await recording.list(), {});
  expect(resources.map(({ name, parent, options }) => [name, parent, options])).toEqual([
    ["group", "", { aliases: [{ name: "old" }] }],
    [
      "group-store",
      "group",
      { protect: true, retainOnDelete: true, aliases: [{ parent: "" }], replaceOnChanges: ["size"] },
    ],
  ]);
});

test("a plan does not depend on the order in which a program does things", async () => {
  new Thing("a", { x: 1, y: 2 });
  new Thing("b", {});
  const first = planText(planOf("s", await recording.list(), {}));
  await recording.start({ project: "p", stack: "s", preview: true });
  new Thing("b", {});
  new Thing("a", { y: 2, x: 1 });
  expect(planText(planOf("s", await recording.list(), {}))).toBe(first);
});
