import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  cassandraYaml,
  jvmOptions,
  leftMarker,
  managementProperties,
  passwordFile,
  prepareCommand,
  rackProperties,
  waiting,
} from "../../../components/cassandra/configuration.ts";

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
commitlog_sync: batch
commitlog_segment_size: 16MiB
commitlog_total_space: 128MiB
batch_size_warn_threshold: 50KiB
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

test("management is on the node's own address, and takes who knows the password", () => {
  expect(managementProperties("/data", "127.9.0.1", "/configuration")).toEqual({
    "cassandra.jmx.remote.port": "7199",
    "com.sun.management.jmxremote.rmi.port": "7199",
    "java.rmi.server.hostname": "127.9.0.1",
    "com.sun.management.jmxremote.ssl": "false",
    "com.sun.management.jmxremote.authenticate": "true",
    "com.sun.management.jmxremote.password.file": "/data/management/127.9.0.1.password",
    "com.sun.management.jmxremote.access.file": "/configuration/jmxremote.access",
  });
});

describe("the preparation", () => {
  const address = "127.9.0.2";
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), "cassandra "));
  });
  afterEach(() => rmSync(data, { recursive: true }));

  const prepare = () => {
    const [program, ...rest] = prepareCommand(data, address);
    const { status, stderr } = spawnSync(program as string, rest, { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return readFileSync(passwordFile(data, address), "utf8");
  };
  const write = (file: string, content: string) => {
    mkdirSync(dirname(join(data, file)), { recursive: true });
    writeFileSync(join(data, file), content);
  };
  const read = (file: string) => readFileSync(join(data, file), "utf8");

  test("makes a password that nobody else can read, once", () => {
    const password = prepare();
    expect(password).toMatch(/^operator [0-9a-f]{48}\n$/);
    expect(statSync(passwordFile(data, address)).mode & 0o777).toBe(0o600);
    expect(prepare()).toBe(password);
    rmSync(passwordFile(data, address));
    expect(prepare()).not.toBe(password);
  });

  test("leaves the data of a node that is in the ring", () => {
    write("data/views/1", "precious");
    prepare();
    expect(read("data/views/1")).toBe("precious");
    expect(readdirSync(data).sort()).toEqual(["data", "management"]);
  });

  test("sets the data of a node that has left aside, instead of what was aside before, and keeps its password", () => {
    const password = prepare();
    write("data/views/1", "new");
    write("commitlog/1", "new");
    write("before-it-left/data/views/0", "old");
    write(leftMarker, "");
    expect(prepare()).toBe(password);
    expect(readdirSync(data).sort()).toEqual(["before-it-left", "management"]);
    expect(read("before-it-left/data/views/1")).toBe("new");
    expect(read("before-it-left/commitlog/1")).toBe("new");
    expect(existsSync(join(data, "before-it-left/data/views/0"))).toBe(false);
  });

  test("goes on where it was interrupted", () => {
    write("before-it-left/data/views/1", "set aside already");
    write("commitlog/1", "not yet");
    write(leftMarker, "");
    prepare();
    expect(read("before-it-left/data/views/1")).toBe("set aside already");
    expect(read("before-it-left/commitlog/1")).toBe("not yet");
  });
});
