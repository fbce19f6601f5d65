import * as pulumi from "@pulumi/pulumi";
import type { ImageSettings } from "../components/images/recipe.ts";
import type { DataSafetyArgs, Target } from "../components/target.ts";
import type { ExistingNetwork } from "../components/targets/aws/index.ts";
import type { KubernetesTargetArgs } from "../components/targets/kubernetes/index.ts";
import type { Surroundings as Machine } from "../components/targets/local/index.ts";
import type { StackConfiguration } from "./configuration.ts";
import { type WayToBucket, wayToBucket } from "./storage.ts";

/** Where a stack's program runs. */
export interface Surroundings {
  /** The absolute path of the project's folder. */
  readonly checkout: string;
  /** The folder under which the local target keeps the files of the stack's servers. */
  readonly stackFolder: string;
  /** What the local and the Docker target compare their servers' demands with. Default: the machine that runs them */
  readonly machine?: Machine;
}

/** The images that a stack on AWS runs, of which each has a repository. Kafka and the master dataset are AWS's own. */
const stackImages = ["cassandra", "druid", "hadoop", "jobs", "storm", "zookeeper"] as const;

/** Where an account keeps the images of a project in a region. */
function registryOf(account: string, region: string, project: string): string {
  return `${account}.dkr.ecr.${region}.amazonaws.com/${project}`;
}

/** What a cluster's network has to let through. A host's name may have any address. */
function egressTo(way: WayToBucket | undefined): KubernetesTargetArgs["egress"] & {} {
  if (way === undefined) return [];
  const { address, port } = way;
  return [
    {
      ...(address !== undefined && { to: [{ ipBlock: { cidr: `${address}/32` } }] }),
      ports: [{ protocol: "TCP", port }],
    },
  ];
}

/** The network of AWS that is to be used; undefined where the target makes one. */
function existingNetwork(configuration: StackConfiguration): ExistingNetwork | undefined {
  const { awsVpcId: vpcId, awsVpcCidrBlock: cidrBlock, awsPrivateSubnetIds: subnets } = configuration;
  return vpcId === "" ? undefined : { vpcId, cidrBlock, subnetIds: subnets.split(",") };
}

/** The target of the stack. Its module is loaded only when chosen. */
export async function chooseTarget(
  configuration: StackConfiguration,
  { stackFolder, machine }: Surroundings,
): Promise<Target> {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  const dataSafety: DataSafetyArgs = { protect: !configuration.ephemeral, deleteData: configuration.deleteData };
  switch (configuration.target) {
    case "local": {
      const { createLocalTarget } = await import("../components/targets/local/index.ts");
      return createLocalTarget({
        project,
        stack,
        folder: stackFolder,
        ...dataSafety,
        ...(machine && { surroundings: machine }),
      });
    }
    case "docker": {
      const { createDockerTarget } = await import("../components/targets/docker/index.ts");
      const { dockerImageBase, dockerImageRepository, dockerImageTag, dockerPortOffset } = configuration;
      const host = new pulumi.Config("docker").get("host") ?? process.env.DOCKER_HOST;
      return createDockerTarget({
        project,
        stack,
        folder: stackFolder,
        images: {
          base: dockerImageBase,
          repository: dockerImageRepository,
          ...(dockerImageTag !== "" && { tag: dockerImageTag }),
          ...upstreamOf(configuration.dockerUpstreamImages),
        },
        portOffset: dockerPortOffset,
        egress: wayToBucket(configuration) !== undefined,
        ...(host !== undefined && { host }),
        ...dataSafety,
        ...(machine && { surroundings: machine }),
      });
    }
    case "kubernetes": {
      const { createKubernetesTarget } = await import("../components/targets/kubernetes/index.ts");
      const {
        kubernetesContext: context,
        kubernetesNamespace: namespace,
        kubernetesManifests: manifests,
      } = configuration;
      return createKubernetesTarget({
        project,
        stack,
        images: {
          base: configuration.kubernetesImageBase,
          repository: configuration.kubernetesImageRepository,
          ...(configuration.kubernetesImageTag !== "" && { tag: configuration.kubernetesImageTag }),
          ...upstreamOf(configuration.kubernetesUpstreamImages),
        },
        ...(context !== "" && { context }),
        ...(namespace !== "" && { namespace }),
        ...(configuration.kubernetesStorageClass !== "" && { storageClass: configuration.kubernetesStorageClass }),
        volumeSize: configuration.kubernetesVolumeSize,
        ...(manifests !== "" && { renderYamlToDirectory: manifests }),
        egress: egressTo(wayToBucket(configuration)),
        ...dataSafety,
      });
    }
    case "aws": {
      const { createAwsTarget } = await import("../components/targets/aws/index.ts");
      const { awsAccount: account, awsApiAccess, awsImageBase, awsImageTag, awsRegion: region, size } = configuration;
      const network = existingNetwork(configuration);
      return createAwsTarget({
        project,
        stack,
        account,
        region,
        size,
        ...(network && { network }),
        apiAccess: awsApiAccess === "" ? [] : awsApiAccess.split(","),
        images: {
          base: awsImageBase,
          repository: registryOf(account, region, project),
          ...(awsImageTag !== "" && { tag: awsImageTag }),
        },
        repositories: stackImages,
        kubernetes: { volumeSize: configuration.awsVolumeSize },
        ...dataSafety,
      });
    }
  }
}

/** The images' setting of `SYSTEM=IMAGE,…`. */
function upstreamOf(images: string): Pick<ImageSettings, "upstream"> {
  if (images === "") return {};
  return { upstream: Object.fromEntries(images.split(",").map((one) => one.split("=") as [string, string])) };
}
