import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { File } from "../../target.ts";
import { contentHash } from "./names.ts";

type Volume = types.input.core.v1.Volume;

/** Configuration files as entries of a ConfigMap and of a Secret. */
export interface FileEntries {
  readonly plain: Readonly<Record<string, pulumi.Input<string>>>;
  readonly secret: Readonly<Record<string, pulumi.Input<string>>>;
}

/** The files by path. */
export type Files = Readonly<Record<string, File>>;

/** The entries of one instance's files. */
export function entriesOf(files: Files): FileEntries {
  return entries(Object.entries(files).map(([path, file]) => [entryKey(path), file]));
}

/** The entries of the files of all replicas, in the order of their index: `0.server.properties` is replica 0's. */
export function entriesOfReplicas(replicas: readonly Files[]): FileEntries {
  return entries(
    replicas.flatMap((files, index) =>
      Object.entries(files).map(([path, file]) => [`${index}.${entryKey(path)}`, file] as const),
    ),
  );
}

/** A path as an entry's key, in which no slash may stand. */
export function entryKey(path: string): string {
  return path.replaceAll("/", "__");
}

function entries(all: readonly (readonly [string, File])[]): FileEntries {
  const those = (secret: boolean) =>
    Object.fromEntries(
      all.filter(([, file]) => (file.secret ?? false) === secret).map(([key, file]) => [key, file.content]),
    );
  return { plain: those(false), secret: those(true) };
}

/**
 * The hash of the entries, for the name of their ConfigMap or Secret: other content, other name, and so another pod. It
 * is no secret itself.
 *
 * @param what tells it from those of other contents that are the same
 */
export function hashOf(entries: Readonly<Record<string, pulumi.Input<string>>>): pulumi.Output<string> {
  return pulumi.unsecret(pulumi.output(entries).apply((contents) => contentHash(JSON.stringify(contents))));
}

/**
 * The names of the ConfigMap and of the Secret that hold the entries, if there are any. What uses them has to depend on
 * the resources by itself: if the names did, Pulumi would replace every user with an object of new content and the same
 * name.
 */
export interface EntrySources {
  readonly configMap?: pulumi.Input<string>;
  readonly secret?: pulumi.Input<string>;
  readonly resources: readonly pulumi.Resource[];
}

/** The volume of an instance's files, laid out by their paths. */
export function filesVolume(name: string, files: Files, sources: EntrySources): Volume {
  const items = (secret: boolean) =>
    Object.entries(files)
      .filter(([, file]) => (file.secret ?? false) === secret)
      .map(([path]) => ({ key: entryKey(path), path }));
  return projected(name, [
    ...(sources.configMap === undefined ? [] : [{ configMap: { name: sources.configMap, items: items(false) } }]),
    ...(sources.secret === undefined ? [] : [{ secret: { name: sources.secret, items: items(true) } }]),
  ]);
}

/** The volume of the files of all replicas, from which each copies its own: see {@link copyOwnFiles}. */
export function replicaFilesVolume(name: string, sources: EntrySources): Volume {
  // No entry is named: else another replica's would change the pods of all.
  return projected(name, [
    ...(sources.configMap === undefined ? [] : [{ configMap: { name: sources.configMap } }]),
    ...(sources.secret === undefined ? [] : [{ secret: { name: sources.secret } }]),
  ]);
}

function projected(name: string, sources: types.input.core.v1.VolumeProjection[]): Volume {
  // Of an empty list the API server says nothing, which would be a change in every preview.
  if (sources.length === 0) return { name, emptyDir: {} };
  // Readable for the group of the pod's volumes, which nobody else is in.
  return { name, projected: { defaultMode: 0o440, sources } };
}

/**
 * The command that copies a replica's own files from a volume of those of all, readable for their owner alone. The
 * replica's index is the end of its pod's name.
 */
export function copyOwnFiles(from: string, to: string): string[] {
  const script = `umask 077
cd ${from}
for file in "\${POD_NAME##*-}".*; do
  path=${to}/$(printf %s "\${file#*.}" | sed 's#__#/#g')
  mkdir -p "$(dirname "$path")"
  cp "$file" "$path"
done`;
  return ["/bin/sh", "-euc", script];
}
