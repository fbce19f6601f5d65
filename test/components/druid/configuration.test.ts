import { expect, test } from "vitest";
import { type DruidConfiguration, druidRoles, runtimeProperties } from "../../../components/druid/configuration.ts";

const configuration: DruidConfiguration = {
  role: "coordinator",
  address: "127.9.0.2",
  data: "/data/druid-coordinator",
  heap: 224,
  zooKeeper: "127.9.0.1:2181",
  metadata: { address: "127.9.0.2", data: "/data/druid-coordinator" },
  deepStorage: { kind: "folder", folder: "/data/druid-coordinator/deep-storage" },
};

test("the coordinator is the overlord and serves the metadata on its own address", () => {
  expect(runtimeProperties(configuration)).toMatchInlineSnapshot(`
    "druid.service=druid/coordinator
    druid.host=127.9.0.2
    druid.bindOnHost=true
    druid.plaintextPort=8081
    druid.zk.service.host=127.9.0.1:2181
    druid.extensions.loadList=[]
    druid.metadata.storage.type=derby
    druid.metadata.storage.connector.connectURI=jdbc:derby://127.9.0.2:1527//data/druid-coordinator/metadata;create=true
    druid.metadata.storage.connector.host=127.9.0.2
    druid.metadata.storage.connector.port=1527
    druid.storage.type=local
    druid.storage.storageDirectory=/data/druid-coordinator/deep-storage/segments
    druid.indexer.logs.type=file
    druid.indexer.logs.directory=/data/druid-coordinator/deep-storage/task-logs
    druid.server.http.gracefulShutdownTimeout=PT1S
    druid.server.http.numThreads=20
    druid.processing.buffer.sizeBytes=5MiB
    druid.processing.numThreads=1
    druid.processing.numMergeBuffers=2
    druid.query.groupBy.maxOnDiskStorage=1073741824
    druid.lookup.enableLookupSyncOnStartup=false
    druid.startup.logging.logProperties=false
    druid.coordinator.asOverlord.enabled=true
    druid.coordinator.asOverlord.overlordService=druid/overlord
    druid.coordinator.startDelay=PT2S
    druid.coordinator.period=PT3S
    druid.manager.segments.pollDuration=PT2S
    druid.indexer.queue.startDelay=PT1S
    druid.indexer.runner.type=httpRemote
    druid.indexer.storage.type=metadata
    "
  `);
});

test("an indexer's loads get a quarter of its heap", () => {
  const properties = runtimeProperties({ ...configuration, role: "indexer", heap: 400, data: "/data/indexer" });
  expect(properties).toContain(`druid.worker.globalIngestionHeapLimitBytes=${100 * 1024 * 1024}\n`);
  expect(properties).toContain('druid.worker.baseTaskDirs=["/data/indexer/tasks"]\n');
});

test("a historical keeps its segments in its own data", () => {
  const properties = runtimeProperties({ ...configuration, role: "historical", data: "/data/historical" });
  expect(properties).toContain(
    'druid.segmentCache.locations=[{"path":"/data/historical/segment-cache","maxSize":"100g"}]\n',
  );
});

test.each(druidRoles)("a %s binds to its own address alone and stops soon", (role) => {
  const lines = runtimeProperties({ ...configuration, role, address: "127.9.0.7" }).split("\n");
  expect(lines).toContain("druid.host=127.9.0.7");
  expect(lines).toContain("druid.bindOnHost=true");
  expect(lines).toContain("druid.server.http.gracefulShutdownTimeout=PT1S");
});
