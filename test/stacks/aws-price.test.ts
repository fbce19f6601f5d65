import { expect, test } from "vitest";
import { sizes } from "../../components/size-profiles.ts";
import { monthlyBill } from "../../components/targets/aws/prices.ts";
import { awsSizes } from "../../components/targets/aws/sizes.ts";
import { awsPrice } from "../../stacks/aws-price.ts";

test("what a size costs is the sum of what it runs, by the hour and the GiB", () => {
  const items = monthlyBill({ sizing: awsSizes.tiny, volumes: 6, volumeSize: 10, endpoints: 7 });
  expect(items.map(({ item, count, price }) => [item, count, Math.round(price * 100) / 100])).toEqual([
    ["nodes, m7i.large", 2, 73.58],
    ["nodes' volumes, 40 GiB", 2, 3.2],
    ["brokers, kafka.t3.small", 2, 33.29],
    ["brokers' volumes, 20 GiB", 2, 2],
    ["servers' volumes, 10 GiB", 6, 0.8],
    ["Kubernetes cluster (EKS)", 1, 73],
    ["endpoints of AWS's services", 14, 7.3],
    ["encryption key (KMS)", 1, 1],
  ]);
});

test("every size has a price, which says that it is an estimate, of when and of where", () => {
  const sums = sizes.map((size) => {
    const lines = awsPrice({ size, awsVolumeSize: "10Gi", awsVpcId: "" }, []);
    expect(lines[0]).toMatch(/an estimate: list prices of us-east-1 noted \d{4}-\d\d-\d\d/);
    return Number(lines.at(-1)?.split(/\s+/).at(-1)?.replace(",", ""));
  });
  expect(sums).toEqual([...sums].sort((a, b) => a - b));
  expect(new Set(sums).size).toBe(sizes.length);
});

test("in a network that is there, nothing is paid for the way to AWS's services", () => {
  const lines = awsPrice({ size: "tiny", awsVolumeSize: "10Gi", awsVpcId: "vpc-0a1b2c3d" }, []);
  expect(lines.find((line) => line.startsWith("endpoints"))).toMatch(/ 0 +0$/);
});

test("a machine without a price is an error that says where to add it", () => {
  const sizing = { ...awsSizes.tiny, nodes: { ...awsSizes.tiny.nodes, instanceType: "x9.huge" } };
  expect(() => monthlyBill({ sizing, volumes: 0, volumeSize: 10, endpoints: 0 })).toThrow(
    "prices.ts has no price of x9.huge: add it there",
  );
});
