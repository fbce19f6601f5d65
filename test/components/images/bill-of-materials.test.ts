import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { billOfMaterials } from "../../../components/images/bill-of-materials.ts";
import { checkout } from "../../../scripts/environment.ts";
import { copiedArtifacts } from "../../../scripts/images/materials.ts";

const content = { name: "jobs", distributions: [], node: true, programs: ["/cache/main-0123456789ab.mjs"] };
const jar = { type: "library", name: "zookeeper", version: "3.9.5", purl: "pkg:maven/a/zookeeper@3.9.5" };

test("an image's bill lists packages, runtimes, programs and jars, each once", () => {
  const packages = "libc6\t2.36-9+deb12u10\tamd64\n";
  const bill = billOfMaterials(content, "registry:5000/lambda/jobs:0123", {
    packages,
    java: "17.0.21",
    bills: [{ components: [jar] }, { components: [jar] }, {}],
  });
  expect(bill.metadata.component).toEqual({ type: "container", name: "registry:5000/lambda/jobs", version: "0123" });
  expect(bill.components.map(({ purl, name }) => purl ?? name)).toEqual([
    "main-0123456789ab.mjs",
    "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64",
    "pkg:generic/node@24.21.0",
    "pkg:generic/openjdk@17.0.21",
    "pkg:maven/a/zookeeper@3.9.5",
  ]);
});

test("the jars that a distribution copies without resolving are listed, too", () => {
  const pom = readFileSync(join(checkout, "components/storm/distribution/extlib/pom.xml"), "utf8");
  expect(copiedArtifacts(pom).map(({ purl }) => purl)).toEqual([
    expect.stringMatching(/^pkg:maven\/org\.apache\.storm\/flux-core@\d+\.\d+\.\d+\?type=jar$/),
    expect.stringMatching(/^pkg:maven\/org\.apache\.storm\/flux-wrappers@\d+\.\d+\.\d+\?type=jar$/),
  ]);
});

test("of an upstream image the bill names the image", () => {
  const upstream = { ...content, name: "kafka", node: false, programs: [], upstream: "apache/kafka:4.1.0" };
  const { components } = billOfMaterials(upstream, "lambda/kafka:1", { packages: "", java: "", bills: [] });
  expect(components).toEqual([{ type: "container", name: "apache/kafka:4.1.0" }]);
});
