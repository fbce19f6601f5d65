/** Time steps of a view, in UTC. */
export const granularities = ["minute", "hour", "day"] as const;
export type Granularity = (typeof granularities)[number];

const milliseconds: Readonly<Record<Granularity, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** The length of a step in milliseconds. */
export function granularityMilliseconds(granularity: Granularity): number {
  return milliseconds[granularity];
}

/** The start of the step that holds `time`; both in milliseconds since 1970 (UTC). */
export function truncate(time: number, step: number): number {
  return Math.floor(time / step) * step;
}
