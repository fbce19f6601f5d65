import type { ResourceValidationPolicy } from "@pulumi/policy";
import { isGuarded } from "./stack.ts";

/** A container of a pod, as Kubernetes has it. */
interface Container {
  readonly name: string;
  readonly image?: string;
  readonly securityContext?: { readonly privileged?: boolean; readonly allowPrivilegeEscalation?: boolean };
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>;
    readonly limits?: Readonly<Record<string, string>>;
  };
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
}

const dockerContainer = "docker:index/container:Container";

// biome-ignore lint/suspicious/noExplicitAny: the inputs of any type, as @pulumi/policy has them
type Props = Record<string, any>;

/** The specification of the pods that the resource makes; undefined if it makes none. */
function podSpec(type: string, props: Props): PodSpec | undefined {
  const kind = /^kubernetes:.*:(\w+)$/.exec(type)?.[1];
  switch (kind) {
    case "Pod":
      return props.spec;
    case "StatefulSet":
    case "Deployment":
    case "DaemonSet":
    case "Job":
      return props.spec?.template?.spec;
    case "CronJob":
      return props.spec?.jobTemplate?.spec?.template?.spec;
    default:
      return undefined;
  }
}

function containersOf(type: string, props: Props): readonly Container[] {
  const { containers = [], initContainers = [] } = podSpec(type, props) ?? {};
  return [...initContainers, ...containers];
}

/** Whether the reference always means one image: by digest, or by a tag that is not moved. */
function isPinned(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image) || /^sha256:[0-9a-f]{64}$/.test(image)) return true;
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag !== undefined && tag !== "latest";
}

/** Stacks that people rely on run what was tried. */
export const noUnpinnedImage: ResourceValidationPolicy = {
  name: "no-unpinned-image",
  description: "On staging and prod images are named by a digest or a tag other than latest.",
  validateResource: ({ type, props, urn }, report) => {
    if (!isGuarded(urn)) return;
    const images = [
      ...containersOf(type, props).map(({ image }) => image ?? ""),
      ...(type === dockerContainer ? [props.image ?? ""] : []),
    ];
    for (const image of images)
      if (!isPinned(image)) report(`The image ${JSON.stringify(image)} has no digest and no tag but latest; name one.`);
  },
};

/** No container gets more rights than a process needs. */
export const noPrivilegedContainer: ResourceValidationPolicy = {
  name: "no-privileged-container",
  description: "Containers are not privileged, and pods forbid to become so.",
  validateResource: ({ type, props }, report) => {
    for (const { name, securityContext } of containersOf(type, props)) {
      if (securityContext?.privileged === true) report(`The container ${name} is privileged.`);
      if (securityContext?.allowPrivilegeEscalation !== false)
        report(`The container ${name} must set securityContext.allowPrivilegeEscalation to false.`);
    }
    if (type === dockerContainer && props.privileged === true) report("The container is privileged.");
  },
};

/** Nothing shares the network, the processes or the memory of the machine. */
export const noHostNetwork: ResourceValidationPolicy = {
  name: "no-host-network",
  description: "Pods and containers have a network and processes of their own.",
  validateResource: ({ type, props }, report) => {
    const pod = podSpec(type, props);
    for (const property of ["hostNetwork", "hostPID", "hostIPC"] as const)
      if (pod?.[property] === true) report(`The pod sets ${property}.`);
    if (type !== dockerContainer) return;
    for (const property of ["networkMode", "pidMode", "ipcMode"])
      if (props[property] === "host") report(`The container sets ${property} to host.`);
  },
};

/** What runs is known to fit. */
export const resourcesSet: ResourceValidationPolicy = {
  name: "resources-set",
  description: "Containers ask for memory and CPU, and their memory is limited.",
  validateResource: ({ type, props }, report) => {
    for (const { name, resources } of containersOf(type, props)) {
      const missing = [
        ...(resources?.requests?.cpu === undefined ? ["requests.cpu"] : []),
        ...(resources?.requests?.memory === undefined ? ["requests.memory"] : []),
        ...(resources?.limits?.memory === undefined ? ["limits.memory"] : []),
      ];
      if (missing.length > 0) report(`The container ${name} must set resources.${missing.join(", resources.")}.`);
    }
    if (type === dockerContainer && !(props.memory > 0)) report("The container must set memory, its limit in MiB.");
  },
};
