/** The least and the most that a number may be. */
export interface Limits {
  readonly least: number;
  readonly most: number;
  /** Why it may not be more, if that is not plain. */
  readonly reason?: string;
}

/** What the numbers of an architecture may be, whoever sets them: a stack's configuration, or a program of one's own. */
export const limits = {
  partitions: {
    least: 1,
    most: 256,
    reason:
      "the archiver and each bolt read and buffer every partition by itself, and Kafka opens files for each of them",
  },
  /** A century: offsets are looked up by the time that is so long ago. */
  retentionHours: { least: 0.001, most: 876_000 },
  archiveMinutes: { least: 0.01, most: 10_080 },
  sealHours: { least: 0.001, most: 8_760 },
  logIncarnation: { least: 1, most: 999_999 },
  chunkSize: { least: 100, most: 1_000_000 },
  recomputationMinutes: { least: 1, most: 10_080 },
} as const satisfies Readonly<Record<string, Limits>>;
