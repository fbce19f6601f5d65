import { distributionFolder, javaHome } from "./layout.ts";

/** Where an upstream image has what the servers of its system need. */
interface UpstreamLayout {
  /** The folder of its Java runtime. */
  readonly java: string;
  /** The folder of its jars, which ours has as the part `lib` of the distribution of that name. */
  readonly lib: string;
}

/**
 * The systems whose servers run from an upstream image as well, by the names of their images: those that run no code of
 * the jobs, and whose image has bash for the probes. Sources: `docker/jvm/Dockerfile` of apache/kafka, and
 * `5.0/Dockerfile` of docker-library/cassandra, both on a JRE of Eclipse Temurin.
 */
const layouts: Readonly<Record<string, UpstreamLayout>> = {
  cassandra: { java: "/opt/java/openjdk", lib: "/opt/cassandra/lib" },
  kafka: { java: "/opt/java/openjdk", lib: "/opt/kafka/libs" },
};

/** Their names, in order. */
export const upstreamSystems: readonly string[] = Object.keys(layouts);

/**
 * The links that put what an upstream image has where the commands of its system's servers look for it: path of the link
 * to what it leads to.
 *
 * @throws {TypeError} if the system's servers cannot run from an upstream image
 */
export function upstreamLinks(system: string): Readonly<Record<string, string>> {
  const layout = layouts[system];
  if (layout === undefined)
    throw new TypeError(
      `images.upstream: servers of ${system} run from no upstream image; those that do are ${upstreamSystems.join(", ")}`,
    );
  return { [javaHome]: layout.java, [`${distributionFolder(system)}/lib`]: layout.lib };
}
