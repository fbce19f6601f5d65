import type { types } from "@pulumi/kubernetes";
import { mountedFolders as folders } from "../../images/layout.ts";

type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;

/** Where the files of all replicas are, of which each copies its own into its configuration folder. */
export const replicaFiles = "/lambda/files";

/** The folders of a program whose configuration is a volume of that name. */
export const folderMounts: readonly VolumeMount[] = [
  { name: "configuration", mountPath: folders.configuration, readOnly: true },
  { name: "data", mountPath: folders.data },
  { name: "logs", mountPath: folders.logs },
  { name: "temporary", mountPath: folders.temporary },
  // For programs that ask nobody where to put temporary files.
  { name: "temporary", mountPath: "/tmp" },
];

/** The volumes that go with the pod. */
export const passingVolumes: readonly Volume[] = [
  { name: "logs", emptyDir: {} },
  { name: "temporary", emptyDir: {} },
];

/** The data of what keeps none. */
export const passingData: Volume = { name: "data", emptyDir: {} };
