import { fileURLToPath } from "node:url";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadApplication } from "../../../../components/application.ts";
import type { AwsTargetArgs } from "../../../../components/targets/aws/index.ts";
import { subnetBlock } from "../../../../components/targets/aws/network.ts";
import { awsSizes } from "../../../../components/targets/aws/sizes.ts";
import { type RecordedResource, RecordedResources } from "../../../support/recorded-resources.ts";

const resources = new RecordedResources();
const application = await loadApplication(
  fileURLToPath(new URL("../../../../jobs/wikipedia/index.ts", import.meta.url)),
);
let LambdaArchitecture: typeof import("../../../../components/lambda-architecture.ts").LambdaArchitecture;
let KafkaCluster: typeof import("../../../../components/kafka/index.ts").KafkaCluster;
let S3Storage: typeof import("../../../../components/s3/index.ts").S3Storage;
let createAwsTarget: typeof import("../../../../components/targets/aws/index.ts").createAwsTarget;

/** What AWS says of a resource that it has made. */
function made(type: string, name: string): Record<string, unknown> {
  if (!type.startsWith("aws:")) return {};
  return {
    arn: `arn:aws:${type.slice(4, type.indexOf("/"))}:eu-central-1:1:cluster/${name}/u-1`,
    ...(type.endsWith(":Cluster") && { certificateAuthority: { data: "certificate" }, endpoint: "https://api" }),
    ...(type.startsWith("aws:msk") && { bootstrapBrokersSaslIam: "b-2.example:9098,b-1.example:9098" }),
  };
}

/** AWS's SDK is large: the first import takes a while. */
const importTime = 120_000;

beforeAll(async () => {
  await resources.start();
  await import("../../../../components/targets/aws/index.ts");
}, importTime);

beforeEach(async () => {
  await resources.start({ outputs: made });
  ({ LambdaArchitecture } = await import("../../../../components/lambda-architecture.ts"));
  ({ KafkaCluster } = await import("../../../../components/kafka/index.ts"));
  ({ S3Storage } = await import("../../../../components/s3/index.ts"));
  ({ createAwsTarget } = await import("../../../../components/targets/aws/index.ts"));
}, importTime);

function target(args: Partial<AwsTargetArgs> = {}) {
  return createAwsTarget({ project: "example", stack: "prod", region: "eu-central-1", ...args });
}

async function byType(): Promise<(type: string) => RecordedResource[]> {
  const list = await resources.list();
  return (type) => list.filter((resource) => resource.type === type);
}

function one(list: readonly RecordedResource[]): RecordedResource["inputs"] {
  expect(list).toHaveLength(1);
  return (list[0] as RecordedResource).inputs;
}

test("the network has private subnets, ways to AWS's services, and none to the internet", async () => {
  target();
  const of = await byType();
  expect(of("aws:ec2/internetGateway:InternetGateway")).toEqual([]);
  expect(of("aws:ec2/natGateway:NatGateway")).toEqual([]);
  expect(one(of("aws:ec2/vpc:Vpc"))).toMatchObject({ cidrBlock: "10.80.0.0/16", enableDnsSupport: true });
  expect(of("aws:ec2/subnet:Subnet").map(({ inputs }) => [inputs.cidrBlock, inputs.mapPublicIpOnLaunch])).toEqual([
    ["10.80.0.0/19", false],
    ["10.80.32.0/19", false],
  ]);
  const endpoints = of("aws:ec2/vpcEndpoint:VpcEndpoint").map(({ inputs }) => [
    inputs.vpcEndpointType,
    inputs.serviceName,
  ]);
  expect(endpoints).toContainEqual(["Gateway", "com.amazonaws.eu-central-1.s3"]);
  for (const service of ["ecr.api", "ecr.dkr", "eks", "eks-auth", "ec2", "logs", "sts"])
    expect(endpoints).toContainEqual(["Interface", `com.amazonaws.eu-central-1.${service}`]);
  for (const { inputs } of of("aws:ec2/securityGroup:SecurityGroup"))
    expect(JSON.stringify(inputs)).not.toContain("0.0.0.0/0");
});

test("a network that is there is used as it is", async () => {
  target({ network: { vpcId: "vpc-1", cidrBlock: "10.0.0.0/16", subnetIds: ["a", "b"] } });
  const of = await byType();
  expect(of("aws:ec2/vpc:Vpc")).toEqual([]);
  expect(of("aws:ec2/vpcEndpoint:VpcEndpoint")).toEqual([]);
  expect(one(of("aws:eks/cluster:Cluster"))).toMatchObject({ vpcConfig: { subnetIds: ["a", "b"] } });
});

test("blocks of addresses are split into eight", () => {
  expect([0, 1, 7].map((index) => subnetBlock("10.0.16.0/20", index))).toEqual([
    "10.0.16.0/23",
    "10.0.18.0/23",
    "10.0.30.0/23",
  ]);
});

test("the cluster's API is private, its secrets are encrypted and everything is logged", async () => {
  target({ size: "ha", logDays: 90 });
  const of = await byType();
  expect(one(of("aws:eks/cluster:Cluster"))).toMatchObject({
    vpcConfig: { endpointPrivateAccess: true, endpointPublicAccess: false },
    encryptionConfig: { resources: ["secrets"] },
    enabledClusterLogTypes: ["api", "audit", "authenticator", "controllerManager", "scheduler"],
    accessConfig: { authenticationMode: "API" },
    version: "1.34",
  });
  expect(one(of("aws:eks/nodeGroup:NodeGroup"))).toMatchObject({
    instanceTypes: [awsSizes.ha.nodes.instanceType],
    scalingConfig: { minSize: 3, maxSize: 6 },
    subnetIds: { length: 3 },
  });
  expect(one(of("aws:ec2/launchTemplate:LaunchTemplate"))).toMatchObject({
    metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
    blockDeviceMappings: [{ ebs: { encrypted: "true" } }],
  });
  expect(of("aws:eks/addon:Addon").map(({ inputs }) => inputs.addonName)).toEqual(
    expect.arrayContaining(["vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent", "aws-ebs-csi-driver"]),
  );
  for (const { inputs } of of("aws:cloudwatch/logGroup:LogGroup")) expect(inputs.retentionInDays).toBe(90);
  expect(one(of("aws:kms/key:Key"))).toMatchObject({ enableKeyRotation: true });
});

test("the API is opened to those who are named", async () => {
  target({ apiAccess: ["203.0.113.7/32"], kubernetesVersion: "1.33" });
  expect(one((await byType())("aws:eks/cluster:Cluster"))).toMatchObject({
    vpcConfig: { endpointPublicAccess: true, publicAccessCidrs: ["203.0.113.7/32"] },
    version: "1.33",
  });
});

test("Kafka is MSK: TLS, roles, encryption, and settings that do not lose records", async () => {
  new KafkaCluster("kafka", { target: target({ size: "ha", kafkaVersion: "3.8.x" }), topics: [{ name: "orders" }] });
  const of = await byType();
  expect(one(of("aws:msk/cluster:Cluster"))).toMatchObject({
    clusterName: "example-prod-kafka",
    kafkaVersion: "3.8.x",
    numberOfBrokerNodes: 3,
    brokerNodeGroupInfo: {
      instanceType: awsSizes.ha.kafka.instanceType,
      storageInfo: { ebsStorageInfo: { volumeSize: awsSizes.ha.kafka.volume } },
    },
    clientAuthentication: { sasl: { iam: true }, unauthenticated: false },
    encryptionInfo: { encryptionInTransit: { clientBroker: "TLS", inCluster: true } },
    loggingInfo: { brokerLogs: { cloudwatchLogs: { enabled: true } } },
  });
  const { serverProperties } = one(of("aws:msk/configuration:Configuration"));
  for (const line of ["default.replication.factor=3", "min.insync.replicas=2", "auto.create.topics.enable=false"])
    expect(String(serverProperties).split("\n")).toContain(line);
  // No broker of our own; the topics come from a job with a role of its own.
  expect(of("kubernetes:apps/v1:StatefulSet")).toEqual([]);
  expect(of("kubernetes:batch/v1:Job").map(({ name }) => name)).toEqual(["kafka-topics"]);
  expect(one(of("aws:eks/podIdentityAssociation:PodIdentityAssociation"))).toMatchObject({
    namespace: "example-prod",
    serviceAccount: "kafka-topics",
  });
});

test("what MSK cannot honour is an error that names component and argument", () => {
  expect(() => new KafkaCluster("kafka", { target: target(), replicas: 3, heap: 512, cpu: 1 })).toThrow(
    'KafkaCluster "kafka": heap must not be given on aws: MSK chooses it by the brokers\' machines; choose a size instead; ' +
      "cpu must not be given on aws: MSK chooses it by the brokers' machines; choose a size instead; " +
      "replicas must be a multiple of 2 on aws, the availability zones of the size; it is 3",
  );
});

describe("the bucket", () => {
  test("is private, versioned, encrypted, and kept", async () => {
    new S3Storage("storage", { target: target({ oldVersionDays: 7 }) });
    const of = await byType();
    expect(one(of("aws:s3/bucket:Bucket"))).toMatchObject({ forceDestroy: false });
    expect(one(of("aws:s3/bucketVersioning:BucketVersioning"))).toMatchObject({
      versioningConfiguration: { status: "Enabled" },
    });
    expect(one(of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"))).toMatchObject({
      ...{ blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    });
    expect(
      one(of("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")),
    ).toMatchObject({ rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }] });
    expect(one(of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"))).toMatchObject({
      rules: expect.arrayContaining([
        expect.objectContaining({ noncurrentVersionExpiration: { noncurrentDays: 7 } }),
        expect.objectContaining({ id: "unfinished-uploads" }),
      ]),
    });
    expect(one(of("aws:s3/bucketPolicy:BucketPolicy"))).toMatchObject({
      policy: expect.stringContaining("aws:SecureTransport"),
    });
  });

  test("is named by the account that is given, which all credentials have to be of, before it is made", async () => {
    new S3Storage("storage", { target: target({ account: "111122223333" }) });
    const of = await byType();
    expect(one(of("aws:s3/bucket:Bucket"))).toMatchObject({
      bucket: "example-prod-storage-111122223333-eu-central-1",
    });
    expect(one(of("pulumi:providers:aws"))).toMatchObject({ allowedAccountIds: '["111122223333"]' });
  });

  test("has a name that S3 takes", () => {
    expect(() => new S3Storage("a-name-of-thirty-one-characters", { target: target() })).toThrow(
      "must be 7 characters shorter, or the project's or the stack's name",
    );
  });

  test("may be deleted with its objects where that is asked for", async () => {
    new S3Storage("storage", { target: target({ deleteData: true }) });
    expect(one((await byType())("aws:s3/bucket:Bucket"))).toMatchObject({ forceDestroy: true });
  });
});

test("there is a repository for each image, whose tags stay what they are", async () => {
  target({ repositories: ["jobs", "hadoop"] });
  const list = (await byType())("aws:ecr/repository:Repository");
  expect(list.map(({ inputs }) => inputs.name)).toEqual(["example/jobs", "example/hadoop"]);
  for (const { inputs } of list)
    expect(inputs).toMatchObject({
      ...{ imageTagMutability: "IMMUTABLE", imageScanningConfiguration: { scanOnPush: true } },
      encryptionConfigurations: [{ encryptionType: "KMS" }],
    });
});

test("a whole architecture: what AWS offers is AWS's, the rest is pods with roles of their own", async () => {
  new LambdaArchitecture("lambda", {
    target: target({ size: "ha" }),
    application,
    size: "ha",
  });
  const of = await byType();
  expect(of("aws:msk/cluster:Cluster").map(({ name, parent }) => [name, parent])).toEqual([
    ["lambda-kafka", "lambda-kafka"],
  ]);
  expect(of("aws:s3/bucket:Bucket").map(({ name, parent }) => [name, parent])).toEqual([["lambda-s3", "lambda-s3"]]);
  const workloads = [...of("kubernetes:apps/v1:StatefulSet"), ...of("kubernetes:apps/v1:Deployment")];
  const systems = new Set(workloads.map(({ name }) => name.split("-")[1]));
  // A topology and the views' generations are pods too: what takes them back when they go.
  expect([...systems].sort()).toEqual([
    "archiver",
    "cassandra",
    "druid",
    "serving",
    "speed",
    "storm",
    "view",
    "yarn",
    "zookeeper",
  ]);
  const roles = of("aws:eks/podIdentityAssociation:PodIdentityAssociation").map(({ inputs }) => inputs.serviceAccount);
  expect(roles.sort()).toEqual([
    "lambda-archiver",
    "lambda-batch",
    "lambda-druid-coordinator",
    "lambda-druid-historical",
    "lambda-druid-indexer",
    "lambda-kafka-topics",
    "lambda-recomputation",
    "lambda-serving",
    "lambda-storm-supervisor",
    "lambda-yarn-historyserver",
    "lambda-yarn-nodemanager",
  ]);
  const accounts = of("kubernetes:core/v1:ServiceAccount").map(({ name }) => name);
  expect(accounts).toEqual(expect.arrayContaining(roles));
});

test("everything that can be tagged says whose it is", async () => {
  new LambdaArchitecture("lambda", {
    target: target({ repositories: ["jobs"] }),
    application,
  });
  const list = (await resources.list()).filter(({ type }) => type.startsWith("aws:"));
  const tagged = list.filter(({ inputs }) => "tags" in inputs);
  for (const { inputs } of tagged)
    expect(inputs.tags).toMatchObject({ project: "example", stack: "prod", component: expect.any(String) });
  const untagged = new Set(list.filter(({ inputs }) => !("tags" in inputs)).map(({ type }) => type.split(":")[2]));
  expect([...untagged].sort()).toEqual([
    // Parts of what has tags, and what AWS gives none to.
    "Alias",
    "BucketLifecycleConfiguration",
    "BucketOwnershipControls",
    "BucketPolicy",
    "BucketPublicAccessBlock",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
    "Configuration",
    "RolePolicy",
    "RolePolicyAttachment",
    "RouteTableAssociation",
  ]);
});

test("every wrong argument is reported at once, each with its mend", () => {
  const wrong = {
    region: "Frankfurt",
    account: "12",
    kubernetesVersion: "latest",
    kafkaVersion: "new",
    cidrBlock: "10.0.0.0/8",
    oldVersionDays: 0,
    logDays: 31,
    apiAccess: ["0.0.0.0/0"],
    zones: ["a"],
    network: { vpcId: "v", cidrBlock: "10.0.0.0/16", subnetIds: ["a"] },
    repositories: ["Jobs"],
  };
  expect(() => target(wrong)).toThrow(
    expect.objectContaining({
      errors: [
        "region",
        "account",
        "kubernetesVersion",
        "kafkaVersion",
        "cidrBlock",
        "oldVersionDays",
        "logDays",
        "apiAccess[0]",
        "network.subnetIds",
        "zones",
        "repositories[0]",
      ].map((propertyPath) => ({ propertyPath, reason: expect.stringContaining("must be") })),
    }),
  );
});
