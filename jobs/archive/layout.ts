/**
 * Where the events' files are, see the README, "What is stored where", and what their names tell. All names sort as
 * offsets do. A later life of a topic's log (an incarnation) has folders of its own, since its offsets mean other events.
 */
import type { Range } from "../ranges.ts";
import type { Content } from "./content.ts";

/** A file of the master dataset: the events of the offsets `[start, end)` of a partition. */
export type ArchivedRange = Range;

/** Whose files: a partition of a topic, in one life of its log. */
export interface PartitionOfLog {
  readonly topic: string;
  readonly partition: number;
  /** From 1. */
  readonly incarnation: number;
}

/** The folder of a topic's files. */
export function topicFolder(masterDataset: string, topic: string): string {
  return `${masterDataset}/${topic}`;
}

/**
 * The folder of a partition's files.
 *
 * @param top the folder of the master dataset, or that of open chunks' parts
 */
export function partitionFolder(top: string, { topic, partition, incarnation }: PartitionOfLog): string {
  const life = incarnation === 1 ? "" : `/incarnation-${incarnation}`;
  return `${topicFolder(top, topic)}${life}/${partition}`;
}

/** The file that names the topic whose events are in the folder, by Kafka's id. */
export function topicIdFile(masterDataset: string, topic: string): string {
  return `${topicFolder(masterDataset, topic)}/_topic-id`;
}

/** The name of the file of a whole chunk's events: published once, never replaced. */
export function fileName(range: ArchivedRange): string {
  return `${rangeName(range)}.jsonl`;
}

/** The range of a whole chunk's file; undefined if its name is none of {@link fileName}. */
export function archivedRange(name: string): ArchivedRange | undefined {
  return match(/^(\d{19})-(\d{19})\.jsonl$/, name)?.range;
}

/** What is noted of a whole chunk's file when it is published, in the name of an empty file beside it. */
export interface Manifest {
  readonly range: ArchivedRange;
  readonly content: Content;
  /** The epoch of the leader that wrote the chunk's last record; -1: unknown. */
  readonly leaderEpoch: number;
}

/** The name of a file's manifest. */
export function manifestName({ range, content, leaderEpoch }: Manifest): string {
  const digest = content.digest.toString(16).padStart(12, "0");
  return `${rangeName(range)}.${content.events}.${content.bytes}.${digest}.${leaderEpoch}.manifest`;
}

/** What a manifest's name tells; undefined if it is none of {@link manifestName}. */
export function parseManifest(name: string): Manifest | undefined {
  const found = match(/^(\d{19})-(\d{19})\.(\d+)\.(\d+)\.([0-9a-f]{12})\.(-?\d+)\.manifest$/, name);
  if (found === undefined) return undefined;
  const [events = "", bytes = "", digest = "", epoch = ""] = found.rest;
  return {
    range: found.range,
    content: { events: Number(events), bytes: Number(bytes), digest: Number.parseInt(digest, 16) },
    leaderEpoch: Number(epoch),
  };
}

/** The name of the empty file that says that a person has accepted the loss of these offsets. */
export function lostName(range: Range): string {
  return `${rangeName(range)}.lost`;
}

/** The offsets of a loss that was accepted; undefined if the name is none of {@link lostName}. */
export function lostRange(name: string): Range | undefined {
  return match(/^(\d{19})-(\d{19})\.lost$/, name)?.range;
}

/** A part of a chunk that is not full yet: the events of some of its offsets. */
export interface Part extends Range {
  readonly name: string;
  /** The epoch of the leader that wrote its last record; -1: unknown. */
  readonly leaderEpoch: number;
}

/** The name of a part. */
export function partName(range: Range, leaderEpoch: number): string {
  return `${rangeName(range)}.${leaderEpoch}.jsonl`;
}

/** What a part's name tells; undefined if it is none of {@link partName}. */
export function parsePart(name: string): Part | undefined {
  const found = match(/^(\d{19})-(\d{19})\.(-?\d+)\.jsonl$/, name);
  return found === undefined ? undefined : { ...found.range, name, leaderEpoch: Number(found.rest[0]) };
}

function rangeName({ start, end }: Range): string {
  return `${digits(start)}-${digits(end)}`;
}

/** As many digits as the largest offset has, so that names sort as offsets do. */
function digits(offset: number): string {
  return String(offset).padStart(19, "0");
}

function match(form: RegExp, name: string): { readonly range: Range; readonly rest: readonly string[] } | undefined {
  const [, start, end, ...rest] = form.exec(name) ?? [];
  return start === undefined ? undefined : { range: { start: Number(start), end: Number(end) }, rest };
}
