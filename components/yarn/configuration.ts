import { crossSiteProperties, type HadoopProperties, hadoopConfiguration } from "../hadoop/index.ts";
import { credentialVariables } from "../s3/configuration.ts";

/** Where clients submit applications to the ResourceManager. */
export const resourceManagerPort = 8032;
/** The ResourceManager's REST interface. */
export const resourceManagerHttpPort = 8088;
/** Where application masters, NodeManagers and administrators call the ResourceManager. */
export const schedulerPort = 8030;
export const resourceTrackerPort = 8031;
export const resourceManagerAdminPort = 8033;
/** Where a NodeManager is told to start containers; also part of its name. */
export const nodeManagerPort = 8041;
export const nodeManagerLocalizerPort = 8040;
/** A NodeManager's REST interface. */
export const nodeManagerHttpPort = 8042;
/** Where reducers fetch the mappers' output. */
export const shufflePort = 13562;
/** Where clients ask for finished jobs. */
export const historyPort = 10020;
/** The history server's REST interface. */
export const historyHttpPort = 19888;
export const historyAdminPort = 10033;

/** What the configuration of every server and client of YARN depends on. */
export interface YarnConfiguration {
  /** Address. */
  readonly resourceManager: string;
  /** Address. */
  readonly historyServer: string;
  /** `folder/*` of Hadoop's jars, as containers find them, in the order in which they count. */
  readonly classPath: readonly string[];
}

/** What a NodeManager may give to containers. */
export interface NodeManagerCapacity {
  /** MiB. */
  readonly containerMemory: number;
  readonly virtualCores: number;
}

/** The text of the ResourceManager's yarn-site.xml. */
export function resourceManagerSite(configuration: YarnConfiguration): string {
  return hadoopConfiguration({
    ...sharedYarn(configuration),
    ...crossSiteProperties("yarn.resourcemanager.webapp"),
    "yarn.resourcemanager.scheduler.class":
      "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fifo.FifoScheduler",
    "yarn.scheduler.minimum-allocation-mb": 128,
    // 50 threads each by default.
    "yarn.resourcemanager.client.thread-count": 8,
    "yarn.resourcemanager.scheduler.client.thread-count": 8,
    "yarn.resourcemanager.resource-tracker.client.thread-count": 8,
    // Containers are handed out at heartbeats, so their interval is most of what a small job waits for.
    "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 200,
    // A lost machine's containers start elsewhere after this; a dead one that comes back is known at once.
    "yarn.nm.liveness-monitor.expiry-interval-ms": 120_000,
  });
}

/** The text of a NodeManager's yarn-site.xml. */
export function nodeManagerSite(
  configuration: YarnConfiguration,
  { containerMemory, virtualCores }: NodeManagerCapacity,
  placement: { readonly address: string; readonly data: string; readonly logs: string },
): string {
  const { address, data, logs } = placement;
  return hadoopConfiguration({
    ...sharedYarn(configuration),
    ...crossSiteProperties("yarn.nodemanager.webapp"),
    "yarn.nodemanager.hostname": address,
    "yarn.nodemanager.address": `${address}:${nodeManagerPort}`,
    "yarn.nodemanager.localizer.address": `${address}:${nodeManagerLocalizerPort}`,
    "yarn.nodemanager.webapp.address": `${address}:${nodeManagerHttpPort}`,
    "yarn.nodemanager.local-dirs": `${data}/local`,
    "yarn.nodemanager.log-dirs": `${logs}/containers`,
    "yarn.nodemanager.resource.memory-mb": containerMemory,
    "yarn.nodemanager.resource.cpu-vcores": virtualCores,
    "yarn.nodemanager.aux-services": "mapreduce_shuffle",
    "yarn.nodemanager.aux-services.mapreduce_shuffle.class": "org.apache.hadoop.mapred.ShuffleHandler",
    "mapreduce.shuffle.port": shufflePort,
    // A container's memory is bounded by its heap and by what its Node program keeps, not by killing it.
    "yarn.nodemanager.container-monitor.enabled": false,
    // Above this share of a disk a NodeManager takes no containers; on a developer's disk 90 % says little.
    "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": 99,
    // What a container inherits from the NodeManager: also the mark of whose processes they are, and how to reach S3.
    "yarn.nodemanager.env-whitelist": [
      ...["JAVA_HOME", "PATH", "LANG", "TZ", "LAMBDA_ARCHITECTURE_INSTANCE"],
      ...credentialVariables,
    ].join(","),
    "yarn.nodemanager.process-kill-wait.ms": 500,
    "yarn.resourcemanager.connect.retry-interval.ms": 500,
  });
}

/** The history server's configuration files, those of HDFS apart. */
export function historyServerFiles(configuration: YarnConfiguration): Record<string, string> {
  const { historyServer } = configuration;
  return {
    "yarn-site.xml": hadoopConfiguration(sharedYarn(configuration)),
    "mapred-site.xml": hadoopConfiguration({
      ...sharedMapReduce(configuration),
      ...crossSiteProperties("mapreduce.jobhistory.webapp"),
      "mapreduce.jobhistory.webapp.address": `${historyServer}:${historyHttpPort}`,
      "mapreduce.jobhistory.admin.address": `${historyServer}:${historyAdminPort}`,
      "mapreduce.jobhistory.client.thread-count": 4,
    }),
  };
}

/** What a client's containers are made of. */
export interface MapReduceContainers {
  /** The memory of the application master's container, in MiB; at least that of a task's, or small jobs do not run in it. */
  readonly masterMemory: number;
  /** The memory of a task's container, in MiB. */
  readonly taskMemory: number;
  /** The largest heap of the Java process in either, in MiB; the rest is for Node. */
  readonly heap: number;
  /** A flag for every Java process in a container. `$NM_HOST` in it becomes the NodeManager's address. */
  readonly flag: string;
}

/** The configuration files of a client that submits MapReduce jobs, those of HDFS apart. */
export function hadoopClientConfiguration(
  configuration: YarnConfiguration,
  { masterMemory, taskMemory, heap, flag }: MapReduceContainers,
): Record<string, string> {
  const options = [
    `-Xmx${heap}m`,
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.net.preferIPv4Stack=true",
    flag,
  ].join(" ");
  return {
    "yarn-site.xml": hadoopConfiguration(sharedYarn(configuration)),
    "mapred-site.xml": hadoopConfiguration({
      ...sharedMapReduce(configuration),
      "mapreduce.framework.name": "yarn",
      // The files that a job is submitted with are read by few; the default of 10 copies is for large clusters.
      "mapreduce.client.submit.file.replication": 1,
      "mapreduce.shuffle.port": shufflePort,
      "yarn.app.mapreduce.am.resource.mb": masterMemory,
      "yarn.app.mapreduce.am.command-opts": options,
      "mapreduce.map.memory.mb": taskMemory,
      "mapreduce.map.java.opts": options,
      "mapreduce.reduce.memory.mb": taskMemory,
      "mapreduce.reduce.java.opts": options,
      // Sorting what mappers have combined already takes little.
      "mapreduce.task.io.sort.mb": Math.min(100, Math.floor(heap / 4)),
      // A job of few tasks runs in its master, without containers of its own.
      "mapreduce.job.ubertask.enable": true,
      // How often a master asks for containers, hence most of what a task waits for.
      "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": 200,
    }),
  };
}

function sharedYarn({ resourceManager, classPath }: YarnConfiguration): HadoopProperties {
  return {
    "yarn.resourcemanager.hostname": resourceManager,
    "yarn.resourcemanager.address": `${resourceManager}:${resourceManagerPort}`,
    "yarn.resourcemanager.scheduler.address": `${resourceManager}:${schedulerPort}`,
    "yarn.resourcemanager.resource-tracker.address": `${resourceManager}:${resourceTrackerPort}`,
    "yarn.resourcemanager.admin.address": `${resourceManager}:${resourceManagerAdminPort}`,
    "yarn.resourcemanager.webapp.address": `${resourceManager}:${resourceManagerHttpPort}`,
    "yarn.application.classpath": classPath.join(","),
  };
}

function sharedMapReduce({ historyServer, classPath }: YarnConfiguration): HadoopProperties {
  return {
    "mapreduce.jobhistory.address": `${historyServer}:${historyPort}`,
    "mapreduce.application.classpath": classPath.join(","),
  };
}
