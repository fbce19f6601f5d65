import { expect, test } from "vitest";
import { billOfMaterials } from "../../../components/images/bill-of-materials.ts";

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
