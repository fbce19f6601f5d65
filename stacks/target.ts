import * as pulumi from "@pulumi/pulumi";
import type { DataSafetyArgs, Target } from "../components/target.ts";
import type { Surroundings as Machine } from "../components/targets/local/index.ts";
import type { StackConfiguration } from "./configuration.ts";

/** Where a stack's program runs. */
export interface Surroundings {
  /** The absolute path of the project's folder. */
  readonly checkout: string;
  /** The folder under which the local target keeps the files of the stack's servers. */
  readonly stackFolder: string;
  /** What the local target compares its servers' demands with. Default: this machine */
  readonly machine?: Machine;
}

/** The target of the stack. Its module is loaded only when chosen. */
export async function chooseTarget(
  configuration: StackConfiguration,
  { stackFolder, machine }: Surroundings,
): Promise<Target> {
  const project = pulumi.getProject();
  const stack = pulumi.getStack();
  const dataSafety: DataSafetyArgs = { protect: !configuration.ephemeral, deleteData: configuration.deleteData };
  switch (configuration.target) {
    case "local": {
      const { createLocalTarget } = await import("../components/targets/local/index.ts");
      return createLocalTarget({
        project,
        stack,
        folder: stackFolder,
        ...dataSafety,
        ...(machine && { surroundings: machine }),
      });
    }
    case "docker": {
      const { createDockerTarget } = await import("../components/targets/docker/index.ts");
      const { dockerImageBase, dockerImageRepository, dockerImageTag, dockerPortOffset } = configuration;
      const host = new pulumi.Config("docker").get("host") ?? process.env.DOCKER_HOST;
      return createDockerTarget({
        project,
        stack,
        folder: stackFolder,
        images: {
          base: dockerImageBase,
          repository: dockerImageRepository,
          ...(dockerImageTag !== "" && { tag: dockerImageTag }),
        },
        portOffset: dockerPortOffset,
        ...(host !== undefined && { host }),
        ...dataSafety,
      });
    }
    case "kubernetes": {
      const { createKubernetesTarget } = await import("../components/targets/kubernetes/index.ts");
      const {
        kubernetesContext: context,
        kubernetesNamespace: namespace,
        kubernetesManifests: manifests,
      } = configuration;
      return createKubernetesTarget({
        project,
        stack,
        images: {
          base: configuration.kubernetesImageBase,
          repository: configuration.kubernetesImageRepository,
          ...(configuration.kubernetesImageTag !== "" && { tag: configuration.kubernetesImageTag }),
        },
        ...(context !== "" && { context }),
        ...(namespace !== "" && { namespace }),
        ...(configuration.kubernetesStorageClass !== "" && { storageClass: configuration.kubernetesStorageClass }),
        volumeSize: configuration.kubernetesVolumeSize,
        ...(manifests !== "" && { renderYamlToDirectory: manifests }),
        ...dataSafety,
      });
    }
  }
}
