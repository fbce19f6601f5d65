/** A record of a partition. */
export interface LogRecord {
  readonly offset: number;
  /**
   * Milliseconds since 1970: when the broker appended the record's batch, where the topic has
   * `message.timestamp.type=LogAppendTime`; else the time that its producer gave it.
   */
  readonly timestamp: number;
  readonly key: Buffer | null;
  /** Null for a tombstone. It is a slice of the whole response: copy what is kept for long. */
  readonly value: Buffer | null;
  /** Why neither key nor value is here although the record may have them; undefined if they are. */
  readonly problem?: string;
}
