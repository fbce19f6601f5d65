import { join } from "node:path";

/** The roles of Druid's servers. */
export const druidRoles = ["coordinator", "broker", "historical", "indexer"] as const;
export type DruidRole = (typeof druidRoles)[number];

/** The port of a role's HTTP, Druid's own defaults. */
export const druidPorts: Readonly<Record<DruidRole, number>> = {
  coordinator: 8081,
  broker: 8082,
  historical: 8083,
  indexer: 8091,
};

/** The port of the metadata's Derby server, which the coordinator runs. */
export const derbyPort = 1527;

/** Direct memory by role, in MiB: the processing and merge buffers below, and Netty's. */
export const druidDirectMemory: Readonly<Record<DruidRole, number>> = {
  coordinator: 32,
  broker: 40,
  historical: 40,
  indexer: 64,
};

/** What a server's configuration is made of. */
export interface DruidConfiguration {
  readonly role: DruidRole;
  /** The server's own address. */
  readonly address: string;
  /** The folder of the server's data. */
  readonly data: string;
  /** The largest heap, in MiB. */
  readonly heap: number;
  /** `host:port` of the ZooKeeper servers, joined by commas. */
  readonly zooKeeper: string;
  /** Where the metadata is: the coordinator's address and data folder. */
  readonly metadata: { readonly address: string; readonly data: string };
  /** Where the segments' first copies are, one and the same for every server of the cluster. */
  readonly deepStorage: DeepStorage;
}

/** A folder that every server has under the same path, or a folder of one of Hadoop's file systems (HDFS, S3), as a URI. */
export type DeepStorage =
  | { readonly kind: "folder"; readonly folder: string }
  | { readonly kind: "hdfs"; readonly uri: string };

/** The text of a server's `runtime.properties`. */
export function runtimeProperties(configuration: DruidConfiguration): string {
  const properties = { ...commonProperties(configuration), ...roleProperties(configuration) };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

type Properties = Readonly<Record<string, string | number | boolean>>;

function commonProperties({ role, address, zooKeeper, metadata, deepStorage }: DruidConfiguration): Properties {
  return {
    "druid.service": `druid/${role}`,
    "druid.host": address,
    "druid.bindOnHost": true,
    "druid.plaintextPort": druidPorts[role],
    "druid.zk.service.host": zooKeeper,
    "druid.extensions.loadList": "[]",
    "druid.metadata.storage.type": "derby",
    "druid.metadata.storage.connector.connectURI": `jdbc:derby://${metadata.address}:${derbyPort}/${join(metadata.data, "metadata")};create=true`,
    "druid.metadata.storage.connector.host": metadata.address,
    "druid.metadata.storage.connector.port": derbyPort,
    ...deepStorageProperties(deepStorage),
    // Without it a server answers SIGTERM after half a minute.
    "druid.server.http.gracefulShutdownTimeout": "PT1S",
    "druid.server.http.numThreads": 20,
    "druid.processing.buffer.sizeBytes": "5MiB",
    "druid.processing.numThreads": 1,
    "druid.processing.numMergeBuffers": 2,
    // The totals of many keys (some 100,000 and more) do not fit into those buffers: without it they are an error.
    "druid.query.groupBy.maxOnDiskStorage": 1024 ** 3,
    // There are no lookups: asking for them only delays the start.
    "druid.lookup.enableLookupSyncOnStartup": false,
    "druid.startup.logging.logProperties": false,
  };
}

function deepStorageProperties(storage: DeepStorage): Properties {
  if (storage.kind === "hdfs")
    return {
      "druid.storage.type": "hdfs",
      "druid.storage.storageDirectory": `${storage.uri}/segments`,
      "druid.indexer.logs.type": "hdfs",
      "druid.indexer.logs.directory": `${storage.uri}/task-logs`,
    };
  return {
    "druid.storage.type": "local",
    "druid.storage.storageDirectory": join(storage.folder, "segments"),
    "druid.indexer.logs.type": "file",
    "druid.indexer.logs.directory": join(storage.folder, "task-logs"),
  };
}

function roleProperties(configuration: DruidConfiguration): Properties {
  switch (configuration.role) {
    case "coordinator":
      return coordinatorProperties;
    case "broker":
      return brokerProperties;
    case "historical":
      return historicalProperties(configuration);
    case "indexer":
      return indexerProperties(configuration);
  }
}

/** Short periods: a new version is queryable seconds after its load, not a minute after. */
const coordinatorProperties: Properties = {
  "druid.coordinator.asOverlord.enabled": true,
  "druid.coordinator.asOverlord.overlordService": "druid/overlord",
  "druid.coordinator.startDelay": "PT2S",
  "druid.coordinator.period": "PT3S",
  "druid.manager.segments.pollDuration": "PT2S",
  "druid.indexer.queue.startDelay": "PT1S",
  "druid.indexer.runner.type": "httpRemote",
  "druid.indexer.storage.type": "metadata",
};

const brokerProperties: Properties = {
  "druid.sql.planner.metadataRefreshPeriod": "PT2S",
  // The server's own threads must outnumber these, or connections to the data servers wait on each other.
  "druid.broker.http.numConnections": 10,
};

function historicalProperties({ data }: DruidConfiguration): Properties {
  return {
    // Segments are mapped files; the size only bounds what the coordinator assigns.
    "druid.segmentCache.locations": JSON.stringify([{ path: join(data, "segment-cache"), maxSize: "100g" }]),
  };
}

function indexerProperties({ data, heap }: DruidConfiguration): Properties {
  return {
    "druid.worker.capacity": 3,
    "druid.worker.globalIngestionHeapLimitBytes": Math.floor((heap * 2 ** 20) / 4),
    "druid.worker.baseTaskDirs": JSON.stringify([join(data, "tasks")]),
    "druid.indexer.task.gracefulShutdownTimeout": "PT1S",
    "druid.indexer.task.restoreTasksOnRestart": false,
  };
}

/** The text of `log4j2.xml`: warnings of everything, and Druid's own milestones, to the standard output. */
export const log4j2 = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="Console" target="SYSTEM_OUT">
      <PatternLayout pattern="%d{ISO8601} %p [%t] %c{1} - %m%n"/>
    </Console>
  </Appenders>
  <Loggers>
    <Root level="WARN">
      <AppenderRef ref="Console"/>
    </Root>
    <Logger name="org.apache.druid" level="INFO"/>
    <!-- Runs every few seconds and has nothing to say. -->
    <Logger name="org.apache.druid.server.coordinator" level="WARN"/>
    <Logger name="org.apache.druid.metadata.SqlSegmentsMetadataManager" level="WARN"/>
  </Loggers>
</Configuration>
`;

/** The JVM flags of a Druid server beyond its heap. */
export function druidFlags(role: DruidRole): string[] {
  return [
    `-XX:MaxDirectMemorySize=${druidDirectMemory[role]}m`,
    "-XX:+ExitOnOutOfMemoryError",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
  ];
}
