import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { hadoopProperties } from "../../support/hadoop-properties.ts";
import { outputOf, RecordedResources } from "../../support/recorded-resources.ts";
import { RecordingTarget } from "../../support/recording-target.ts";

const resources = new RecordedResources();
const credentials = { accessKeyId: "AKIA", secretAccessKey: "hush" };
const given = { bucket: "events", endpoint: "http://127.0.0.1:9000", credentials };
let S3Storage: typeof import("../../../components/s3/index.ts").S3Storage;
let YarnCluster: typeof import("../../../components/yarn/index.ts").YarnCluster;
let target: RecordingTarget;

beforeEach(async () => {
  await resources.start();
  ({ S3Storage } = await import("../../../components/s3/index.ts"));
  ({ YarnCluster } = await import("../../../components/yarn/index.ts"));
  target = new RecordingTarget();
});

test("a bucket that is given is used as it is, and nothing is created", async () => {
  const storage = new S3Storage("storage", { target, bucket: "events", region: "eu-central-1" });

  expect(await outputOf(storage.fileSystem)).toBe("s3a://events");
  expect(await outputOf(storage.endpoint)).toBeUndefined();
  expect(await outputOf(storage.pathStyle)).toBe(false);
  expect(storage.credentialFiles).toEqual({});
  expect(await resources.list()).toMatchObject([
    { type: "lambda-architecture:index:S3Storage", inputs: { bucket: "events", region: "eu-central-1" } },
  ]);
});

test("credentials are a secret, in a file of their own, and no input of the component", async () => {
  const storage = new S3Storage("storage", { target, ...given });

  expect(await outputOf(storage.pathStyle)).toBe(true);
  const file = storage.credentialFiles["s3-credentials"];
  const content = pulumi.output(file?.content);
  expect(await pulumi.isSecret(content)).toBe(true);
  expect(await outputOf(content)).toContain("aws_secret_access_key = hush");
  expect(file?.secret).toBe(true);
  expect(JSON.stringify(await resources.list())).not.toContain("hush");
});

test("YARN's servers and clients reach the bucket, with the secrets in that file alone", async () => {
  const storage = new S3Storage("storage", { target, ...given });
  const yarn = new YarnCluster("yarn", { target, fileSystem: storage.fileSystem, s3: storage });
  const list = await resources.list();

  for (const name of ["yarn-resourcemanager", "yarn-nodemanager-0", "yarn-historyserver"]) {
    const service = target.serviceArgs.get(name);
    const { configuration } = target.placement(service?.identity as { component: string; role: string });
    expect(service?.distributions?.map((one) => one.name).slice(0, 2)).toEqual(["hadoop", "hadoop-s3"]);
    expect(service?.command.find((part) => part.includes("hadoop/lib"))).toBe(
      `${configuration}:/recording-target/distributions/hadoop/lib/*:/recording-target/distributions/hadoop-s3/lib/*`,
    );
    expect(service?.environment).toMatchObject({ AWS_SHARED_CREDENTIALS_FILE: `${configuration}/s3-credentials` });
    expect(service?.files?.["s3-credentials"]?.secret).toBe(true);
    const core = await outputOf(pulumi.output(service?.files?.["core-site.xml"]?.content ?? ""));
    expect(hadoopProperties(core)).toMatchObject({
      "fs.defaultFS": "s3a://events",
      "fs.s3a.endpoint": "http://127.0.0.1:9000",
    });
    for (const [path, { content }] of Object.entries(service?.files ?? {}))
      if (path !== "s3-credentials") expect(await outputOf(pulumi.output(content))).not.toContain("hush");
  }
  expect(yarn.clientDistributions.map(({ name }) => name)).toEqual(["hadoop", "hadoop-s3"]);
  expect(Object.keys(yarn.clientFiles)).toContain("s3-credentials");
  expect(list.find(({ name }) => name === "yarn")?.inputs).not.toHaveProperty("s3");
});

test("every wrong argument is reported at once, each with its mend", () => {
  const wrong = { bucket: "No", endpoint: "127.0.0.1:9000/x", region: "Frankfurt!" };
  expect(() => new S3Storage("storage", { target, ...wrong })).toThrow(
    expect.objectContaining({
      errors: [
        {
          propertyPath: "bucket",
          reason: `must be 3 to 63 lower-case letters, digits, '.' and '-'; it is "No"`,
        },
        {
          propertyPath: "endpoint",
          reason: 'must be http://host:port or https://host, without a path; it is "127.0.0.1:9000/x"',
        },
        { propertyPath: "region", reason: `must be a region's name, e.g. eu-central-1; it is "Frankfurt!"` },
      ],
    }),
  );
  expect(() => new S3Storage("storage", { target })).toThrow(
    /S3Storage "storage": bucket must be given: the target local makes no buckets/,
  );
});
