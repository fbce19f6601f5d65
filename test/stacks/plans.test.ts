/*
 * The accepted plan of each stack is what its program makes, on any machine, and keeps to all policies.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkout, defaultStack } from "../../scripts/environment.ts";
import { imagesOfStack } from "../../scripts/images/stack-images.ts";
import { run } from "../../scripts/setup/progress.mjs";
import { readStackConfiguration } from "../../scripts/stack-configuration.ts";
import { parseStackConfiguration } from "../../stacks/configuration.ts";
import { collectPlan } from "../../stacks/plan/collect.ts";
import { previewExamples, withExamples } from "../../stacks/plan/examples.ts";
import { type Plan, planText } from "../../stacks/plan/plan.ts";
import { policies } from "../../stacks/policies/policies.ts";
import { violations } from "../support/policy-violations.ts";

const folder = join(checkout, "stacks/plans");
const stacks = readdirSync(folder).map((file) => basename(file, ".json"));
const elsewhere = mkdtempSync(join(tmpdir(), "another-machines-quite-long-cache-folder-"));
afterAll(() => rmSync(elsewhere, { recursive: true, force: true }));

test("there is a plan of every stack with a configuration for more than tests", () => {
  const configured = readdirSync(checkout).flatMap((file) => /^Pulumi\.(\w+)\.yaml$/.exec(file)?.[1] ?? []);
  expect(stacks).toEqual(configured.filter((name) => !name.startsWith("test")).sort());
});

describe.each(stacks)("%s", (stack) => {
  const plan = JSON.parse(readFileSync(join(folder, `${stack}.json`), "utf8")) as Plan;

  test("the program makes the accepted plan, on a machine with other folders too", async () => {
    const cache = join(elsewhere, "cache");
    mkdirSync(cache, { recursive: true });
    const environment = { ...process.env, XDG_CACHE_HOME: cache };
    const preview = await run(process.execPath, [join(checkout, "scripts/preview.ts"), "--stack", stack], {
      environment,
    });
    const fix = `If that is meant: npm run preview -- --all --update`;
    expect(preview, `${fix}\n${preview}`).toMatch(/^### Preview of \w+: no changes\n/);
  }, 120_000);

  test.each(policies.map((policy) => [policy.name, policy] as const))("keeps to %s", async (_, policy) => {
    expect(await violations(policy, plan.resources, stack)).toEqual([]);
  });
});

test("each image that prod runs, and no other, has a repository", async () => {
  const plan = JSON.parse(readFileSync(join(folder, "prod.json"), "utf8")) as Plan;
  const repositories = plan.resources
    .filter(({ type }) => type === "aws:ecr/repository:Repository")
    .map(({ inputs }) => `111122223333.dkr.ecr.eu-central-1.amazonaws.com/${inputs.name}`);
  const images = (await imagesOfStack("prod")).map(({ reference }) => reference.split(":")[0]);
  expect(images).toEqual(repositories.sort());
  // What the pods name is what is pushed.
  const named = new Set(JSON.stringify(plan).match(/[\w.]+\.dkr\.ecr\.[^":]+/g));
  expect([...named].sort()).toEqual(images);
}, 120_000);

test("a network that is there is used on AWS, and none is made", async () => {
  const subnetIds = ["subnet-0000000000000000a", "subnet-0000000000000000b"];
  const configuration = parseStackConfiguration({
    ...{ target: "aws", awsAccount: "111122223333", awsVpcId: "vpc-00000000000000001" },
    ...{ awsVpcCidrBlock: "10.20.0.0/16", awsPrivateSubnetIds: subnetIds.join(",") },
  });
  const { resources } = await collectPlan({ stack: "prod", configuration, checkout });
  const inputsOf = (type: string) => resources.filter((each) => each.type === type).map(({ inputs }) => inputs);
  for (const kind of ["vpc:Vpc", "subnet:Subnet", "routeTable:RouteTable", "vpcEndpoint:VpcEndpoint"])
    expect(inputsOf(`aws:ec2/${kind}`), kind).toEqual([]);
  expect(inputsOf("aws:eks/cluster:Cluster")).toMatchObject([{ vpcConfig: { subnetIds } }]);
  expect(inputsOf("aws:eks/nodeGroup:NodeGroup")).toMatchObject([{ subnetIds }]);
  expect(inputsOf("aws:msk/cluster:Cluster")).toMatchObject([{ brokerNodeGroupInfo: { clientSubnets: subnetIds } }]);
  for (const { vpcId } of inputsOf("aws:ec2/securityGroup:SecurityGroup")) expect(vpcId).toBe("vpc-00000000000000001");
  expect(JSON.stringify(resources)).toContain("10.20.0.0/16");
}, 120_000);

test("no key of a bucket is in a preview, wherever the stack runs", async () => {
  const secrets = { accessKeyId: "AKIAQUITESECRETQUITE", secretAccessKey: "quite+secret/quite+secret" };
  for (const target of ["local", "docker", "kubernetes"] as const) {
    const configuration = parseStackConfiguration(
      {
        ...{ target, storage: "s3", s3Bucket: "events", s3Endpoint: "https://s3.example.com:9000" },
        ...{ s3AccessKeyId: secrets.accessKeyId, s3SecretAccessKey: secrets.secretAccessKey },
      },
      new Set(["s3AccessKeyId", "s3SecretAccessKey"]),
    );
    const text = planText(await collectPlan({ stack: "s3", configuration, checkout }));
    expect(text, target).toContain("s3a://events");
    expect(text, target).toContain("s3-credentials");
    // The way to the bucket is open where others are closed.
    const opened = {
      local: "",
      docker: '"com.docker.network.bridge.enable_ip_masquerade": "true"',
      kubernetes: '"port": 9000',
    };
    expect(text, target).toContain(opened[target]);
    for (const secret of Object.values(secrets))
      for (const form of [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)])
        expect(text.includes(form), `${target}: a key is in the plan`).toBe(false);
  }
}, 120_000);

test("the README's previews of typical changes are those that their script makes", async () => {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  const examples = await previewExamples(checkout, {
    dev: readStackConfiguration(defaultStack),
    prod: readStackConfiguration("prod"),
  });
  expect(examples).toHaveLength(4);
  expect(readme, "Fix: npm run preview:examples").toBe(withExamples(readme, examples));
}, 120_000);
