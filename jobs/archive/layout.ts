/** Where the master dataset's files are, see the README, "What is stored where". */

/** A file of the master dataset: the events of the offsets `[start, end)` of a partition. */
export interface ArchivedRange {
  readonly start: number;
  readonly end: number;
}

/** The folder of a topic's files. */
export function topicFolder(masterDataset: string, topic: string): string {
  return `${masterDataset}/${topic}`;
}

/** The folder of a partition's files. */
export function partitionFolder(masterDataset: string, topic: string, partition: number): string {
  return `${topicFolder(masterDataset, topic)}/${partition}`;
}

/** The file that names the topic whose events are in the folder, by Kafka's id. */
export function topicIdFile(masterDataset: string, topic: string): string {
  return `${topicFolder(masterDataset, topic)}/_topic-id`;
}

/** The name of a range's file. */
export function fileName({ start, end }: ArchivedRange): string {
  return `${digits(start)}-${digits(end)}.jsonl`;
}

/** The range of a file; undefined if its name is none of {@link fileName}. */
export function archivedRange(name: string): ArchivedRange | undefined {
  const match = /^(\d{19})-(\d{19})\.jsonl$/.exec(name);
  return match === null ? undefined : { start: Number(match[1]), end: Number(match[2]) };
}

/** As many digits as the largest offset has, so that names sort as offsets do. */
function digits(offset: number): string {
  return String(offset).padStart(19, "0");
}
