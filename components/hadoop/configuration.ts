import { posix } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { crossSiteHeader } from "../../jobs/hdfs/cross-site.ts";

/** Hadoop properties by name. */
export type HadoopProperties = Readonly<Record<string, string | number | boolean>>;

/** The text of a Hadoop configuration file (core-site.xml and the like). */
export function hadoopConfiguration(properties: HadoopProperties): string {
  const lines = Object.entries(properties).map(
    ([name, value]) =>
      `  <property><name>${escapeXml(name)}</name><value>${escapeXml(String(value))}</value></property>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n${lines.join("\n")}\n</configuration>\n`;
}

/**
 * The environment of a Hadoop process: as which user it acts (Hadoop's simple authentication takes its word for it),
 * and where Java is, which YARN's containers look up.
 *
 * @param java the target's `java`; if it is only a name, the process keeps the JAVA_HOME that it has
 */
export function hadoopEnvironment(user: pulumi.Input<string>, java: string): Record<string, pulumi.Input<string>> {
  const environment: Record<string, pulumi.Input<string>> = { HADOOP_USER_NAME: user };
  if (posix.isAbsolute(java)) environment.JAVA_HOME = posix.dirname(posix.dirname(java));
  return environment;
}

/**
 * The properties with which a server of Hadoop's takes no request that changes something, whoever sends it, without the
 * header {@link crossSiteHeader}: a page of a foreign site cannot send it, since a browser asks the server first whether
 * it may.
 *
 * @param prefix what the server's properties of that begin with, e.g. `yarn.resourcemanager.webapp`
 */
export function crossSiteProperties(prefix: string): HadoopProperties {
  return {
    [`${prefix}.rest-csrf.enabled`]: true,
    [`${prefix}.rest-csrf.custom-header`]: crossSiteHeader,
    // Whatever the client calls itself; by default only those that call themselves as browsers do.
    [`${prefix}.rest-csrf.browser-useragents-regex`]: ".*",
  };
}

/**
 * The same for WebHDFS, of browsers alone, and for reading as well: a DataNode lets pages of all sites read what it
 * answers. What else reads over HTTP, as Druid does, cannot send a header.
 */
export const crossSiteWebHdfs: HadoopProperties = {
  ...crossSiteProperties("dfs.webhdfs"),
  "dfs.webhdfs.rest-csrf.browser-useragents-regex": "^Mozilla.*,^Opera.*",
  "dfs.webhdfs.rest-csrf.methods-to-ignore": "OPTIONS",
};

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => entities[character] as string);
}
