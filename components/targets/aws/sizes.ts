import type { Size } from "../../size-profiles.ts";

/** What AWS runs for a size: the machines and volumes that are paid for by the hour, whatever they do. */
export interface AwsSize {
  /** Availability zones, with a subnet each. */
  readonly zones: number;
  readonly kafka: {
    readonly instanceType: string;
    /** A multiple of the zones. */
    readonly brokers: number;
    /** GiB of a broker's volume. */
    readonly volume: number;
  };
  readonly nodes: {
    readonly instanceType: string;
    readonly least: number;
    readonly most: number;
    /** GiB of a node's own volume: system and images. Servers' data has volumes of its own. */
    readonly volume: number;
  };
}

/**
 * The machines of each size. MSK wants at least two zones. The nodes' memory is that of the size's servers (see the
 * README, "Sizes") and of the system beside them; of `ha` any node may be lost.
 */
export const awsSizes: Readonly<Record<Size, AwsSize>> = {
  tiny: {
    zones: 2,
    kafka: { instanceType: "kafka.t3.small", brokers: 2, volume: 20 },
    nodes: { instanceType: "m7i.large", least: 2, most: 3, volume: 40 },
  },
  small: {
    zones: 2,
    kafka: { instanceType: "kafka.m7g.large", brokers: 2, volume: 100 },
    nodes: { instanceType: "m7i.xlarge", least: 2, most: 4, volume: 60 },
  },
  ha: {
    zones: 3,
    kafka: { instanceType: "kafka.m7g.large", brokers: 3, volume: 200 },
    nodes: { instanceType: "m7i.xlarge", least: 3, most: 6, volume: 60 },
  },
};
