/** Where things are in this project's images. */

/** The folder of all that the project adds to the base. */
const home = "/opt/lambda";
/** The Java runtime's folder. */
export const javaHome = `${home}/java`;
/** The `java` of every image. */
export const javaProgram = `${javaHome}/bin/java`;
/** The Node of the images that run TypeScript. */
export const nodeProgram = `${home}/bin/node`;
/** The first process of a container: it passes signals on and reaps what its children leave behind. */
export const initProgram = `${home}/bin/tini`;
/** The folder of the bundled programs, in the jobs' image. */
export const programsFolder = `${home}/programs`;

/** The folder of a distribution's parts. */
export function distributionFolder(name: string): string {
  return `${home}/${name}`;
}

/** The folders that are mounted over in a container: all that its user may write to. */
export const mountedFolders = {
  configuration: "/lambda/configuration",
  data: "/lambda/data",
  logs: "/lambda/logs",
  temporary: "/lambda/temporary",
} as const;

/** The user and group that everything in a container runs as: no user of the host's. */
export const userId = 65532;
