import type { Json } from "./multilang.ts";

/** What the spout sends to a bolt: a stretch of a partition. The bolt reads the events themselves from Kafka. */
export interface Descriptor {
  readonly partition: number;
  readonly chunk: number;
  /** The rows shall hold the chunk's events from its first up to this offset (exclusive). */
  readonly end: number;
  /** The names of the views that need it. */
  readonly views: readonly string[];
}

/** The fields of a descriptor's tuple, in order. */
export const descriptorFields = ["partition", "chunk", "end", "views"] as const;

/** The descriptor as a tuple. */
export function toTuple({ partition, chunk, end, views }: Descriptor): Json[] {
  return [partition, chunk, end, views];
}

/** The tuple's descriptor. */
export function fromTuple(tuple: readonly Json[]): Descriptor {
  const [partition, chunk, end, views] = tuple;
  return { partition: Number(partition), chunk: Number(chunk), end: Number(end), views: views as string[] };
}

/** The descriptor's id: the same stretch, the same id. */
export function descriptorId({ partition, chunk, end }: Descriptor): string {
  return `${partition}/${chunk}/${end}`;
}
