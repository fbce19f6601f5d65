import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { crossSiteWebHdfs, type HadoopProperties, hadoopConfiguration } from "../hadoop/index.ts";

/** Where clients and DataNodes call the NameNode (`fs.defaultFS`). */
export const nameNodeRpcPort = 8020;
/** The NameNode's WebHDFS and JMX. */
export const nameNodeHttpPort = 9870;
/** Where a DataNode takes blocks. */
export const dataNodePort = 9866;
/** A DataNode's WebHDFS and JMX. */
export const dataNodeHttpPort = 9864;
/** Where a DataNode takes calls. */
export const dataNodeIpcPort = 9867;

/** What the configuration of a server of HDFS depends on. */
export interface HdfsConfiguration {
  readonly nameNode: string;
  /** Copies of each block. */
  readonly replication: number;
}

/** The `fs.defaultFS` of the NameNode at the address. */
export function fileSystemUri(nameNode: string): string {
  return `hdfs://${nameNode}:${nameNodeRpcPort}`;
}

/**
 * The text of core-site.xml, for servers and clients alike.
 *
 * @param properties how to reach a file system that is not HDFS. Default: none
 */
export function coreSite(fileSystem: string, properties: HadoopProperties = {}): string {
  return hadoopConfiguration({ "fs.defaultFS": fileSystem, ...properties });
}

/** The text of a client's hdfs-site.xml. */
export function clientSite(replication: number): string {
  return hadoopConfiguration({ "dfs.replication": replication });
}

/** The text of the NameNode's hdfs-site.xml. */
export function nameNodeSite(configuration: HdfsConfiguration, data: string): string {
  const { nameNode } = configuration;
  return hadoopConfiguration({
    ...shared(configuration),
    "dfs.namenode.name.dir": folderUri(data, "name"),
    "dfs.namenode.rpc-address": `${nameNode}:${nameNodeRpcPort}`,
    "dfs.namenode.http-address": `${nameNode}:${nameNodeHttpPort}`,
    // A DataNode is known by the address that it calls from; no reverse look-up of names is needed.
    "dfs.namenode.datanode.registration.ip-hostname-check": false,
    "dfs.hosts.exclude": excludedFile(data),
    // DataNodes that leave are looked at every 30 s by default, and few blocks are copied at a time: both spare clusters
    // of thousands, and make a small one wait.
    "dfs.namenode.decommission.interval": "1s",
    "dfs.namenode.replication.work.multiplier.per.iteration": 20,
    "dfs.namenode.replication.max-streams": 10,
    "dfs.namenode.replication.max-streams-hard-limit": 20,
    // A copy that its source could not make, e.g. since the other DataNode was restarting, is tried again after this; the
    // default, five minutes, would hold up whoever leaves for ten.
    "dfs.namenode.reconstruction.pending.timeout-sec": 60,
    // Once enough blocks are there, waiting longer brings nothing.
    "dfs.namenode.safemode.extension": 0,
  });
}

/** The file, in the NameNode's folder for data, of the DataNodes that may hold no blocks, an address a line. */
export function excludedFile(data: string): string {
  return join(data, "excluded-data-nodes");
}

/** The text of a DataNode's hdfs-site.xml. */
export function dataNodeSite(configuration: HdfsConfiguration, address: string, data: string): string {
  return hadoopConfiguration({
    ...shared(configuration),
    "dfs.namenode.rpc-address": `${configuration.nameNode}:${nameNodeRpcPort}`,
    "dfs.datanode.data.dir": folderUri(data, "blocks"),
    "dfs.datanode.hostname": address,
    "dfs.datanode.address": `${address}:${dataNodePort}`,
    "dfs.datanode.http.address": `${address}:${dataNodeHttpPort}`,
    "dfs.datanode.ipc.address": `${address}:${dataNodeIpcPort}`,
    // A file that was written to its end is on the disk: without it, a power cut may take what was archived, and Kafka
    // has already been told to let it go.
    "dfs.datanode.synconclose": true,
  });
}

/** Folders are given as URIs, in which a space or a percent sign needs an escape. */
function folderUri(...path: readonly string[]): string {
  return pathToFileURL(join(...path)).href;
}

function shared({ replication }: HdfsConfiguration): HadoopProperties {
  return { "dfs.replication": replication, ...crossSiteWebHdfs };
}

/**
 * The command that formats the NameNode's folder unless it holds a file system already, for a shell to run before every
 * start; it also makes the file of excluded DataNodes, without which no NameNode starts. `fsimage_*` is the last file that a format writes, and one is always there afterwards: without it there is
 * nothing but what a format left behind that was stopped half-way.
 */
export function formatCommand(format: readonly string[], data: string): string[] {
  const script =
    ': >>"$1/excluded-data-nodes"; for image in "$1"/name/current/fsimage_*; do [ -e "$image" ] && exit 0; done; shift; exec "$@"';
  return ["/bin/sh", "-c", script, "format", data, ...format];
}
