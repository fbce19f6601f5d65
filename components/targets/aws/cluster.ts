import * as aws from "@pulumi/aws";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Account, createRole } from "./account.ts";
import type { AwsInputs } from "./arguments.ts";
import type { Network } from "./network.ts";
import { podPolicy, servicePolicy } from "./policies.ts";
import { tagsOf } from "./tags.ts";

/** A Kubernetes cluster on which pods can run. */
export interface Cluster {
  readonly name: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly provider: kubernetes.Provider;
  /** The class of the servers' volumes. */
  readonly storageClass: string;
}

/** The class of the servers' volumes: encrypted, and in the zone where the pod is. */
const storageClass = "gp3-encrypted";

const component = "kubernetes";

/** Amazon EKS with one managed node group. Its API is private unless `apiAccess` opens it to some. */
export function createCluster(
  account: Account,
  inputs: AwsInputs,
  network: Network,
  keyArn: pulumi.Input<string>,
): Cluster {
  const { name, options, accountId } = account;
  const { apiAccess, kubernetesVersion, logDays } = inputs;
  const tags = tagsOf(inputs, component, name);
  // Made first, or EKS would make it, without an end to what it keeps.
  const logs = new aws.cloudwatch.LogGroup(
    `${name}-cluster`,
    { name: `/aws/eks/${name}/cluster`, retentionInDays: logDays, tags },
    options,
  );
  const controlPlane = createRole(account, inputs, {
    name: `${name}-cluster`,
    component,
    trust: servicePolicy("eks.amazonaws.com"),
    managedPolicies: ["AmazonEKSClusterPolicy"],
  });
  const cluster = new aws.eks.Cluster(
    name,
    {
      name,
      version: kubernetesVersion,
      roleArn: controlPlane.role.arn,
      accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
      enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
      encryptionConfig: { provider: { keyArn }, resources: ["secrets"] },
      vpcConfig: {
        subnetIds: [...network.subnetIds],
        endpointPrivateAccess: true,
        endpointPublicAccess: apiAccess.length > 0,
        ...(apiAccess.length > 0 && { publicAccessCidrs: [...apiAccess] }),
      },
      tags,
    },
    { ...options, protect: inputs.protect, dependsOn: [...controlPlane.policies, logs] },
  );
  const nodes = createNodes(account, inputs, network, cluster);
  createAddons(account, inputs, cluster, nodes, accountId);
  const provider = new kubernetes.Provider(
    name,
    { kubeconfig: kubeconfig(cluster, inputs.region) },
    { parent: options.parent as pulumi.Resource, dependsOn: [nodes] },
  );
  new kubernetes.storage.v1.StorageClass(
    storageClass,
    {
      metadata: { name: storageClass },
      provisioner: "ebs.csi.aws.com",
      parameters: {
        ...{ type: "gp3", encrypted: "true" },
        ...Object.fromEntries(
          Object.entries(tagsOf(inputs, "volumes")).map(([key, value], index) => [
            `tagSpecification_${index + 1}`,
            `${key}=${value}`,
          ]),
        ),
      },
      reclaimPolicy: inputs.deleteData ? "Delete" : "Retain",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
    },
    { parent: options.parent as pulumi.Resource, provider },
  );
  return { name: cluster.name, arn: cluster.arn, provider, storageClass };
}

function createNodes(account: Account, inputs: AwsInputs, network: Network, cluster: aws.eks.Cluster) {
  const { name, options } = account;
  const { instanceType, least, most, volume } = inputs.sizing.nodes;
  const tags = tagsOf(inputs, component, `${name}-nodes`);
  const { role, policies } = createRole(account, inputs, {
    name: `${name}-nodes`,
    component,
    trust: servicePolicy("ec2.amazonaws.com"),
    managedPolicies: ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"],
  });
  const template = new aws.ec2.LaunchTemplate(
    `${name}-nodes`,
    {
      // A pod is a hop further away than its node, whose role is not for pods.
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [
        { deviceName: "/dev/xvda", ebs: { volumeType: "gp3", volumeSize: volume, encrypted: "true" } },
      ],
      tagSpecifications: ["instance", "volume"].map((resourceType) => ({ resourceType, tags })),
      tags,
    },
    options,
  );
  return new aws.eks.NodeGroup(
    `${name}-nodes`,
    {
      clusterName: cluster.name,
      nodeRoleArn: role.arn,
      subnetIds: [...network.subnetIds],
      instanceTypes: [instanceType],
      scalingConfig: { minSize: least, desiredSize: least, maxSize: most },
      updateConfig: { maxUnavailable: 1 },
      launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
      tags,
    },
    { ...options, dependsOn: [...policies] },
  );
}

/** What a cluster needs to be one: pods' network and its policies, names, volumes and pods' roles. */
function createAddons(
  account: Account,
  inputs: AwsInputs,
  cluster: aws.eks.Cluster,
  nodes: aws.eks.NodeGroup,
  accountId: pulumi.Output<string>,
): void {
  const { name, options } = account;
  const volumes = createRole(account, inputs, {
    name: `${name}-volumes`,
    component,
    trust: pulumi
      .all([accountId, cluster.arn])
      .apply(([id, arn]) => podPolicy(id, arn, "kube-system", "ebs-csi-controller-sa")),
    managedPolicies: ["service-role/AmazonEBSCSIDriverPolicy"],
  });
  const addons: Readonly<Record<string, Partial<aws.eks.AddonArgs>>> = {
    "vpc-cni": { configurationValues: JSON.stringify({ enableNetworkPolicy: "true" }) },
    "kube-proxy": {},
    coredns: {},
    "eks-pod-identity-agent": {},
    "aws-ebs-csi-driver": {
      podIdentityAssociations: [{ roleArn: volumes.role.arn, serviceAccount: "ebs-csi-controller-sa" }],
    },
  };
  for (const [addonName, args] of Object.entries(addons))
    new aws.eks.Addon(
      `${name}-${addonName}`,
      { ...args, addonName, clusterName: cluster.name, tags: tagsOf(inputs, component, `${name}-${addonName}`) },
      { ...options, dependsOn: [nodes] },
    );
}

/** How the API is called: with a token that AWS's CLI signs each time, so that no secret is kept. */
function kubeconfig(cluster: aws.eks.Cluster, region: string): pulumi.Output<string> {
  // Undefined in a preview without an account.
  const certificate: pulumi.Output<{ readonly data: string } | undefined> = cluster.certificateAuthority;
  return pulumi.all([cluster.name, cluster.endpoint, certificate]).apply(([name, server, certificate]) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { server, "certificate-authority-data": certificate?.data } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
      users: [
        {
          name,
          user: {
            exec: {
              apiVersion: "client.authentication.k8s.io/v1beta1",
              command: "aws",
              args: ["eks", "get-token", "--cluster-name", name, "--region", region],
              interactiveMode: "Never",
            },
          },
        },
      ],
    }),
  );
}
