import { stringify } from "yaml";
import type { FluxTopology } from "./flux.ts";

/** Where clients reach Nimbus. Every server has an address of its own, so all of them use Storm's standard ports. */
export const nimbusPort = 6627;
/** Where Nimbus reaches a supervisor. */
export const supervisorPort = 6628;
/** The port of a supervisor's first worker slot; the others follow. */
export const firstSlotPort = 6700;

/** No line is folded: where would depend on how long this machine's paths are, and the text would be another one. */
const yamlOptions = { lineWidth: 0 } as const;

/** What a server's storm.yaml is made of. */
export interface ServerConfiguration {
  /** The address that the server goes by. */
  readonly address: string;
  /** The addresses of all Nimbus servers. */
  readonly nimbusSeeds: readonly string[];
  /** `host:port` of the ZooKeeper servers, joined by commas; one port for all. */
  readonly zooKeeper: string;
  /** Storm's folder in ZooKeeper, e.g. `/storm`. */
  readonly zooKeeperRoot: string;
  /** Worker slots of a supervisor. */
  readonly slots: number;
  /** The JVM flags of a worker. */
  readonly workerFlags: readonly string[];
  /** The folders of the server, see `Placement`. */
  readonly configuration: string;
  readonly data: string;
  readonly logs: string;
}

/** The text of a server's storm.yaml. */
export function stormConfiguration(server: ServerConfiguration): string {
  const zooKeeper = zooKeeperServers(server.zooKeeper);
  return stringify(
    {
      "storm.local.hostname": server.address,
      "storm.local.dir": server.data,
      "storm.log.dir": server.logs,
      "storm.log4j2.conf.dir": server.configuration,
      "storm.workers.artifacts.dir": `${server.logs}/workers`,
      "storm.zookeeper.servers": zooKeeper.hosts,
      "storm.zookeeper.port": zooKeeper.port,
      "storm.zookeeper.root": server.zooKeeperRoot,
      // A killed Nimbus leads again only when ZooKeeper has given up its old session.
      "storm.zookeeper.session.timeout": 10_000,
      "storm.zookeeper.connection.timeout": 10_000,
      "storm.blobstore.replication.factor": server.nimbusSeeds.length,
      // The default is an embedded RocksDB, whose library alone is larger than all the rest.
      "storm.metricstore.class": "org.apache.storm.metricstore.NoOpMetricStore",
      "nimbus.seeds": server.nimbusSeeds,
      "nimbus.thrift.port": nimbusPort,
      // The defaults notice what is new, and what died, after 10 and 3 seconds.
      "nimbus.monitor.freq.secs": 2,
      "supervisor.monitor.frequency.secs": 1,
      "supervisor.thrift.port": supervisorPort,
      "supervisor.slots.ports": Array.from({ length: server.slots }, (_, slot) => firstSlotPort + slot),
      "supervisor.worker.shutdown.sleep.secs": 1,
      // Replaced whole: the default's flags are those of Java 8, with which Java 17 does not start.
      "worker.childopts": server.workerFlags.join(" "),
      // The process between supervisor and worker that copies the worker's output into its log.
      "topology.worker.logwriter.childopts":
        "-Xmx16m -Xss256k -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData",
      // What the scheduler reckons for a component; shell components live in processes of their own.
      "topology.component.resources.onheap.memory.mb": 32,
    },
    yamlOptions,
  );
}

/** The text of the storm.yaml of a client: whatever submits topologies. */
export function clientConfiguration(nimbusSeeds: readonly string[]): string {
  return stringify({ "nimbus.seeds": nimbusSeeds, "nimbus.thrift.port": nimbusPort }, yamlOptions);
}

/** The text of a topology for Flux. */
export function topologyDefinition(name: string, topology: FluxTopology): string {
  return stringify({ name, ...topology }, yamlOptions);
}

/**
 * Splits ZooKeeper's connect string into what Storm wants: hosts, and one port for all.
 *
 * @throws {TypeError} if the servers have different ports
 */
export function zooKeeperServers(connectString: string): { hosts: string[]; port: number } {
  const servers = connectString.split(",").map((server) => {
    const colon = server.lastIndexOf(":");
    return { host: server.slice(0, colon), port: Number(server.slice(colon + 1)) };
  });
  const [first] = servers;
  if (first === undefined || servers.some(({ host, port }) => host === "" || port !== first.port))
    throw new TypeError(
      `zooKeeper must be host:port of each server, joined by commas, with one port for all; it is ${JSON.stringify(connectString)}`,
    );
  return { hosts: servers.map(({ host }) => host), port: first.port };
}

/** How Nimbus and the supervisors log: to standard output, which the target keeps and bounds. */
export const serverLogging = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="warn">
  <Appenders>
    <Console name="console">
      <PatternLayout pattern="%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1} %m%n"/>
    </Console>
  </Appenders>
  <Loggers>
    <Logger name="org.apache.storm.shade" level="warn"/>
    <Root level="info"><AppenderRef ref="console"/></Root>
  </Loggers>
</Configuration>
`;

/**
 * How workers log: a file each, as Storm lays them out, of at most four times 10 MB. \`STDOUT\` and \`STDERR\` are the
 * log writer's names for what the worker prints.
 */
export const workerLogging = `<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="warn">
  <Appenders>
    <RollingFile name="file"
        fileName="\${sys:workers.artifacts}/\${sys:storm.id}/\${sys:worker.port}/\${sys:logfile.name}"
        filePattern="\${sys:workers.artifacts}/\${sys:storm.id}/\${sys:worker.port}/\${sys:logfile.name}.%i.gz">
      <PatternLayout pattern="%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1} %m%n"/>
      <Policies><SizeBasedTriggeringPolicy size="10 MB"/></Policies>
      <DefaultRolloverStrategy max="4"/>
    </RollingFile>
    <RollingFile name="output"
        fileName="\${sys:workers.artifacts}/\${sys:storm.id}/\${sys:worker.port}/\${sys:logfile.name}.output"
        filePattern="\${sys:workers.artifacts}/\${sys:storm.id}/\${sys:worker.port}/\${sys:logfile.name}.output.%i.gz">
      <PatternLayout pattern="%m%n"/>
      <Policies><SizeBasedTriggeringPolicy size="10 MB"/></Policies>
      <DefaultRolloverStrategy max="4"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Logger name="org.apache.storm.shade" level="warn"/>
    <Logger name="STDOUT" level="info" additivity="false"><AppenderRef ref="output"/></Logger>
    <Logger name="STDERR" level="info" additivity="false"><AppenderRef ref="output"/></Logger>
    <Root level="info"><AppenderRef ref="file"/></Root>
  </Loggers>
</Configuration>
`;
