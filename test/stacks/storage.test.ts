import { describe, expect, test } from "vitest";
import { parseStackConfiguration } from "../../stacks/configuration.ts";
import { storageArgs, wayToBucket } from "../../stacks/storage.ts";
import { outputOf } from "../support/recorded-resources.ts";

const configuration = (values: Record<string, string> = {}) =>
  parseStackConfiguration(values, new Set(["s3AccessKeyId", "s3SecretAccessKey"]));
const s3 = (values: Record<string, string> = {}) =>
  configuration({ storage: "s3", s3Bucket: "events", s3Region: "eu-west-1", ...values });
const aws = { target: "aws", awsAccount: "111122223333" };

describe("the storage's arguments", () => {
  test("are HDFS, on AWS the bucket that it makes", () => {
    expect(storageArgs(configuration())).toEqual({ storage: "hdfs" });
    expect(storageArgs(configuration(aws))).toEqual({ storage: "s3" });
    expect(storageArgs(configuration({ ...aws, storage: "s3" }))).toEqual({ storage: "s3" });
  });

  test("of S3 are those of AWS, or of a server of one's own", () => {
    expect(storageArgs(s3())).toEqual({ storage: "s3", s3: { bucket: "events", region: "eu-west-1" } });
    expect(storageArgs(s3({ s3Endpoint: "http://10.0.0.9:9000" })).s3).toEqual({
      ...{ bucket: "events", region: "eu-west-1", endpoint: "http://10.0.0.9:9000", pathStyle: true },
    });
    expect(storageArgs(s3({ s3Endpoint: "https://s3.example.com", s3PathStyle: "false" })).s3).toMatchObject({
      pathStyle: false,
    });
  });

  test("hold the keys as secrets", async () => {
    const { credentials } = storageArgs(s3({ s3AccessKeyId: "id", s3SecretAccessKey: "key" })).s3 ?? {};
    const output = credentials as unknown as { isSecret: Promise<boolean> } & Parameters<typeof outputOf>[0];
    expect(await output.isSecret).toBe(true);
    expect(await outputOf(output)).toEqual({ accessKeyId: "id", secretAccessKey: "key" });
  });
});

test("the way to the bucket is opened to where it is, and where there is none, none is", () => {
  expect(wayToBucket(configuration())).toBeUndefined();
  expect(wayToBucket(configuration(aws))).toBeUndefined();
  expect(wayToBucket(s3())).toEqual({ address: undefined, port: 443 });
  expect(wayToBucket(s3({ s3Endpoint: "http://10.0.0.9:9000" }))).toEqual({ address: "10.0.0.9", port: 9000 });
  expect(wayToBucket(s3({ s3Endpoint: "https://s3.example.com" }))).toEqual({ address: undefined, port: 443 });
  expect(wayToBucket(s3({ s3Endpoint: "http://s3.example.com" }))).toEqual({ address: undefined, port: 80 });
});
