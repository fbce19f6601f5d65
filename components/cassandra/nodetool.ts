import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { managementPort, operator } from "./configuration.ts";

/** What runs Cassandra's nodetool. */
export interface NodetoolArgs {
  readonly java: string;
  readonly classPath: string;
  /** The folder with `jvm17-server.options` and `logback.xml`. */
  readonly configuration: string;
  /** A folder in which it may note what it was asked. */
  readonly home: string;
}

/**
 * Runs a command of Cassandra's nodetool for a node.
 *
 * @param password the file with the node's password
 * @throws {Error} with what it says if it fails
 */
export async function nodetool(
  { java, classPath, configuration, home }: NodetoolArgs,
  node: { readonly address: string; readonly password: string },
  ...command: readonly string[]
): Promise<string> {
  const jvm = [
    ...["-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"],
    `-Duser.home=${home}`,
    `-Dlogback.configurationFile=${pathToFileURL(`${configuration}/logback.xml`).href}`,
    `@${configuration}/jvm17-server.options`,
  ];
  const access = ["-h", node.address, "-p", String(managementPort), "-u", operator, "-pwf", node.password];
  const program = ["-cp", classPath, "org.apache.cassandra.tools.NodeTool", ...access];
  const options = { maxBuffer: 2 ** 26 };
  await mkdir(home, { recursive: true, mode: 0o700 });
  return new Promise((resolve, reject) => {
    execFile(java, [...jvm, ...program, ...command], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      // What it has to say, without a stack.
      const [reason = ""] = `${stdout}\n${stderr}`.trim().split("\n-- StackTrace --");
      const lines = reason.trim().split("\n").slice(-5).join("\n") || error.message;
      reject(new Error(`nodetool ${command.join(" ")} of node ${node.address}: ${lines}`));
    });
  });
}
