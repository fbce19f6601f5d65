import { expect, test } from "vitest";
import { cpuQuantity } from "../../../../components/targets/kubernetes/pods.ts";

test("cores are written as Kubernetes writes them itself", () => {
  expect([0.05, 0.3, 1.5, 1, 2].map(cpuQuantity)).toEqual(["50m", "300m", "1500m", "1", "2"]);
});

test("less than a thousandth of a core more is a thousandth more: nothing is asked for in parts of it", () => {
  expect([0.1 + 0.2, 0.0012].map(cpuQuantity)).toEqual(["300m", "2m"]);
});
