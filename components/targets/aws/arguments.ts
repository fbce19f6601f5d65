import type * as pulumi from "@pulumi/pulumi";
import { InputErrors } from "../../input-errors.ts";
import { type Size, sizes } from "../../size-profiles.ts";
import type { DataSafetyArgs } from "../../target.ts";
import type { KubernetesTargetArgs } from "../kubernetes/index.ts";
import { type AwsSize, awsSizes } from "./sizes.ts";

/** A network that is there already. */
export interface ExistingNetwork {
  readonly vpcId: pulumi.Input<string>;
  /** The VPC's addresses, e.g. `10.0.0.0/16`. */
  readonly cidrBlock: pulumi.Input<string>;
  /**
   * A private subnet in each of at least two availability zones, from which S3, ECR, EKS, EKS Auth, EC2, CloudWatch
   * Logs and STS can be reached.
   */
  readonly subnetIds: readonly pulumi.Input<string>[];
}

/** What an AWS target is made for. */
export interface AwsTargetArgs extends DataSafetyArgs {
  /** The Pulumi project's name. */
  readonly project: string;
  /** The Pulumi stack's name. */
  readonly stack: string;
  /** The region, e.g. `eu-central-1`. */
  readonly region: string;
  /**
   * The account, 12 digits: nothing is done with credentials of another.
   *
   * @default that of the credentials, whichever it is
   */
  readonly account?: string;
  /**
   * Where images come from and what they are called; see also `repositories`.
   *
   * @default `defaultImageSettings`
   */
  readonly images?: KubernetesTargetArgs["images"];
  /**
   * The repositories of the images to make in ECR.
   *
   * @default none: the images are elsewhere
   */
  readonly repositories?: readonly string[];
  /**
   * How large everything is, see `awsSizes`.
   *
   * @default "tiny"
   */
  readonly size?: Size;
  /**
   * The network to use.
   *
   * @default one of its own: private subnets without a way to the internet, with endpoints for what is called
   */
  readonly network?: ExistingNetwork;
  /**
   * The addresses of a network of its own; at most a /20, or its subnets would be too small for the pods.
   *
   * @default "10.80.0.0/16"
   */
  readonly cidrBlock?: string;
  /**
   * The availability zones of a network of its own; the size says how many of them are used.
   *
   * @default those with the letters a, b and c, which nearly every region has
   */
  readonly zones?: readonly string[];
  /**
   * The addresses that may call the Kubernetes API from outside of the network: where `pulumi up` runs, unless that is
   * inside.
   *
   * @default none: the API is private
   */
  readonly apiAccess?: readonly string[];
  /**
   * The Kubernetes version.
   *
   * @default "1.34"
   */
  readonly kubernetesVersion?: string;
  /**
   * MSK's Kafka version.
   *
   * @default "3.9.x.kraft"
   */
  readonly kafkaVersion?: string;
  /**
   * Days until an old version of an object is deleted.
   *
   * @default 30
   */
  readonly oldVersionDays?: number;
  /**
   * Days that logs are kept.
   *
   * @default 30
   */
  readonly logDays?: number;
  /** Further arguments of the Kubernetes target, e.g. `callers` and `volumeSizes`. */
  readonly kubernetes?: Pick<
    KubernetesTargetArgs,
    "callers" | "cpu" | "cpus" | "egress" | "imagePullSecrets" | "namespace" | "volumeSize" | "volumeSizes"
  >;
}

/** The arguments with their defaults. */
export type AwsInputs = AwsTargetArgs &
  Required<
    Pick<
      AwsTargetArgs,
      | "apiAccess"
      | "cidrBlock"
      | "deleteData"
      | "kafkaVersion"
      | "kubernetesVersion"
      | "logDays"
      | "oldVersionDays"
      | "protect"
      | "repositories"
      | "zones"
    >
  > & { readonly sizing: AwsSize };

/** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
export function withDefaults(args: AwsTargetArgs): AwsInputs {
  const { size = "tiny" } = args;
  const inputs = {
    ...args,
    apiAccess: args.apiAccess ?? [],
    cidrBlock: args.cidrBlock ?? "10.80.0.0/16",
    deleteData: args.deleteData ?? false,
    kafkaVersion: args.kafkaVersion ?? "3.9.x.kraft",
    kubernetesVersion: args.kubernetesVersion ?? "1.34",
    logDays: args.logDays ?? 30,
    oldVersionDays: args.oldVersionDays ?? 30,
    protect: args.protect ?? false,
    repositories: args.repositories ?? [],
    sizing: awsSizes[size],
    zones: args.zones ?? ["a", "b", "c"].map((letter) => `${args.region}${letter}`),
  };
  checkArgs(inputs, size);
  return inputs;
}

/** What CloudWatch can keep logs for, in days. */
const logRetentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

function checkArgs(args: AwsInputs, size: Size): void {
  const errors = new InputErrors("AWS");
  const form = (argument: keyof AwsInputs, pattern: RegExp, wanted: string) =>
    errors.check(pattern.test(String(args[argument])), argument, `must be ${wanted}; it is "${args[argument]}"`);
  errors.check(sizes.includes(size), "size", `must be one of ${sizes.join(", ")}; it is ${JSON.stringify(size)}`);
  form("region", /^[a-z]{2}(-[a-z]+)+-\d$/, "a region's name, e.g. eu-central-1");
  errors.check(
    args.account === undefined || /^\d{12}$/.test(args.account),
    "account",
    `must be the 12 digits of an account; it is ${JSON.stringify(args.account)}`,
  );
  form("kubernetesVersion", /^1\.\d+$/, "a minor version, e.g. 1.34");
  form("kafkaVersion", /^\d+\.\d+\.(x|\d+)(\.kraft)?$/, "a version of MSK, e.g. 3.9.x.kraft");
  form("cidrBlock", /^\d+(\.\d+){3}\/(1[6-9]|20)$/, "a block of addresses from /16 to /20");
  errors.checkWhole(args.oldVersionDays, "oldVersionDays", 1);
  errors.check(
    logRetentions.includes(args.logDays),
    "logDays",
    `must be one of ${logRetentions.join(", ")}; it is ${args.logDays}`,
  );
  args.apiAccess.forEach((block, index) => {
    errors.check(
      /^\d+(\.\d+){3}\/([1-9]|[12]\d|3[0-2])$/.test(block),
      `apiAccess[${index}]`,
      `must be a block of addresses smaller than the whole internet, e.g. 203.0.113.7/32; it is ${JSON.stringify(block)}`,
    );
  });
  if (args.network !== undefined) {
    const { length } = args.network.subnetIds;
    const zones = args.sizing?.zones ?? 2;
    errors.check(
      length >= zones,
      "network.subnetIds",
      `must be in at least ${zones} availability zones for size ${size}; there are ${length}`,
    );
  }
  const wanted = args.sizing?.zones ?? 2;
  errors.check(
    new Set(args.zones).size >= wanted,
    "zones",
    `must be at least ${wanted} different ones for size ${size}; they are ${args.zones.join(", ")}`,
  );
  args.repositories.forEach((repository, index) => {
    errors.check(
      /^[a-z0-9]+([._/-][a-z0-9]+)*$/.test(repository),
      `repositories[${index}]`,
      `must be lower-case letters, digits, '.', '_', '-' and '/'; it is ${JSON.stringify(repository)}`,
    );
  });
  errors.throwIfAny();
}
