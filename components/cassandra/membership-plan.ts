import { keyspaceStatement, type Replication, type WantedCopies } from "./schema-plan.ts";

/** What a keyspace's copies are changed by: a statement of CQL, or Cassandra's repair of the keyspace. */
export type Step = { readonly statement: string } | { readonly repair: string };

/**
 * The steps that give a keyspace that exists its number of copies, one copy at a time and with a repair wherever the
 * copies may differ: before one is taken away, and after one was added. So whoever reads and writes at (LOCAL_)QUORUM
 * finds every row all the time: a majority of n + 1 nodes has at least one of a majority of n.
 *
 * @param repairDue whether the copies that there are may differ
 */
export function replicationSteps(
  { name, replicationFactor }: WantedCopies,
  dataCenter: string,
  found: Replication,
  repairDue: boolean,
): Step[] {
  const { class: strategy, ...byDataCenter } = found;
  let copies = Number(byDataCenter[dataCenter] ?? byDataCenter.replication_factor ?? 1);
  const repair = { repair: name };
  const alter = () => ({
    statement: keyspaceStatement("ALTER", { name, replicationFactor: copies }, dataCenter),
  });
  const steps: Step[] = repairDue && copies > 1 ? [repair] : [];
  const inForm = strategy?.endsWith("NetworkTopologyStrategy") === true && Object.keys(byDataCenter).length === 1;
  if (!(inForm && dataCenter in byDataCenter)) steps.push(alter(), repair);
  while (copies < replicationFactor) {
    copies++;
    steps.push(alter(), repair);
  }
  while (copies > replicationFactor) {
    if (steps.at(-1) !== repair) steps.push(repair);
    copies--;
    steps.push(alter());
  }
  return steps;
}

/** What a cluster is, as one of its nodes knows it. */
export interface Cluster {
  /** The addresses of the nodes in the ring, those that are down included. */
  readonly members: readonly string[];
  readonly replications: ReadonlyMap<string, Replication>;
}

/** What a cluster shall be. */
export interface WantedCluster {
  readonly members: readonly string[];
  readonly dataCenter: string;
  readonly keyspaces: readonly WantedCopies[];
}

/** What is not as it shall be, a sentence each. That a keyspace is missing is for the schema to tell. */
export function membershipProblems(wanted: WantedCluster, found: Cluster): string[] {
  return [
    ...missingNodes(wanted.members, found.members).map((address) => `node ${address} is not in the ring`),
    ...missingNodes(found.members, wanted.members).map((address) => `node ${address} is in the ring, but not wanted`),
    ...wanted.keyspaces.flatMap((keyspace) => {
      const replication = found.replications.get(keyspace.name);
      if (replication === undefined) return [];
      const steps = replicationSteps(keyspace, wanted.dataCenter, replication, false);
      return steps.length === 0
        ? []
        : [`keyspace ${keyspace.name} has not ${keyspace.replicationFactor} copies in ${wanted.dataCenter}`];
    }),
  ];
}

/** The nodes of the one list that the other has not. */
export function missingNodes(wanted: readonly string[], found: readonly string[]): string[] {
  return wanted.filter((address) => !found.includes(address));
}

/**
 * The keyspaces that nodes cannot leave for, a sentence each: those that are not among the wanted, and want more copies
 * than there will be nodes. Cassandra's own are content with fewer.
 */
export function keyspacesInTheWay(wanted: WantedCluster, { replications }: Cluster): string[] {
  const nodes = wanted.members.length;
  return [...replications].flatMap(([name, { class: _, ...byDataCenter }]) => {
    const copies = Math.max(0, ...Object.values(byDataCenter).map(Number));
    if (/^system(_|$)/.test(name) || wanted.keyspaces.some((keyspace) => keyspace.name === name) || copies <= nodes)
      return [];
    return [
      `keyspace ${name}, which is not among those of the deployment, has ${copies} copies, and ${nodes} nodes are ` +
        `wanted: give it fewer (ALTER KEYSPACE ${name} WITH replication = …) or drop it`,
    ];
  });
}
