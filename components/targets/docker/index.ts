import { DockerTarget, type DockerTargetArgs } from "./docker-target.ts";

export type { Surroundings } from "../local/admission.ts";
export { DockerTarget, type DockerTargetArgs } from "./docker-target.ts";

/** The target that runs servers as containers of a Docker daemon. */
export function createDockerTarget(args: DockerTargetArgs): DockerTarget {
  return new DockerTarget(args);
}
