import { expect, test } from "vitest";
import { parse } from "yaml";
import { cassandraYaml, jvmOptions, rackProperties, waiting } from "../../../components/cassandra/configuration.ts";

const nodes = [1, 2, 3, 4, 5].map((host) => `127.9.0.${host}`);
const yamlOf = (index: number) => parse(cassandraYaml({ cluster: "cassandra", nodes, index, data: "/data" }));

test("a node listens on its own address only and keeps everything in its data folder", () => {
  expect(
    cassandraYaml({ cluster: "cassandra", nodes: ["127.9.0.1"], index: 0, data: "/data" }),
  ).toBe(`cluster_name: cassandra
num_tokens: 16
allocate_tokens_for_local_replication_factor: 3
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: GossipingPropertyFileSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: 127.9.0.1:7000
listen_address: 127.9.0.1
storage_port: 7000
start_native_transport: true
rpc_address: 127.9.0.1
native_transport_port: 9042
data_file_directories:
  - /data/data
commitlog_directory: /data/commitlog
saved_caches_directory: /data/saved_caches
hints_directory: /data/hints
cdc_raw_directory: /data/cdc_raw
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_segment_size: 16MiB
commitlog_total_space: 128MiB
read_request_timeout: 10000ms
range_request_timeout: 10000ms
write_request_timeout: 10000ms
cas_contention_timeout: 5000ms
`);
});

test("only the first node is its own seed: the others take over data when they join", () => {
  expect(nodes.map((_, index) => yamlOf(index).seed_provider[0].parameters[0].seeds)).toEqual([
    "127.9.0.1:7000",
    "127.9.0.1:7000",
    "127.9.0.1:7000,127.9.0.2:7000",
    "127.9.0.1:7000,127.9.0.2:7000,127.9.0.3:7000",
    "127.9.0.1:7000,127.9.0.2:7000,127.9.0.3:7000",
  ]);
});

test("a node's file does not change when the cluster grows", () => {
  const grown = cassandraYaml({ cluster: "cassandra", nodes, index: 1, data: "/data" });
  expect(cassandraYaml({ cluster: "cassandra", nodes: nodes.slice(0, 2), index: 1, data: "/data" })).toBe(grown);
});

test("the data center is the clients' local one", () => {
  expect(rackProperties("north")).toBe("dc=north\nrack=rack1\n");
});

test("only a node that is alone waits for nobody", () => {
  expect(waiting(1)).toEqual({ "cassandra.ring_delay_ms": 1000, "cassandra.skip_wait_for_gossip_to_settle": 0 });
  expect(waiting(3)).toEqual({ "cassandra.ring_delay_ms": 5000 });
});

test("Java's options are one a line", () => {
  expect(jvmOptions).toMatch(/^(--add-(exports|opens)=[a-z.]+\/[a-z.]+=ALL-UNNAMED\n)+$/);
});
