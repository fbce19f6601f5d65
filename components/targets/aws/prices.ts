import type { AwsSize } from "./sizes.ts";

/**
 * AWS's list prices in USD: on demand, Linux, the region us-east-1, without tax. Other regions cost up to a third more.
 * Source: the pages aws.amazon.com/ec2/pricing/on-demand, /msk/pricing, /eks/pricing, /ebs/pricing, /privatelink/pricing
 * and /kms/pricing, by what others published of them; noted 2026-11-24, not compared with AWS's own pages on that day.
 */
export const listPrices = {
  noted: "2026-11-24",
  region: "us-east-1",
  /** An hour of a machine. */
  machines: {
    "m7i.large": 0.1008,
    "m7i.xlarge": 0.2016,
    "kafka.t3.small": 0.0456,
    "kafka.m7g.large": 0.204,
  } satisfies Readonly<Record<string, number>> as Readonly<Record<string, number>>,
  /** An hour of an EKS cluster whose Kubernetes version has standard support. */
  cluster: 0.1,
  /** An hour of an interface endpoint in one availability zone. */
  endpoint: 0.01,
  /** A month of a GiB of a broker's volume. */
  brokerVolume: 0.1,
  /** A month of a GiB of a gp3 volume. */
  volume: 0.08,
  /** A month of a KMS key. */
  key: 1,
} as const;

/** Hours of a month, as AWS's calculator takes them. */
const hours = 730;

/** A part of a bill: so many of something at a price. */
export interface BillItem {
  /** What it is, e.g. `nodes, m7i.xlarge`. */
  readonly item: string;
  readonly count: number;
  /** USD of each, a month. */
  readonly price: number;
}

/** What is paid for by the hour, whatever is done with it. */
export interface Bill {
  readonly sizing: AwsSize;
  /** The servers' volumes. */
  readonly volumes: number;
  /** GiB of each of them. */
  readonly volumeSize: number;
  /** Interface endpoints in each availability zone; 0 in a network that was there. */
  readonly endpoints: number;
}

/**
 * The estimated bill of a month. Not in it: objects in S3, requests, traffic, logs, and nodes beyond the least.
 *
 * @throws {Error} if a machine has no price here
 */
export function monthlyBill({ sizing, volumes, volumeSize, endpoints }: Bill): BillItem[] {
  const { kafka, nodes, zones } = sizing;
  return [
    { item: `nodes, ${nodes.instanceType}`, count: nodes.least, price: machine(nodes.instanceType) },
    { item: `nodes' volumes, ${nodes.volume} GiB`, count: nodes.least, price: nodes.volume * listPrices.volume },
    { item: `brokers, ${kafka.instanceType}`, count: kafka.brokers, price: machine(kafka.instanceType) },
    {
      item: `brokers' volumes, ${kafka.volume} GiB`,
      count: kafka.brokers,
      price: kafka.volume * listPrices.brokerVolume,
    },
    { item: `servers' volumes, ${volumeSize} GiB`, count: volumes, price: volumeSize * listPrices.volume },
    { item: "Kubernetes cluster (EKS)", count: 1, price: hours * listPrices.cluster },
    { item: "endpoints of AWS's services", count: endpoints * zones, price: hours * listPrices.endpoint },
    { item: "encryption key (KMS)", count: 1, price: listPrices.key },
  ];
}

function machine(type: string): number {
  const price = listPrices.machines[type];
  if (price === undefined) throw new Error(`components/targets/aws/prices.ts has no price of ${type}: add it there`);
  return hours * price;
}
