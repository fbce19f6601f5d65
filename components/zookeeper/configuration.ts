/** Where clients connect. Every server has an address of its own, so all of them use ZooKeeper's standard ports. */
export const clientPort = 2181;
/** Where followers connect to the leader. */
export const quorumPort = 2888;
/** Where servers elect the leader. */
export const electionPort = 3888;

/**
 * The text of a server's zoo.cfg, without the ensemble's members: ZooKeeper itself keeps those up to date in a file of
 * its own, see {@link initialMembers}.
 *
 * @param data the folder for snapshots and transaction logs
 */
export function zooConfiguration(data: string): string {
  return [
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    `dataDir=${data}`,
    // One server is an ensemble of one, so that it can become three.
    "standaloneEnabled=false",
    "reconfigEnabled=true",
    // Members are changed through an access list that only a super user passes. Without accounts, who reaches a server
    // may read, change and delete everything in it, so that list alone would protect nothing.
    "skipACL=yes",
    // The Jetty admin server costs memory and a port; the four-letter words tell as much.
    "admin.enableServer=false",
    "4lw.commands.whitelist=ruok,srvr,mntr,conf",
    "autopurge.snapRetainCount=3",
    "autopurge.purgeInterval=1",
    "",
  ].join("\n");
}

/** The text of a server's `myid`. */
export function myid(index: number): string {
  return `${index + 1}\n`;
}

/** A server as a member that votes, in ZooKeeper's own words. */
export function member(address: string, index: number): string {
  return memberLine(address, index, "participant");
}

/**
 * The members that a server knows of at its very first start: the first server, which is an ensemble of its own then, and
 * itself. It only listens (observer) until the membership task makes it a voter: new servers that could vote might elect
 * each other, and lose what the first one has.
 */
export function initialMembers(servers: readonly string[], index: number): string {
  const first = member(servers[0] as string, 0);
  const itself = index === 0 ? [] : [memberLine(servers[index] as string, index, "observer")];
  return [first, ...itself].map((line) => `${line}\n`).join("");
}

function memberLine(address: string, index: number, role: "participant" | "observer"): string {
  return `server.${index + 1}=${address}:${quorumPort}:${electionPort}:${role};${address}:${clientPort}`;
}

/**
 * The command that puts a server's files into its data folder before each start: ZooKeeper writes to both of them. The
 * members that it has noted there stay, unless the server itself is none of them: one that has left the ensemble, or was
 * stopped before it became a member, begins as a new one does. With the version that ZooKeeper has given to the members
 * without it, the others would not take it in again.
 *
 * @param configuration the folder with `zoo.cfg`, `myid` and `members`
 */
export function prepareCommand(configuration: string, data: string): string[] {
  const script = `set -e
cp "$1/myid" "$2/myid"
members=$(sed -n 's/^dynamicConfigFile=//p' "$2/zoo.cfg" 2>/dev/null || true)
if ! grep -qsF "server.$(cat "$1/myid")=" "$members"; then
  rm -f "$2"/zoo.cfg.dynamic*
  members="$2/zoo.cfg.dynamic"
  cp "$1/members" "$members"
fi
{ cat "$1/zoo.cfg"; echo "dynamicConfigFile=$members"; } >"$2/zoo.cfg.new"
mv "$2/zoo.cfg.new" "$2/zoo.cfg"`;
  return ["/bin/sh", "-c", script, "prepare", configuration, data];
}
