import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account.ts";
import type { AwsInputs } from "./arguments.ts";
import { endpointServices } from "./services.ts";
import { tagsOf } from "./tags.ts";

/** Where everything is. */
export interface Network {
  readonly vpcId: pulumi.Input<string>;
  readonly cidrBlock: pulumi.Input<string>;
  /** A private subnet in each availability zone. */
  readonly subnetIds: readonly pulumi.Input<string>[];
}

/** A network of its own: nothing in it has a way to the internet, or from it. */
export function createNetwork({ name, options }: Account, inputs: AwsInputs): Network {
  const { cidrBlock, region, sizing, zones } = inputs;
  const tags = (suffix = "") => tagsOf(inputs, "network", `${name}${suffix}`);
  const vpc = new aws.ec2.Vpc(
    name,
    { cidrBlock, enableDnsHostnames: true, enableDnsSupport: true, tags: tags() },
    options,
  );
  // A group that everything may use is used by mistake: this one lets nothing through.
  new aws.ec2.DefaultSecurityGroup(name, { vpcId: vpc.id, tags: tags("-closed") }, options);
  const routes = new aws.ec2.RouteTable(name, { vpcId: vpc.id, tags: tags() }, options);
  const subnets = Array.from({ length: sizing.zones }, (_, index) => {
    const subnet = new aws.ec2.Subnet(
      `${name}-${index}`,
      {
        vpcId: vpc.id,
        cidrBlock: subnetBlock(cidrBlock, index),
        availabilityZone: zones[index] as string,
        mapPublicIpOnLaunch: false,
        tags: tags(`-${index}`),
      },
      options,
    );
    new aws.ec2.RouteTableAssociation(`${name}-${index}`, { subnetId: subnet.id, routeTableId: routes.id }, options);
    return subnet;
  });
  new aws.ec2.VpcEndpoint(
    `${name}-s3`,
    {
      vpcId: vpc.id,
      vpcEndpointType: "Gateway",
      serviceName: `com.amazonaws.${region}.s3`,
      routeTableIds: [routes.id],
      tags: tags("-s3"),
    },
    options,
  );
  const callers = new aws.ec2.SecurityGroup(
    `${name}-endpoints`,
    {
      vpcId: vpc.id,
      description: "Calls to AWS from inside of the network",
      ingress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: [cidrBlock], description: "HTTPS" }],
      tags: tags("-endpoints"),
    },
    options,
  );
  for (const service of endpointServices)
    new aws.ec2.VpcEndpoint(
      `${name}-${service.replace(".", "-")}`,
      {
        vpcId: vpc.id,
        vpcEndpointType: "Interface",
        serviceName: `com.amazonaws.${region}.${service}`,
        subnetIds: subnets.map(({ id }) => id),
        securityGroupIds: [callers.id],
        privateDnsEnabled: true,
        tags: tags(`-${service}`),
      },
      options,
    );
  return { vpcId: vpc.id, cidrBlock, subnetIds: subnets.map(({ id }) => id) };
}

/** One of the eight parts of a block of addresses. */
export function subnetBlock(block: string, index: number): string {
  const [address = "", length = ""] = block.split("/");
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const prefix = Number(length) + 3;
  const start = number + index * 2 ** (32 - prefix);
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256);
  return `${parts.join(".")}/${prefix}`;
}
