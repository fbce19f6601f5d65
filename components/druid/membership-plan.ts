/** What the coordinator knows of the historicals. */
export interface Historicals {
  /** `host:port` of those that it sees. */
  readonly seen: readonly string[];
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
  const all = new Set([...leaving, ...seen]);
  return [...all].filter((host) => !wanted.includes(host)).sort();
}

/** What is not as it shall be, a sentence each. */
export function membershipProblems(wanted: readonly string[], found: Historicals): string[] {
  const copies = segmentCopies(wanted.length);
  return [
    ...missingHistoricals(wanted, found),
    ...found.seen.flatMap((host) =>
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
    .filter((host) => !seen.includes(host))
    .map((host) => `historical ${host} is not in touch with the coordinator`);
}

/** The segments that a historical holds: the datasource of each by its id. */
export type SegmentsByHost = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * What has not been done yet of moving segments, a sentence each.
 *
 * @param ruled the datasources that have rules of their own: how many copies they want is theirs to say
 */
export function segmentsToMove(
  wanted: readonly string[],
  held: SegmentsByHost,
  ruled: ReadonlySet<string>,
): readonly string[] {
  const copies = segmentCopies(wanted.length);
  const found = new Map<string, number>();
  for (const [host, segments] of held)
    for (const [id, datasource] of segments)
      if (!ruled.has(datasource)) found.set(id, (found.get(id) ?? 0) + (wanted.includes(host) ? 1 : 0));
  const few = [...found.values()].filter((count) => count < copies).length;
  const leaving = [...held].filter(([host, segments]) => !wanted.includes(host) && segments.size > 0);
  return [
    ...(few > 0 ? [`${few} segments are to be on ${copies} historicals`] : []),
    ...leaving.map(([host, segments]) => `historical ${host} still holds ${segments.size} segments`),
  ];
}

function haveCopies(rules: readonly unknown[], copies: number): boolean {
  const [rule, ...others] = rules as { type?: string; tieredReplicants?: Record<string, number> }[];
  return others.length === 0 && rule?.type === "loadForever" && rule.tieredReplicants?._default_tier === copies;
}
