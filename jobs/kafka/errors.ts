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

/** The topic was deleted and made again, so that its offsets mean other events than before. */
export class TopicRecreatedError extends Error {
  readonly topic: string;

  constructor(topic: string, expectedId: string, actualId: string) {
    super(
      `topic ${topic} was deleted and made again: its id was ${expectedId} and is ${actualId}, ` +
        "so its offsets mean other events than before; use a new topic's name, or remove what was computed from the old one",
    );
    this.name = "TopicRecreatedError";
    this.topic = topic;
  }
}
