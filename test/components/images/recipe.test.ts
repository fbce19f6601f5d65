import { expect, test } from "vitest";
import { dockerfile, type ImageContent, imageReference } from "../../../components/images/recipe.ts";
import { InstanceImages } from "../../../components/targets/container/instance-images.ts";

const kafka: ImageContent = { name: "kafka", distributions: [{ name: "kafka", parts: {} }], node: false, programs: [] };
const agent = { name: "bind-agent", parts: {} };
const jobs: ImageContent = {
  name: "jobs",
  distributions: [{ name: "hadoop", parts: {} }],
  node: true,
  programs: ["/cache/programs/main-0123456789ab.mjs"],
};
const settings = { base: "debian:bookworm-slim", repository: "registry.example.com/lambda" };
const tagOf = (content: ImageContent, over = {}, digest = "1") =>
  imageReference(content, { ...settings, ...over }, () => digest)
    .split(":")
    .at(-1);

test("an image is called by the repository, its name and a hash of what it is made of", () => {
  expect(imageReference(kafka, settings, () => "1")).toMatch(/^registry\.example\.com\/lambda\/kafka:[0-9a-f]{12}$/);
  expect(tagOf(kafka)).toBe(tagOf({ ...kafka }));
});

test("another base, another jar and other code are another image; where code was bundled is not", () => {
  expect(tagOf(kafka, { base: "debian:bookworm-slim@sha256:0" })).not.toBe(tagOf(kafka));
  expect(tagOf(kafka, {}, "2")).not.toBe(tagOf(kafka));
  expect(tagOf({ ...jobs, programs: ["/cache/programs/main-ba9876543210.mjs"] })).not.toBe(tagOf(jobs));
  expect(tagOf({ ...jobs, programs: ["/elsewhere/main-0123456789ab.mjs"] })).toBe(tagOf(jobs));
});

test("a tag of one's own is kept", () => {
  expect(tagOf(kafka, { tag: "1.2" })).toBe("1.2");
});

test("nothing but files comes into an image, and it does not run as root", () => {
  const text = dockerfile(jobs, "debian:bookworm-slim");
  const last = text.slice(text.lastIndexOf("FROM "));
  expect(last).toMatchInlineSnapshot(`
    "FROM debian:bookworm-slim
    COPY --from=content /image/ /
    ENV JAVA_HOME=/opt/lambda/java LANG=C.UTF-8
    WORKDIR /lambda/data
    USER 65532:65532
    ENTRYPOINT ["/opt/lambda/bin/tini", "--"]
    "
  `);
  expect(text).toContain("COPY programs/ /image/opt/lambda/programs/");
  expect(dockerfile(kafka, "debian:bookworm-slim")).not.toContain("programs");
});

test("an image that begins with an upstream one has its Java and its jars where commands look for them", () => {
  const upstream = { ...kafka, upstream: "apache/kafka:4.1.0", distributions: [...kafka.distributions, agent] };
  const text = dockerfile(upstream, "debian:bookworm-slim");
  expect(text).toContain("ln -s /opt/java/openjdk /image/opt/lambda/java");
  expect(text).toContain("ln -s /opt/kafka/libs /image/opt/lambda/kafka/lib");
  expect(text).toContain("COPY bind-agent/ /image/opt/lambda/bind-agent/");
  expect(text).not.toMatch(/COPY kafka|jlink|openjdk-17/);
  expect(text.slice(text.lastIndexOf("FROM "))).toMatch(/^FROM apache\/kafka:4\.1\.0\nCOPY --from=content/);
  // Its name is that of what it is made of: the upstream image, not the jars that it has no part of.
  expect(tagOf(upstream)).not.toBe(tagOf({ ...upstream, upstream: "apache/kafka:4.1.1" }));
  const digestOf = (kafkas: string) =>
    imageReference(upstream, settings, ({ name }) => (name === "kafka" ? kafkas : "0"));
  expect(digestOf("1")).toBe(digestOf("2"));
});

test("a system that cannot run from an upstream image is an error that says which can", () => {
  expect(() => new InstanceImages({ ...settings, upstream: { druid: "apache/druid:33.0.0" } })).toThrow(
    "images.upstream: servers of druid run from no upstream image; those that do are cassandra, kafka",
  );
});
