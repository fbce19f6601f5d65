import { describe, expect, test } from "vitest";
import type { PlannedResource } from "../../../stacks/plan/plan.ts";
import { policies } from "../../../stacks/policies/policies.ts";
import { violations } from "../../support/policy-violations.ts";
import { resource, service } from "../plan/resources.ts";

const of = (type: string, inputs: Record<string, unknown>, changes: Partial<PlannedResource> = {}) =>
  resource("thing", { type, inputs, ...changes });
const aws = (type: string, inputs: Record<string, unknown>) => of(`aws:${type}`, inputs);
const docker = (inputs: Record<string, unknown>) =>
  of("docker:index/container:Container", { image: "a:1", memory: 100, ...inputs });
const container = {
  name: "main",
  image: "registry.example/kafka:4.1.0-1a2b3c",
  securityContext: { allowPrivilegeEscalation: false },
  resources: { requests: { cpu: "100m", memory: "1Gi" }, limits: { memory: "1Gi" } },
};
const pod = (changes: object, spec: object = {}) =>
  of("kubernetes:apps/v1:StatefulSet", {
    spec: { template: { spec: { containers: [{ ...container, ...changes }], ...spec } } },
  });
const cronJob = (changes: object) =>
  of("kubernetes:batch/v1:CronJob", {
    spec: { jobTemplate: { spec: { template: { spec: { initContainers: [{ ...container, ...changes }] } } } } },
  });
const closed = { blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true };
const bucket = resource("data", { type: "aws:s3/bucket:Bucket", inputs: { bucket: "b" } });
const ofBucket = (kind: string, inputs: Record<string, unknown>) =>
  resource("data-setting", {
    type: `aws:s3/${kind}:${kind[0]?.toUpperCase()}${kind.slice(1)}`,
    inputs,
    dependsOn: ["data"],
  });
const kmsKey = "arn:aws:kms:eu-central-1:111122223333:key/1";
const encryptedBrokers = {
  encryptionInfo: { encryptionAtRestKmsKeyArn: kmsKey, encryptionInTransit: { clientBroker: "TLS" } },
};
const tags = { project: "lambda-architecture", stack: "prod", component: "kafka" };

/** For each policy: resources of the stack prod that it passes, and such that it does not, with what it says. */
const cases: Record<string, { passes: PlannedResource[][]; fails: [PlannedResource[], string][] }> = {
  "no-public-bucket": {
    passes: [[bucket, ofBucket("bucketPublicAccessBlock", closed)]],
    fails: [
      [[bucket], "data: The bucket data has no BucketPublicAccessBlock"],
      [
        [bucket, ofBucket("bucketPublicAccessBlock", { ...closed, blockPublicPolicy: false })],
        "data: The bucket data has no",
      ],
      [[aws("s3/bucketAcl:BucketAcl", { acl: "public-read" })], "thing: thing has the access list public-read"],
    ],
  },
  "no-open-security-group": {
    passes: [
      [
        aws("ec2/securityGroup:SecurityGroup", {
          ingress: [{ cidrBlocks: ["10.0.0.0/16"] }],
          egress: [{ cidrBlocks: ["0.0.0.0/0"] }],
        }),
      ],
      [aws("ec2/securityGroupRule:SecurityGroupRule", { type: "egress", cidrBlocks: ["0.0.0.0/0"] })],
    ],
    fails: [
      [
        [aws("ec2/securityGroup:SecurityGroup", { ingress: [{ cidrBlocks: ["0.0.0.0/0"] }] })],
        "thing: It lets in 0.0.0.0/0",
      ],
      [
        [aws("ec2/securityGroupRule:SecurityGroupRule", { type: "ingress", ipv6CidrBlocks: ["::/0"] })],
        "thing: It lets in ::/0",
      ],
      [
        [aws("vpc/securityGroupIngressRule:SecurityGroupIngressRule", { cidrIpv4: "0.0.0.0/0" })],
        "thing: It lets in 0.0.0.0/0",
      ],
    ],
  },
  encryption: {
    passes: [
      [bucket, ofBucket("bucketServerSideEncryptionConfiguration", { rules: [{}] })],
      [aws("msk/cluster:Cluster", encryptedBrokers)],
      [aws("eks/cluster:Cluster", { encryptionConfig: { provider: { keyArn: kmsKey } } })],
      [aws("ec2/launchTemplate:LaunchTemplate", { blockDeviceMappings: [{ ebs: { encrypted: "true" } }] })],
    ],
    fails: [
      [[bucket], "data: The bucket data has no BucketServerSideEncryptionConfiguration"],
      [
        [aws("msk/cluster:Cluster", { encryptionInfo: { encryptionInTransit: { clientBroker: "TLS" } } })],
        "thing: thing names no key",
      ],
      [
        [
          aws("msk/cluster:Cluster", {
            encryptionInfo: {
              encryptionAtRestKmsKeyArn: kmsKey,
              encryptionInTransit: { clientBroker: "TLS_PLAINTEXT" },
            },
          }),
        ],
        "thing: thing must set encryptionInTransit.clientBroker to TLS",
      ],
      [[aws("eks/cluster:Cluster", {})], "thing: thing has no encryptionConfig"],
      [[aws("ebs/volume:Volume", { encrypted: false })], "thing: thing must set encrypted"],
      [
        [aws("ec2/launchTemplate:LaunchTemplate", { blockDeviceMappings: [{ ebs: {} }] })],
        "thing: thing must set ebs.encrypted",
      ],
    ],
  },
  "tags-present": {
    passes: [[aws("msk/cluster:Cluster", { tags })], [aws("msk/configuration:Configuration", {})], [service("a")]],
    fails: [
      [[aws("s3/bucket:Bucket", { tags: { project: "p" } })], "thing: Set the tags stack, component."],
      [[aws("iam/role:Role", {})], "thing: Set the tags project, stack, component."],
    ],
  },
  "no-unpinned-image": {
    passes: [
      [pod({})],
      [pod({ image: `kafka@sha256:${"a".repeat(64)}` })],
      [docker({ image: `sha256:${"a".repeat(64)}` })],
    ],
    fails: [
      [[pod({ image: "registry.example:5000/kafka" })], 'thing: The image "registry.example:5000/kafka" has no digest'],
      [[cronJob({ image: "kafka:latest" })], 'thing: The image "kafka:latest" has no digest'],
      [[docker({ image: "kafka" })], 'thing: The image "kafka" has no digest'],
    ],
  },
  "no-privileged-container": {
    passes: [[pod({})], [docker({})]],
    fails: [
      [
        [pod({ securityContext: { ...container.securityContext, privileged: true } })],
        "thing: The container main is privileged.",
      ],
      [
        [cronJob({ securityContext: {} })],
        "thing: The container main must set securityContext.allowPrivilegeEscalation",
      ],
      [[docker({ privileged: true })], "thing: The container is privileged."],
    ],
  },
  "no-host-network": {
    passes: [[pod({})], [docker({ networkMode: "bridge" })]],
    fails: [
      [[pod({}, { hostNetwork: true })], "thing: The pod sets hostNetwork."],
      [[pod({}, { hostPID: true })], "thing: The pod sets hostPID."],
      [[docker({ networkMode: "host" })], "thing: The container sets networkMode to host."],
    ],
  },
  "resources-set": {
    passes: [[pod({})], [docker({})]],
    fails: [
      [
        [pod({ resources: undefined })],
        "thing: The container main must set resources.requests.cpu, resources.requests.memory, resources.limits.memory.",
      ],
      [
        [cronJob({ resources: { ...container.resources, limits: {} } })],
        "thing: The container main must set resources.limits.memory.",
      ],
      [[docker({ memory: undefined })], "thing: The container must set memory"],
    ],
  },
  "stateful-protected": {
    passes: [
      [service("a", { inputs: { stateful: true }, options: { protect: true } })],
      [service("a"), pod({})],
      [{ ...bucket, options: { protect: true } }],
    ],
    fails: [
      [[service("a", { inputs: { stateful: true } })], "a: It keeps the data of a: set protect"],
      [[bucket], "data: It keeps all objects of the bucket b: set protect"],
      [[of("docker:index/volume:Volume", {})], "thing: It keeps the volume thing: set protect"],
    ],
  },
  "no-plain-text-secret": {
    passes: [
      [of("kubernetes:core/v1:Secret", { stringData: { password: "open sesame" } })],
      [service("a", { inputs: { files: { jaas: { content: "password=open sesame", secret: true } } } })],
      [
        pod({
          env: [
            { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "s", key: "password" } } },
            { name: "PASSWORD_FILE", value: "/run/password" },
          ],
        }),
      ],
      [
        service("a", {
          inputs: {
            files: {
              // biome-ignore lint/suspicious/noTemplateCurlyInString: Kafka's own placeholders
              "server.properties": { content: "ssl.key.password=${file:/run/password}\nsecret.enabled=true\n" },
            },
          },
        }),
      ],
    ],
    fails: [
      [
        [pod({ env: [{ name: "DB_PASSWORD", value: "open sesame" }] })],
        "thing: spec.template.spec.containers.0.env.0.DB_PASSWORD holds the value of DB_PASSWORD in plain text",
      ],
      [
        [of("kubernetes:core/v1:ConfigMap", { data: { "a.properties": "a=1\nadmin.password=sesame\n" } })],
        "thing: data.a.properties holds the value of admin.password",
      ],
      [[docker({ command: ["serve", "--api-key=sesame"] })], "thing: command.1 holds the value of api-key"],
      [[docker({ envs: ["TOKEN=sesame"] })], "thing: envs.0 holds the value of TOKEN"],
      [
        [service("a", { inputs: { environment: { SECRET: "sesame" } } })],
        "a: environment.SECRET holds the value of SECRET",
      ],
      [[aws("a:B", { text: "AKIAIOSFODNN7EXAMPLE" })], "thing: text holds an AWS access key"],
      [[aws("a:B", { text: "-----BEGIN RSA PRIVATE KEY-----\nabc" })], "thing: text holds a private key"],
      [[aws("a:B", { url: "https://me:sesame@example.com/" })], "thing: url holds credentials in a URL"],
    ],
  },
};

test("every policy has cases", () => {
  expect(Object.keys(cases)).toEqual(policies.map(({ name }) => name));
});

describe.each(policies.map((policy) => [policy.name, policy] as const))("%s", (name, policy) => {
  const { passes = [], fails = [] } = cases[name] ?? {};

  test("passes what is right", async () => {
    expect(passes.length).toBeGreaterThan(0);
    for (const resources of passes) expect(await violations(policy, resources, "prod")).toEqual([]);
  });

  test("fails what is wrong, and says what and the fix", async () => {
    expect(fails.length).toBeGreaterThan(0);
    for (const [resources, message] of fails) {
      const [first = "nothing", ...others] = await violations(policy, resources, "prod");
      expect(first).toContain(message);
      expect(others).toEqual([]);
    }
  });
});

test("what only the stacks that people rely on have to keep to, others need not", async () => {
  for (const name of ["no-unpinned-image", "stateful-protected"]) {
    const policy = policies.find((each) => each.name === name);
    for (const [resources] of cases[name]?.fails ?? [])
      expect(await violations(policy as (typeof policies)[number], resources, "dev")).toEqual([]);
  }
});
