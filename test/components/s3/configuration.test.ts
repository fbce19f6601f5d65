import { expect, test } from "vitest";
import { bucketUri, credentialsText, s3aProperties } from "../../../components/s3/configuration.ts";

const location = { bucket: "events", region: "eu-central-1", endpoint: undefined, pathStyle: false };

test("AWS's own buckets are reached by their region, with what AWS gives to the process", () => {
  expect(bucketUri("events")).toBe("s3a://events");
  expect(s3aProperties(location, false)).toEqual({
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Hadoop's own placeholders
    "fs.s3a.buffer.dir": "${env.LOCAL_DIRS:-${java.io.tmpdir}}/s3a",
    "fs.s3a.endpoint.region": "eu-central-1",
    "fs.s3a.path.style.access": false,
    "fs.s3a.aws.credentials.provider": "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
    "fs.s3a.input.stream.type": "classic",
  });
});

test.each([
  ["http://127.0.0.1:9000", false],
  ["https://s3.example.org", true],
])("another server is reached at %s, with credentials from a file", (endpoint, ssl) => {
  expect(s3aProperties({ ...location, endpoint, pathStyle: true }, true)).toMatchObject({
    "fs.s3a.endpoint": endpoint,
    "fs.s3a.connection.ssl.enabled": ssl,
    "fs.s3a.path.style.access": true,
    "fs.s3a.aws.credentials.provider": "software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider",
  });
});

test("credentials are written as AWS's SDKs read them", () => {
  expect(credentialsText({ accessKeyId: "AKIA", secretAccessKey: "a/b+c" })).toBe(
    "[default]\naws_access_key_id = AKIA\naws_secret_access_key = a/b+c\n",
  );
});
