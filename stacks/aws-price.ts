import { table } from "../components/table.ts";
import { listPrices, monthlyBill } from "../components/targets/aws/prices.ts";
import { endpointServices } from "../components/targets/aws/services.ts";
import { awsSizes } from "../components/targets/aws/sizes.ts";
import { type Demand, volumesOf } from "./budget.ts";
import type { StackConfiguration } from "./configuration.ts";

/** What a stack on AWS costs a month, as an estimate in lines of plain text: a line an item, and the sum. */
export function awsPrice(
  { size, awsVolumeSize, awsVpcId }: Pick<StackConfiguration, "size" | "awsVolumeSize" | "awsVpcId">,
  demands: readonly Demand[],
): string[] {
  const items = monthlyBill({
    sizing: awsSizes[size],
    volumes: volumesOf(demands),
    volumeSize: Number.parseInt(awsVolumeSize, 10),
    endpoints: awsVpcId === "" ? endpointServices.length : 0,
  });
  const costs = items.map(({ count, price }) => count * price);
  const rows = items.map(({ item, count }, index) => [item, count, Math.round(costs[index] ?? 0)]);
  const sum = Math.round(costs.reduce((all, cost) => all + cost, 0));
  return [
    `what it costs on AWS, an estimate: list prices of ${listPrices.region} noted ${listPrices.noted}, on demand;`,
    "other regions cost up to a third more; without objects, requests, traffic, logs and tax",
    ...table(["item", "count", "USD a month"], [...rows, ["all", "", sum]]),
  ];
}
