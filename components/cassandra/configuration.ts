import { stringify } from "yaml";

/** Where clients connect (CQL). Every node has an address of its own, so all of them use Cassandra's standard ports. */
export const clientPort = 9042;
/** Where the other nodes connect. */
export const storagePort = 7000;

/** Where a node is managed (JMX), by who knows its password, see {@link prepareCommand}. */
export const managementPort = 7199;
/** The name under which a node is managed. */
export const operator = "operator";

/** What a node's cassandra.yaml is made of. */
export interface NodeConfiguration {
  /** The cluster's name: nodes of another one are refused. */
  readonly cluster: string;
  /** The addresses of all nodes, in the order in which they join. */
  readonly nodes: readonly string[];
  /** This node's place in `nodes`, from 0. */
  readonly index: number;
  /** The folder for all data. */
  readonly data: string;
}

/** The text of a node's cassandra.yaml. */
export function cassandraYaml({ cluster, nodes, index, data }: NodeConfiguration): string {
  const address = nodes[index];
  return stringify({
    cluster_name: cluster,
    // Nodes join one after the other, so Cassandra can give each the tokens that leave the ring even.
    num_tokens: 16,
    allocate_tokens_for_local_replication_factor: 3,
    partitioner: "org.apache.cassandra.dht.Murmur3Partitioner",
    endpoint_snitch: "GossipingPropertyFileSnitch",
    seed_provider: [
      {
        class_name: "org.apache.cassandra.locator.SimpleSeedProvider",
        parameters: [{ seeds: seeds(nodes, index).join(",") }],
      },
    ],
    listen_address: address,
    storage_port: storagePort,
    start_native_transport: true,
    rpc_address: address,
    native_transport_port: clientPort,
    data_file_directories: [`${data}/data`],
    commitlog_directory: `${data}/commitlog`,
    saved_caches_directory: `${data}/saved_caches`,
    hints_directory: `${data}/hints`,
    cdc_raw_directory: `${data}/cdc_raw`,
    // An acknowledged write is on disk. Periodically synchronised, a killed node forgets the last tenth of a second,
    // since it replays no further than to the last mark in its log (CASSANDRA-13987): the speed layer, which never writes
    // again what was acknowledged, would answer without it for ever.
    commitlog_sync: "batch",
    commitlog_segment_size: "16MiB",
    commitlog_total_space: "128MiB",
    // The speed layer's batches of several partitions, which replace as many requests, stay below what is refused.
    batch_size_warn_threshold: "50KiB",
    // A machine under load answers late; that is better than an error.
    read_request_timeout: "10000ms",
    range_request_timeout: "10000ms",
    write_request_timeout: "10000ms",
    cas_contention_timeout: "5000ms",
  });
}

/**
 * The seeds of a node: up to three of those that joined before it. A node that is no seed of its own takes over its
 * share of the data when it joins; only the first has nothing to take over.
 */
function seeds(nodes: readonly string[], index: number): string[] {
  return nodes.slice(0, Math.min(Math.max(index, 1), 3)).map((address) => `${address}:${storagePort}`);
}

/** The folders in a node's data folder that are Cassandra's own. */
const dataParts = ["data", "commitlog", "saved_caches", "hints", "cdc_raw"] as const;

/** The file in a node's data folder that tells that the node has left its ring. */
export const leftMarker = "left-the-ring";

/**
 * The file with the password with which the node at the address is managed, in a format that both Cassandra and nodetool
 * read.
 *
 * @param data the node's data folder
 */
export function passwordFile(data: string, address: string): string {
  return `${data}/management/${address}.password`;
}

/** The text of the file of what its users may do in JMX: everything but to load code. */
export const managementAccess = `${operator} readwrite\n`;

/**
 * The command that makes a node's password when there is none, before each start. Of a node that has left its ring it
 * sets the data aside, since Cassandra refuses to start with it and the others have it all; the data that was set aside
 * when it left before is deleted.
 */
export function prepareCommand(data: string, address: string): string[] {
  const script = `set -e
umask 077
if [ -e "$1/${leftMarker}" ]; then
  aside="$1/before-it-left"
  mkdir -p "$aside"
  for part in ${dataParts.join(" ")}; do
    if [ -e "$1/$part" ]; then
      rm -rf "$aside/$part"
      mv "$1/$part" "$aside/$part"
    fi
  done
  rm "$1/${leftMarker}"
fi
if [ ! -s "$2" ]; then
  mkdir -p "\${2%/*}"
  echo "${operator} $(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" >"$2.new"
  mv "$2.new" "$2"
fi`;
  return ["/bin/sh", "-c", script, "prepare", data, passwordFile(data, address)];
}

/**
 * The system properties with which a node takes management on its own address from who knows the password. Java's own
 * agent (`com.sun.management.jmxremote.port`) would open one more port, on all addresses.
 */
export function managementProperties(data: string, address: string, configuration: string): Record<string, string> {
  return {
    "cassandra.jmx.remote.port": String(managementPort),
    "com.sun.management.jmxremote.rmi.port": String(managementPort),
    "java.rmi.server.hostname": address,
    "com.sun.management.jmxremote.ssl": "false",
    "com.sun.management.jmxremote.authenticate": "true",
    "com.sun.management.jmxremote.password.file": passwordFile(data, address),
    "com.sun.management.jmxremote.access.file": `${configuration}/jmxremote.access`,
  };
}

/** The text of a node's cassandra-rackdc.properties. */
export function rackProperties(dataCenter: string): string {
  return `dc=${dataCenter}\nrack=rack1\n`;
}

/** The text of a node's logback.xml: warnings and the node's own steps to standard output. */
export const logbackXml = `<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date{ISO8601} %-5level [%thread] %msg \\(%logger{0}\\)%n</pattern></encoder>
  </appender>
  <logger name="org.apache.cassandra.service.StorageService" level="INFO"/>
  <root level="WARN"><appender-ref ref="STDOUT"/></root>
</configuration>
`;

/** The text of the file of Java's options: what Cassandra's own jvm17-server.options opens to it, and to nodetool. */
export const jvmOptions = [
  ...[
    "java.base/java.lang.ref",
    "java.base/jdk.internal.misc",
    // For the password of JMX; Cassandra's own list has it not.
    "java.management/com.sun.jmx.remote.security",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.unsupported/sun.misc",
  ].map((name) => `--add-exports=${name}=ALL-UNNAMED\n`),
  ...[
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.util",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "jdk.management/com.sun.management.internal",
  ].map((name) => `--add-opens=${name}=ALL-UNNAMED\n`),
].join("");

/**
 * Cassandra's system properties about waiting. A node that is alone has nobody to wait for; one of several leaves the
 * others time to hear of it, less than the default of 30 s, which is meant for large clusters over long distances.
 */
export function waiting(replicas: number): Record<string, number> {
  return replicas === 1
    ? { "cassandra.ring_delay_ms": 1000, "cassandra.skip_wait_for_gossip_to_settle": 0 }
    : { "cassandra.ring_delay_ms": 5000 };
}
