/**
 * The versions of everything that is stored and that other code could read wrongly. Whoever changes where something
 * is stored, or what it means, raises its version here.
 *
 * What belongs to one generation of a view has its versions in {@link viewFormats}: they are part of the generation's
 * name (see `viewGeneration`), so that data of another format is never read, but computed again beside it. What
 * generations share is in {@link sharedFormats}: it carries its version, which {@link checkFormat} checks when it is read.
 */

/** What is stored of a view's generation. */
export const viewFormats = {
  /**
   * The table of a speed view's rows, see jobs/speed/tables.ts. 1: an era is shared by all partitions of the topic; 2: an
   * era is one partition's.
   */
  speedRows: 2,
  /** The table of a speed view's progress. 1: without, 2: with the log's leader epoch. */
  progress: 2,
  /**
   * What measures make of events and how they encode it, in speed rows and in the output of batch runs, see jobs/measures.
   * 1: halves are rounded up, sums are numbers; 2: halves are rounded away from zero, sums past 2^53 are texts.
   */
  states: 2,
  /**
   * Which records are events (see `decodeEvent`), and which of them fit a view (see jobs/views/admission.ts). 1: days that
   * do not exist are shifted, whole numbers past 2^53 are rounded, keys have any length; 2: none of these.
   */
  admission: 2,
  /** The canonical text of a key, see `keyText`. */
  keys: 1,
  /** The hash that spreads keys over shards, see `shardOf`. */
  shardHash: 1,
  /** The rows of a batch run's output and of its datasource, see jobs/batch/records.ts. */
  batchRows: 1,
} as const;

/** What all generations share. */
export const sharedFormats = {
  /** A row of `batch_pointer`, see jobs/batch/pointer.ts. 1: a row without a format, which says nothing of what is lost, nor of leaders. */
  pointer: 2,
  /** A topic's files in the master dataset, see jobs/archive/layout.ts. 1: whole chunks alone; 2: with manifests and losses. */
  masterDataset: 2,
  /** What is written to the dead-letter topic, see jobs/archive/dead-letter.ts. 1: a letter without a format. */
  deadLetters: 2,
} as const;

/** Everything beside a view's code that the place or the meaning of its stored rows depends on. */
export interface ViewLayout {
  /** The topic of the events. */
  readonly topic: string;
  /** Offsets a chunk. */
  readonly chunkSize: number;
  /** Cassandra partitions that an era is spread over by key. */
  readonly shards: number;
  /** Chunks that share an era. */
  readonly chunksPerEra: number;
  /** Which life of the topic's log, from 1. */
  readonly incarnation: number;
  /** Default where an architecture is made: {@link viewFormats} */
  readonly formats: Readonly<Record<string, number>>;
}

/** Something stored has a format that this code does not know. */
export class UnknownFormatError extends Error {
  override readonly name = "UnknownFormatError";
}

/**
 * Checks the format of what was read.
 *
 * @param what the stored thing, as the error names it
 * @param format its version; null or undefined: it was written before there were versions, which is 1
 * @param known the newest version that this code knows; it knows all before
 * @returns the version
 * @throws {UnknownFormatError} if it is newer than what is known
 */
export function checkFormat(what: string, format: number | null | undefined, known: number): number {
  const found = format ?? 1;
  if (Number.isInteger(found) && found >= 1 && found <= known) return found;
  throw new UnknownFormatError(
    `${what} has format ${found}; this code knows formats up to ${known}. It was written by newer code: deploy that, or a later one`,
  );
}
