/** What the coordinator knows of the historicals. */
export interface Historicals {
  /** `host:port` of those that it sees, with the bytes of the segments that they hold. */
  readonly seen: readonly { readonly host: string; readonly currSize: number }[];
  /** `host:port` of those that shall hold nothing: `decommissioningNodes` of its dynamic configuration. */
  readonly leaving: readonly string[];
  /** The rules for datasources that have none of their own. */
  readonly defaultRules: readonly unknown[];
}

/** On how many historicals each segment is: on two, so that one may be lost, if there are as many. */
export function segmentCopies(historicals: number): number {
  return Math.min(2, historicals);
}

/** The rules with which every segment stays on as many historicals as it shall. */
export function defaultRules(historicals: number): readonly unknown[] {
  return [{ type: "loadForever", tieredReplicants: { _default_tier: segmentCopies(historicals) } }];
}

/** Which historicals shall hold nothing: those that are there and not wanted, and others that somebody has put there. */
export function leavingHistoricals(wanted: readonly string[], { seen, leaving }: Historicals): string[] {
  const all = new Set([...leaving, ...seen.map(({ host }) => host)]);
  return [...all].filter((host) => !wanted.includes(host)).sort();
}

/** What is not as it shall be, a sentence each. */
export function membershipProblems(wanted: readonly string[], found: Historicals): string[] {
  const copies = segmentCopies(wanted.length);
  return [
    ...missingHistoricals(wanted, found),
    ...found.seen.flatMap(({ host }) =>
      wanted.includes(host) ? [] : [`historical ${host} is in the cluster, but not wanted`],
    ),
    ...wanted
      .filter((host) => found.leaving.includes(host))
      .map((host) => `historical ${host} gets no segments: it is among the decommissioning nodes`),
    ...(haveCopies(found.defaultRules, copies)
      ? []
      : [`the default rule does not ask for ${copies} copies of a segment`]),
  ];
}

/** The wanted historicals that the coordinator does not see, a sentence each. */
export function missingHistoricals(wanted: readonly string[], { seen }: Historicals): string[] {
  return wanted
    .filter((address) => !seen.some(({ host }) => host === address))
    .map((host) => `historical ${host} is not in touch with the coordinator`);
}

/** What historicals that are not wanted still hold, a sentence each. */
export function segmentsToMove(wanted: readonly string[], { seen }: Historicals): string[] {
  return seen
    .filter(({ host, currSize }) => !wanted.includes(host) && currSize > 0)
    .map(({ host, currSize }) => `historical ${host} still holds ${currSize} bytes of segments`);
}

/** The answer of the coordinator's `loadstatus?full`: segments to load by tier and datasource. */
export type LoadStatus = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** How many copies of segments are still to be loaded. */
export function copiesToLoad(status: LoadStatus): number {
  return Object.values(status).reduce(
    (sum, byDatasource) => sum + Object.values(byDatasource).reduce((inTier, left) => inTier + left, 0),
    0,
  );
}

function haveCopies(rules: readonly unknown[], copies: number): boolean {
  return rules.every((rule) => {
    const { type, tieredReplicants } = rule as { type?: string; tieredReplicants?: Record<string, number> };
    return type === "loadForever" && tieredReplicants?._default_tier === copies;
  });
}
