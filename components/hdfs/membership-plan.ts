/** A DataNode as the NameNode lists it. */
export interface ListedDataNode {
  /** Its address, without a port. */
  readonly address: string;
  readonly state: "In Service" | "Decommission In Progress" | "Decommissioned" | string;
}

/** The beans of the NameNode's `/jmx` that are looked at. */
interface NameNodeBeans {
  readonly beans: readonly {
    /** JSON in JSON: DataNodes by `host:port`. */
    readonly LiveNodes?: string;
  }[];
}

/** The DataNodes that are in touch with the NameNode, from its `NameNodeInfo` bean. */
export function liveDataNodes({ beans }: NameNodeBeans): ListedDataNode[] {
  const live = JSON.parse(beans[0]?.LiveNodes ?? "{}") as Record<string, { adminState?: string }>;
  return Object.entries(live).map(([name, { adminState = "In Service" }]) => ({
    address: name.slice(0, name.lastIndexOf(":")),
    state: adminState,
  }));
}

/**
 * Blocks with fewer copies than they shall have, on DataNodes that stay, from the report of the NameNode's check (`fsck`);
 * without those that have no copy at all, and those of files that somebody gave more copies than there are DataNodes.
 *
 * @param dataNodes how many DataNodes there shall be
 * @throws {Error} if it is no such report, or of a check that broke off
 */
export function blocksToCopy(report: string, dataNodes: number): number {
  const [, blocks] = /^\s*Under-replicated blocks:\s+(\d+)/m.exec(report) ?? [];
  if (blocks === undefined) throw new Error(`the NameNode's check of its files says:\n${report.trim()}`);
  const beyond = [...report.matchAll(/Target Replicas is \d+ but found (\d+) live replica/g)].filter(
    ([, copies]) => Number(copies) >= dataNodes,
  );
  return Number(blocks) - beyond.length;
}

/** A file as WebHDFS lists it. */
export interface ListedFile {
  readonly pathSuffix: string;
  readonly type: "FILE" | "DIRECTORY";
  readonly replication: number;
}

/**
 * Whether a file is to get the number of copies that is wanted: it has the number that files got by default before, so
 * nobody chose it.
 *
 * @param before the number that was wanted the last time; undefined if nobody noted it: then all files had it
 */
export function isToBeCopied({ type, replication }: ListedFile, wanted: number, before: number | undefined): boolean {
  return type === "FILE" && replication !== wanted && (before === undefined || replication === before);
}

/** The text of the file of DataNodes that may hold no blocks: all that are known and not wanted, an address a line. */
export function excludedDataNodes(
  wanted: readonly string[],
  live: readonly ListedDataNode[],
  excludedBefore: string,
): string {
  const known = [...excludedBefore.split("\n"), ...live.map(({ address }) => address)];
  const excluded = new Set(known.filter((address) => address !== "" && !wanted.includes(address)));
  return [...excluded]
    .sort()
    .map((address) => `${address}\n`)
    .join("");
}

/** What is not as it shall be, a sentence each. */
export function membershipProblems(wanted: readonly string[], live: readonly ListedDataNode[]): string[] {
  return wanted.flatMap((address) => {
    const node = live.find((each) => each.address === address);
    if (node === undefined) return [`DataNode ${address} is not in touch with the NameNode`];
    return node.state === "In Service" ? [] : [`DataNode ${address} is not in service: ${node.state}`];
  });
}
