import { basename } from "node:path";
import { type ImageContent, nodeVersion } from "./recipe.ts";

/** A part of an image, as CycloneDX lists it: of more than these properties, which are what identifies it. */
export interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  /** The package URL, e.g. `pkg:maven/org.apache.zookeeper/zookeeper@3.9.5?type=jar`. */
  readonly purl?: string;
}

/** What is in an image, by where it comes from. */
export interface Materials {
  /** What Debian's `dpkg-query` lists: name, version and architecture, a package a line, split at tabulators. */
  readonly packages: string;
  /** What `java -version` says of itself, e.g. `17.0.21.1`. */
  readonly java: string;
  /** Bills that Maven's and npm's own tools have made: of the jars, and of the packages that programs are bundled from. */
  readonly bills: readonly { readonly components?: readonly Component[] }[];
}

/** An image's bill of materials: CycloneDX 1.6, each part once, in order, without the time, so that equal images have equal ones. */
export function billOfMaterials(content: ImageContent, reference: string, materials: Materials) {
  const components = [
    ...materials.packages
      .split("\n")
      .filter((line) => line !== "")
      .map((line): Component => {
        const [name = "", version = "", architecture = ""] = line.split("\t");
        const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
        return { type: "library", name, version, purl };
      }),
    content.upstream === undefined
      ? { type: "platform", name: "openjdk", version: materials.java, purl: `pkg:generic/openjdk@${materials.java}` }
      : { type: "container", name: content.upstream },
    ...(content.node
      ? [{ type: "platform", name: "node", version: nodeVersion, purl: `pkg:generic/node@${nodeVersion}` }]
      : []),
    ...content.programs.map((program): Component => ({ type: "file", name: basename(program) })),
    ...materials.bills.flatMap(({ components = [] }) => components),
  ];
  const keyOf = ({ purl, type, name }: Component) => purl ?? `${type} ${name}`;
  const unique = new Map(components.map((component) => [keyOf(component), component]));
  const version = reference.slice(reference.lastIndexOf(":") + 1);
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "container", name: reference.slice(0, -version.length - 1), version } },
    components: [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, component]) => component),
  };
}
