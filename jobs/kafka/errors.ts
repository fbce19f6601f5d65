/** An offset that the partition no longer, or not at all, holds: retention deleted it, or the log was lost. */
export class OffsetOutOfRangeError extends Error {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly earliest: number;
  readonly latest: number;

  constructor(at: { topic: string; partition: number; offset: number; earliest: number; latest: number }) {
    const why =
      at.offset < at.earliest
        ? "the topic's retention deleted it: keep events longer, or read from a later offset"
        : "the log is shorter than it was: the partition lost data, or the topic was made again";
    super(
      `offset ${at.offset} of ${at.topic}-${at.partition} is not in [${at.earliest}, ${at.latest}), what Kafka holds; ${why}`,
    );
    this.name = "OffsetOutOfRangeError";
    this.topic = at.topic;
    this.partition = at.partition;
    this.offset = at.offset;
    this.earliest = at.earliest;
    this.latest = at.latest;
  }
}

/** A partition's log lost its tail and gave its offsets to other events than those that were read. */
export class LogDivergedError extends Error {
  readonly topic: string;
  readonly partition: number;
  /** The first offset that means another event, or none; -1 if nothing tells which. */
  readonly end: number;

  constructor(at: { topic: string; partition: number; offset: number; leaderEpoch: number; end: number }) {
    const { topic, partition, offset, leaderEpoch, end } = at;
    super(
      `${topic}-${partition} was read up to offset ${offset} under leader epoch ${leaderEpoch}, but ` +
        `${end < 0 ? "has nothing of that epoch now" : `is the same up to ${end} only`}: the log lost its tail, and gave ` +
        "its offsets to other events",
    );
    this.name = "LogDivergedError";
    this.topic = topic;
    this.partition = partition;
    this.end = end;
  }
}

/** A batch of a log that is not as it was written: on the broker's disk, or on its way. */
export class DamagedBatchError extends Error {
  /** The batch's first offset. */
  readonly offset: number;

  readonly #reason: string;

  /** @param log of which topic and partition; default: not said */
  constructor(offset: number, reason: string, log?: string) {
    super(`${log === undefined ? "the batch" : `${log}: the batch`} at offset ${offset} is damaged: ${reason}`);
    this.name = "DamagedBatchError";
    this.offset = offset;
    this.#reason = reason;
  }

  /** The same error, with the topic and the partition that it is of. */
  of(log: string): DamagedBatchError {
    return new DamagedBatchError(this.offset, this.#reason, log);
  }
}

/** The topic was deleted and made again, so that its offsets mean other events than before. */
export class TopicRecreatedError extends Error {
  readonly topic: string;

  constructor(topic: string, expectedId: string, actualId: string) {
    super(
      `topic ${topic} was deleted and made again: its id was ${expectedId} and is ${actualId}, ` +
        "so its offsets mean other events than before; npm run batch -- --accept-loss goes on with it as it is now",
    );
    this.name = "TopicRecreatedError";
    this.topic = topic;
  }
}
