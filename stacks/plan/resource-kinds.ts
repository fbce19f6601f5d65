import type { PlannedResource, PropertyPath } from "./plan.ts";

/** Some of a resource's properties: these, or all but these. A path stands for what is below it too; `*` is any name. */
export type Properties = readonly string[] | { readonly allBut: readonly string[] };

/** What a plan needs to know of a type of resource. */
export interface ResourceKind {
  /** The properties whose change makes the provider replace the resource. */
  readonly replacedBy: Properties;
  /** What data it keeps, in words, e.g. `the data of kafka-broker-0`. Default: none */
  readonly data?: (resource: PlannedResource) => string | undefined;
  /** Whether its data goes when it is deleted. Default: it outlives it */
  readonly deletesData?: (resource: PlannedResource) => boolean;
  /** Whether it is servers, and the properties whose change restarts them. Default: none */
  readonly restartedBy?: Properties;
}

/** The types of the local target. Their `identity` is in its provider.ts; what takes no restart: `needsRestart`. */
const localKinds: Readonly<Record<string, ResourceKind>> = {
  "local:index:Service": {
    replacedBy: ["stackFolder", "instance"],
    data: ({ inputs }) => (inputs.stateful === true ? `the data of ${inputs.instance}` : undefined),
    deletesData: ({ inputs }) => inputs.deleteData === true,
    restartedBy: {
      allBut: ["memory", "stateful", "deleteData", "readiness", "readinessTimeout", "stopGrace"],
    },
  },
  "local:index:Task": { replacedBy: ["stackFolder", "instance"] },
  "local:index:Distribution": { replacedBy: ["name"] },
};

/** The types of the docker target: `ForceNew` in the resources' schemas of terraform-provider-docker 3. */
const dockerKinds: Readonly<Record<string, ResourceKind>> = {
  "docker:index/container:Container": {
    replacedBy: {
      allBut: [
        "attach",
        "containerReadRefreshTimeoutMilliseconds",
        "cpuSet",
        "cpuShares",
        "destroyGraceSeconds",
        "logs",
        "maxRetryCount",
        "memory",
        "memorySwap",
        "mustRun",
        "removeVolumes",
        "restart",
        "rm",
        "start",
        "wait",
        "waitTimeout",
      ],
    },
  },
  "docker:index/volume:Volume": {
    replacedBy: { allBut: [] },
    data: ({ name, inputs }) => `the volume ${inputs.name ?? name}`,
    deletesData: () => true,
  },
  "docker:index/network:Network": { replacedBy: { allBut: [] } },
  "docker:index/remoteImage:RemoteImage": { replacedBy: ["name", "platform", "build", "forceRemove"] },
};

/** The fields by which Kubernetes tells objects apart. */
const metadata = ["metadata.name", "metadata.namespace"];

/** The types of the Kubernetes target: `forceNew` in pulumi-kubernetes, provider/pkg/provider/diff.go. */
const kubernetesKinds: Readonly<Record<string, ResourceKind>> = {
  "kubernetes:core/v1:Namespace": {
    replacedBy: metadata,
    data: ({ inputs, name }) => `all volumes of the namespace ${nameOf(inputs) ?? name}`,
    deletesData: () => true,
  },
  "kubernetes:apps/v1:StatefulSet": {
    replacedBy: [
      ...metadata,
      "spec.podManagementPolicy",
      "spec.revisionHistoryLimit",
      "spec.selector",
      "spec.serviceName",
      "spec.volumeClaimTemplates",
    ],
    data: ({ inputs, name }) =>
      specOf(inputs).volumeClaimTemplates === undefined ? undefined : `the volumes of ${nameOf(inputs) ?? name}`,
    deletesData: ({ inputs }) =>
      (specOf(inputs).persistentVolumeClaimRetentionPolicy as { whenDeleted?: string } | undefined)?.whenDeleted ===
      "Delete",
    restartedBy: ["spec.template"],
  },
  "kubernetes:apps/v1:Deployment": { replacedBy: [...metadata, "spec.selector"], restartedBy: ["spec.template"] },
  "kubernetes:batch/v1:Job": {
    replacedBy: [...metadata, "spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  },
  "kubernetes:batch/v1:CronJob": { replacedBy: metadata },
  // Mutable only where the provider is told so.
  "kubernetes:core/v1:ConfigMap": { replacedBy: [...metadata, "data", "binaryData"] },
  "kubernetes:core/v1:Secret": { replacedBy: [...metadata, "type", "data", "stringData"] },
  "kubernetes:core/v1:Service": { replacedBy: [...metadata, "spec.clusterIP"] },
  "kubernetes:core/v1:ServiceAccount": { replacedBy: metadata },
  "kubernetes:core/v1:PersistentVolumeClaim": {
    replacedBy: [...metadata, "spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
    data: ({ inputs, name }) => `the volume ${nameOf(inputs) ?? name}`,
    deletesData: () => true,
  },
  "kubernetes:networking.k8s.io/v1:NetworkPolicy": { replacedBy: metadata },
  "kubernetes:policy/v1:PodDisruptionBudget": { replacedBy: metadata },
};

/** The types of the AWS target: “forces new resource” in the Terraform AWS provider's documentation, version 6. */
const awsKinds: Readonly<Record<string, ResourceKind>> = {
  "aws:s3/bucket:Bucket": {
    replacedBy: ["bucket", "bucketPrefix", "objectLockEnabled", "region"],
    data: ({ inputs, name }) => `all objects of the bucket ${inputs.bucket ?? name}`,
    // A bucket that is not empty is not deleted without it.
    deletesData: ({ inputs }) => inputs.forceDestroy === true,
  },
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
    replacedBy: ["bucket", "expectedBucketOwner"],
  },
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": { replacedBy: ["bucket"] },
  "aws:s3/bucketVersioning:BucketVersioning": { replacedBy: ["bucket", "expectedBucketOwner"] },
  "aws:kms/key:Key": {
    replacedBy: ["customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"],
    data: ({ name }) => `the key ${name}, without which nothing encrypted by it can be read`,
    deletesData: () => true,
  },
  "aws:msk/cluster:Cluster": {
    replacedBy: [
      "clusterName",
      "brokerNodeGroupInfo.azDistribution",
      "brokerNodeGroupInfo.clientSubnets",
      "brokerNodeGroupInfo.securityGroups",
      "encryptionInfo.encryptionAtRestKmsKeyArn",
      "encryptionInfo.encryptionInTransit.inCluster",
    ],
    data: ({ inputs, name }) => `the topics of ${inputs.clusterName ?? name}`,
    deletesData: () => true,
    restartedBy: [
      "kafkaVersion",
      "configurationInfo",
      "brokerNodeGroupInfo.instanceType",
      "encryptionInfo.encryptionInTransit.clientBroker",
      "clientAuthentication",
    ],
  },
  "aws:msk/configuration:Configuration": { replacedBy: ["name", "kafkaVersions"] },
  "aws:eks/cluster:Cluster": {
    replacedBy: ["name", "roleArn", "kubernetesNetworkConfig.serviceIpv4Cidr", "bootstrapSelfManagedAddons"],
  },
  "aws:eks/nodeGroup:NodeGroup": {
    replacedBy: [
      "amiType",
      "capacityType",
      "clusterName",
      "diskSize",
      "instanceTypes",
      "launchTemplate.id",
      "launchTemplate.name",
      "nodeGroupName",
      "nodeGroupNamePrefix",
      "nodeRoleArn",
      "remoteAccess",
      "subnetIds",
    ],
  },
  "aws:ecr/repository:Repository": { replacedBy: ["name", "encryptionConfigurations"] },
  "aws:ec2/vpc:Vpc": { replacedBy: ["cidrBlock", "ipv4IpamPoolId", "instanceTenancy"] },
  "aws:ec2/subnet:Subnet": { replacedBy: ["availabilityZone", "availabilityZoneId", "cidrBlock", "vpcId"] },
  "aws:ec2/securityGroup:SecurityGroup": { replacedBy: ["description", "name", "namePrefix", "vpcId"] },
  "aws:ec2/vpcEndpoint:VpcEndpoint": { replacedBy: ["serviceName", "vpcEndpointType", "vpcId"] },
  "aws:iam/role:Role": { replacedBy: ["name", "namePrefix", "path"] },
};

const kinds: Readonly<Record<string, ResourceKind>> = {
  ...localKinds,
  ...dockerKinds,
  ...kubernetesKinds,
  ...awsKinds,
};

function specOf(inputs: PlannedResource["inputs"]): Readonly<Record<string, unknown>> {
  return (inputs.spec ?? {}) as Readonly<Record<string, unknown>>;
}

function nameOf(inputs: PlannedResource["inputs"]): string | undefined {
  return (inputs.metadata as { name?: string } | undefined)?.name;
}

/** What is known of the resource's type. Of another provider's it is nothing: only what it says itself replaces it. */
export function kindOf({ type }: Pick<PlannedResource, "type">): ResourceKind {
  return kinds[type] ?? { replacedBy: [] };
}

/** Whether a change of this property replaces the resource: by its type or by its own options. */
export function replaces(resource: PlannedResource, path: PropertyPath): boolean {
  return (
    isAmong(kindOf(resource).replacedBy, path) ||
    (resource.options.replaceOnChanges ?? []).some((pattern) => touches(pattern, path))
  );
}

/** Whether a change of this property restarts the servers that the resource is. */
export function restarts(resource: PlannedResource, path: PropertyPath): boolean {
  return isAmong(kindOf(resource).restartedBy ?? [], path);
}

function isAmong(properties: Properties, path: PropertyPath): boolean {
  return "allBut" in properties
    ? !properties.allBut.some((pattern) => covers(pattern, path))
    : properties.some((pattern) => touches(pattern, path));
}

/** Whether the path is the pattern's or below it. */
function covers(pattern: string, path: PropertyPath): boolean {
  const names = patternNames(pattern);
  return names.length <= path.length && agree(names, path);
}

/** Whether the path is the pattern's, below it or above it: a whole that changes, changes the part as well. */
function touches(pattern: string, path: PropertyPath): boolean {
  return agree(patternNames(pattern), path);
}

function agree(names: readonly string[], path: PropertyPath): boolean {
  return names.slice(0, path.length).every((name, index) => name === "*" || name === String(path[index]));
}

function patternNames(pattern: string): string[] {
  return pattern.replaceAll(/\[(\w+|\*)\]/g, ".$1").split(".");
}
