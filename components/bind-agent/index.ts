import { fileURLToPath } from "node:url";
import type { Distribution, Target } from "../target.ts";

/**
 * A Java agent that binds a JVM's servers to one address wherever they ask for the wildcard address. Storm, YARN and
 * MapReduce open such ports and have no setting for them.
 */
export const bindAgent: Distribution = {
  name: "bind-agent",
  parts: { lib: fileURLToPath(new URL("./distribution", import.meta.url)) },
};

/**
 * The flag that loads the agent into a JVM, whose service must name {@link bindAgent} among its distributions. If the
 * address is a loopback address, the JVM's connections to loopback addresses come from it as well. A JVM in which this
 * cannot be done ends with exit code 70 before its main class runs.
 *
 * @param address IP address or host name; or a shell variable that holds one, where a shell starts the JVM
 */
export function bindAgentFlag(target: Target, address: string): string {
  return `-javaagent:${target.directory(bindAgent)}/lib/bind-agent.jar=${address}`;
}
