import { expect, test } from "vitest";
import { kindOf, replaces, restarts } from "../../../stacks/plan/resource-kinds.ts";
import { resource } from "./resources.ts";

const statefulSet = resource("kafka-broker", {
  type: "kubernetes:apps/v1:StatefulSet",
  inputs: { metadata: { name: "kafka-broker" }, spec: { volumeClaimTemplates: [{}] } },
});

test("a path counts with what is below it, and with the whole that holds it", () => {
  expect(replaces(statefulSet, ["spec", "selector", "matchLabels", "app"])).toBe(true);
  expect(replaces(statefulSet, ["spec"])).toBe(true);
  expect(replaces(statefulSet, ["spec", "replicas"])).toBe(false);
  expect(replaces(statefulSet, ["spec", "template", "spec", "containers", 0, "image"])).toBe(false);
  expect(restarts(statefulSet, ["spec", "template", "spec", "containers", 0, "image"])).toBe(true);
  expect(restarts(statefulSet, ["spec", "replicas"])).toBe(false);
});

test("of a docker container all but a few properties replace it, and only what is listed whole is kept", () => {
  const container = resource("a", { type: "docker:index/container:Container" });
  expect(replaces(container, ["image"])).toBe(true);
  expect(replaces(container, ["envs", 0])).toBe(true);
  expect(replaces(container, ["memory"])).toBe(false);
});

test("a star is any name or index", () => {
  const thing = resource("a", { options: { replaceOnChanges: ["rules[*].key", "items.*.size"] } });
  expect(replaces(thing, ["rules", 3, "key"])).toBe(true);
  expect(replaces(thing, ["items", "b", "size"])).toBe(true);
  expect(replaces(thing, ["items", "b", "colour"])).toBe(false);
  expect(replaces(thing, ["rules", 3, "value"])).toBe(false);
});

test("what keeps data, and whether it goes with it", () => {
  const told = (type: string, inputs: object) => {
    const { data, deletesData } = kindOf({ type });
    const each = resource("a", { type, inputs: inputs as Record<string, unknown> });
    return [data?.(each), deletesData?.(each)];
  };
  expect(told("kubernetes:apps/v1:StatefulSet", statefulSet.inputs)).toEqual(["the volumes of kafka-broker", false]);
  const deleting = {
    spec: { volumeClaimTemplates: [], persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" } },
  };
  expect(told("kubernetes:apps/v1:StatefulSet", deleting)).toEqual(["the volumes of a", true]);
  expect(told("kubernetes:apps/v1:StatefulSet", { spec: {} })[0]).toBeUndefined();
  expect(told("docker:index/volume:Volume", { name: "data" })).toEqual(["the volume data", true]);
  expect(told("aws:s3/bucket:Bucket", { bucket: "b" })).toEqual(["all objects of the bucket b", false]);
  expect(told("aws:s3/bucket:Bucket", { forceDestroy: true })).toEqual(["all objects of the bucket a", true]);
  expect(told("somebody:else:Thing", {})).toEqual([undefined, undefined]);
});
