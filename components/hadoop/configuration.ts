import { posix } from "node:path";
import type * as pulumi from "@pulumi/pulumi";

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

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => entities[character] as string);
}
