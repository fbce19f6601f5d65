/** Where clients connect. Every server has an address of its own, so all of them use ZooKeeper's standard ports. */
export const clientPort = 2181;
/** Where followers connect to the leader. */
export const quorumPort = 2888;
/** Where servers elect the leader. */
export const electionPort = 3888;

/** What a server's zoo.cfg is made of. */
export interface ServerConfiguration {
  /** The addresses of all servers; a server's number in `myid` is its place in this list, from 1. */
  readonly servers: readonly string[];
  /** This server's place in `servers`, from 0. */
  readonly index: number;
  /** The folder for snapshots and transaction logs. */
  readonly data: string;
}

/** The text of a server's zoo.cfg. */
export function zooConfiguration({ servers, index, data }: ServerConfiguration): string {
  const lines = [
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    `dataDir=${data}`,
    `clientPort=${clientPort}`,
    `clientPortAddress=${servers[index]}`,
    // The Jetty admin server costs memory and a port; the four-letter words tell as much.
    "admin.enableServer=false",
    "4lw.commands.whitelist=ruok,srvr,mntr",
    "autopurge.snapRetainCount=3",
    "autopurge.purgeInterval=1",
  ];
  // A list of one server makes ZooKeeper complain and go on alone, so it gets none.
  const quorum =
    servers.length === 1
      ? []
      : servers.map((address, place) => `server.${place + 1}=${address}:${quorumPort}:${electionPort}`);
  return `${[...lines, ...quorum].join("\n")}\n`;
}

/** The text of a server's `myid`. */
export function myid(index: number): string {
  return `${index + 1}\n`;
}
